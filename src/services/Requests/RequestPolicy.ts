/** The requests for one object: paced, with patience, and with an eye on whether one of them may have made it visible. */
import { Effect } from "effect"
import type { FileError, Interrupted, StateUnusable, StoreError } from "../../domain/Errors.ts"
import { isRefusal } from "../../domain/FailureClass.ts"
import type { Settings } from "../../domain/Settings.ts"
import { type NewObject, ObjectStore, type StreamBody } from "../ObjectStore.ts"
import type { Limiter } from "./Limiter.ts"
import * as Retry from "./Retry.ts"
import { Reporter } from "../Reporter.ts"

interface Attempted<A> {
  readonly bodyBytes?: number
  /** How the first attempt ended, if it was made already. */
  readonly first?: Effect.Effect<A, StoreError | Interrupted> | undefined
}

/**
 * `refused`: done after a failure, if no request was sent that might have made the object visible, or the store has
 * refused each.
 */
export const make = (pace: Limiter, { maxRetries }: Pick<Settings, "maxRetries">) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const reporter = yield* Reporter
    const patient = yield* Retry.make(maxRetries)

    return (object: NewObject, refused: Effect.Effect<void, StateUnusable>) => {
      let mayBeStored = false
      const watched = <A>(attempt: Effect.Effect<A, StoreError>) =>
        Effect.suspend(() => {
          const before = mayBeStored
          mayBeStored = true
          return Effect.tapError(attempt, (error) => Effect.sync(() => (mayBeStored = before || !isRefusal(error))))
        })
      const request = <A>(
        attempt: Effect.Effect<A, StoreError>,
        { bodyBytes, first }: Attempted<A> = {}
      ): Effect.Effect<A, StoreError | Interrupted> =>
        patient(
          pace.limit(attempt, bodyBytes),
          (error) => {
            reporter.tally.retries++
            return logRetry(object.key, error)
          },
          first
        )
      return {
        request,
        /** As `request`, for what may make the object visible; `failed`: how the first attempt ended. */
        put: (body: Uint8Array, sha256?: string, failed?: StoreError | Interrupted) => {
          mayBeStored = failed !== undefined && failed._tag !== "Interrupted" && !isRefusal(failed)
          const attempt = watched(store.put(object, body, sha256))
          return request(attempt, { bodyBytes: body.length, first: failed && Effect.fail(failed) })
        },
        completing: (step: Effect.Effect<void, StateUnusable>) =>
          Effect.suspend(() => {
            mayBeStored = true
            return step
          }),
        /** A body whose length shows when it has passed. */
        putStream: (body: StreamBody, completing: Effect.Effect<void, StateUnusable>) =>
          store.putStream<Interrupted | StateUnusable>(object, body, {
            request,
            completing: Effect.suspend(() => {
              mayBeStored = true
              return completing
            }),
            abortFailed: reporter.abortFailed
          }),
        withdrawIfUnsent: <A, E>(sent: Effect.Effect<A, E>) =>
          Effect.tapError(sent, () => (mayBeStored ? Effect.void : refused))
      }
    }
  })

/** What is tried again, and why. */
export const logRetry = (what: string, error: FileError) =>
  Effect.annotateLogs(Effect.logDebug("retrying"), { what, error: error.message })

/**
 * What surrounds the requests for one object: limiter, timeout and retries. Remembers whether one of them may have made
 * the object visible.
 */
import { Effect } from "effect"
import type { FileError, Interrupted, StateUnusable, StoreError } from "../../domain/Errors.ts"
import { isRefusal } from "../../domain/FailureClass.ts"
import type { Settings } from "../../domain/Settings.ts"
import { type NewObject, ObjectStore, type StreamBody } from "../ObjectStore.ts"
import { Reporter } from "../Reporter.ts"
import type { Limiter } from "./Limiter.ts"
import * as Retry from "./Retry.ts"

/** The requests for one object. */
export type Requests = ReturnType<Effect.Effect.Success<ReturnType<typeof make>>>

/** `withdraw` runs after a failure if no request was sent that may have made the object visible, or each was refused. */
export const make = (limiter: Limiter, { maxRetries }: Pick<Settings, "maxRetries">) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const reporter = yield* Reporter
    const retry = yield* Retry.make(maxRetries)

    return (object: NewObject, withdraw: Effect.Effect<void, StateUnusable>) => {
      let mayBeStored = false
      const watched = <A>(attempt: Effect.Effect<A, StoreError>) =>
        Effect.suspend(() => {
          const before = mayBeStored
          mayBeStored = true
          return Effect.tapError(attempt, (error) => Effect.sync(() => (mayBeStored = before || !isRefusal(error))))
        })
      const request = <A>(
        attempt: Effect.Effect<A, StoreError>,
        bodyBytes = 0,
        first?: Effect.Effect<A, StoreError | Interrupted>
      ): Effect.Effect<A, StoreError | Interrupted> =>
        retry(
          limiter.limit(attempt, bodyBytes),
          (error) => {
            reporter.tally.retries++
            return logRetry(object.key, error)
          },
          first
        )
      const completing = (step: Effect.Effect<void, StateUnusable>) =>
        Effect.suspend(() => {
          mayBeStored = true
          return step
        })
      return {
        /**
         * For all requests of a multipart upload. A part weighs as much as a request without a body: memory already
         * limits parts in flight (`UploadPlan.maxQueue`). By its size, a part of 8 MiB would weigh 257 where `auto`
         * starts with 128 and ends at 512, so parts would go one at a time, and other requests would wait for each.
         */
        request,
        /** Stores a whole body. `failure`: how the first attempt ended, if it was made already. */
        put: (body: Uint8Array, sha256?: string, failure?: StoreError | Interrupted) => {
          mayBeStored = failure !== undefined && failure._tag !== "Interrupted" && !isRefusal(failure)
          const attempt = watched(store.put(object, body, sha256))
          return request(attempt, body.length, failure && Effect.fail(failure))
        },
        /** Wraps the step before the request that completes a multipart upload. */
        completing,
        /** Stores a body of unknown length. */
        putStream: (body: StreamBody, step: Effect.Effect<void, StateUnusable>) =>
          store.putStream<Interrupted | StateUnusable>(object, body, {
            request,
            completing: completing(step),
            abortFailed: reporter.abortFailed
          }),
        withdrawIfUnsent: <A, E>(sent: Effect.Effect<A, E>) =>
          Effect.tapError(sent, () => (mayBeStored ? Effect.void : withdraw))
      }
    }
  })

export const logRetry = (what: string, error: FileError) =>
  Effect.annotateLogs(Effect.logDebug("retrying"), { what, error: error.message })

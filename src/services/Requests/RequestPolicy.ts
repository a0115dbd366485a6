/**
 * Wraps the requests for one object with the limiter, the timeout and retries. Remembers whether a request may have
 * made the object visible.
 */
import { Effect } from "effect"
import type { FileError, Interrupted, StateUnusable, StoreError } from "../../domain/Errors.ts"
import { isRefusal } from "../../domain/FailureClass.ts"
import * as LostCompletion from "../../domain/LostCompletion.ts"
import { isUnknownUpload } from "../../domain/Resumption.ts"
import type { Settings } from "../../domain/Settings.ts"
import { type NewObject, ObjectStore, type StreamBody } from "../ObjectStore.ts"
import { Reporter } from "../Reporter.ts"
import type { Limiter } from "./Limiter.ts"
import * as Retry from "./Retry.ts"

/** The requests for one object. */
export type Requests = ReturnType<Effect.Effect.Success<ReturnType<typeof make>>>

/**
 * `withdraw` runs after a failure if no request can have made the object visible, because none was sent or the store
 * refused all of them.
 */
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
        attempt: Effect.Effect<A, StoreError | Interrupted>,
        first?: Effect.Effect<A, StoreError | Interrupted>
      ): Effect.Effect<A, StoreError | Interrupted> =>
        retry(
          attempt,
          (error) => {
            reporter.tally.retries++
            reporter.tally.lastRetry = error.message
            return logRetry(object.key, error)
          },
          first
        )
      let isCompletionNext = false
      const completing = (step: Effect.Effect<void, StateUnusable>) =>
        Effect.suspend(() => {
          mayBeStored = true
          isCompletionNext = true
          return step
        })
      const completion = <A>(attempt: Effect.Effect<A, StoreError | Interrupted>) => {
        let isUnanswered = false
        const noted = Effect.tapError(attempt, (error) =>
          Effect.sync(() => (isUnanswered ||= error._tag !== "Interrupted" && !isRefusal(error)))
        )
        return Effect.mapError(request(noted), (error) =>
          isUnanswered && error._tag === "UploadFailed" && isUnknownUpload(error)
            ? LostCompletion.failure(false, error)
            : error
        )
      }
      const ofUpload = <A>(attempt: Effect.Effect<A, StoreError>, bodyBytes = 0) =>
        Effect.suspend(() => {
          const limited = limiter.limit(attempt, bodyBytes, 0)
          if (!isCompletionNext) return request(limited)
          isCompletionNext = false
          return completion(limited)
        })
      return {
        /**
         * Wraps all requests of a multipart upload. A part weighs as much as a request without a body, because memory
         * already limits the parts in flight (`UploadPlan.maxQueue`). By size, an 8 MiB part would weigh 257. As `auto`
         * allows 128 to 512, parts would be sent one at a time and delay other requests.
         */
        request: ofUpload,
        /** Stores a whole body. `failure`: the failure of the first attempt, if the caller has already made it. */
        put: (body: Uint8Array, sha256?: string, failure?: StoreError | Interrupted) => {
          mayBeStored = failure !== undefined && failure._tag !== "Interrupted" && !isRefusal(failure)
          const attempt = watched(store.put(object, body, sha256))
          return request(limiter.limit(attempt, body.length), failure && Effect.fail(failure))
        },
        /** Wraps the step before the completion of a multipart upload. The next `request` is then the completion. */
        completing,
        /** Stores a body of unknown length. */
        putStream: (body: StreamBody, step: Effect.Effect<void, StateUnusable>) =>
          store.putStream<Interrupted | StateUnusable>(object, body, {
            request: ofUpload,
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

/** Aborts multipart uploads that no run will complete. */
import { type Context, Duration, Effect, Fiber } from "effect"
import type { ObjectStore, UploadName } from "../ObjectStore.ts"
import type { Reporter } from "../Reporter.ts"

/** An abort only saves the bucket's owner some money, so it gets one attempt and a short timeout. */
export const abortTimeout = Duration.seconds(5)

/** Aborts the upload so that its parts cost no storage. Calls `abortFailed` if that fails. */
export const abortUpload = (
  store: Pick<Context.Tag.Service<ObjectStore>, "abortUpload">,
  { key, uploadId }: UploadName,
  abortFailed: Context.Tag.Service<Reporter>["abortFailed"]
): Effect.Effect<void> =>
  store.abortUpload({ key, uploadId }).pipe(
    Effect.timeout(abortTimeout),
    Effect.catchAll((error) => abortFailed({ key, uploadId, reason: error.message })),
    // in a fiber of its own, because the current fiber may already be interrupted
    Effect.interruptible,
    Effect.forkDaemon,
    Effect.flatMap(Fiber.join)
  )

/**
 * Waits for the response even when interrupted, but not longer than `abortTimeout`. The response contains the upload's
 * id, without which the upload can neither be resumed nor aborted.
 */
export const completeDespiteInterrupt = <A, E>(attempt: Effect.Effect<A, E>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(attempt)), (fiber) =>
      restore(Fiber.join(fiber)).pipe(
        Effect.onInterrupt(() =>
          Effect.zipRight(
            Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), abortTimeout),
            Fiber.interrupt(fiber)
          )
        )
      )
    )
  )

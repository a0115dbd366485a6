/** What keeps multipart uploads from being left open that nobody will complete. */
import { type Context, Duration, Effect, Fiber } from "effect"
import type { ObjectStore, UploadName } from "../ObjectStore.ts"
import type { Reporter } from "../Reporter.ts"

/** An abort saves the bucket's owner money, and nothing else depends on it: worth a short wait, and one try. */
export const abortTimeout = Duration.seconds(5)

/** Aborts it so that its parts cost no storage; where that cannot be done, it is told. */
export const abortUpload = (
  store: Pick<Context.Tag.Service<ObjectStore>, "abortUpload">,
  { key, uploadId }: UploadName,
  leftOpen: Context.Tag.Service<Reporter>["abortFailed"]
): Effect.Effect<void> =>
  store.abortUpload({ key, uploadId }).pipe(
    Effect.timeout(abortTimeout),
    Effect.catchAll((error) => leftOpen({ key, uploadId, reason: error.message })),
    // a fiber of its own, because this one may be interrupted already
    Effect.interruptible,
    Effect.forkDaemon,
    Effect.flatMap(Fiber.join)
  )

/** Waits for the answer even when interrupted: nobody can go on with, or abort, an upload whose id never arrived. */
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

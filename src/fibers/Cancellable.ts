import { Effect, Fiber } from "effect"

/** Interrupts the work and continues with `instead`. */
export type Cancel<A, E> = (instead: Effect.Effect<A, E>) => void

/**
 * Runs work that can be cancelled from outside. `onStart` receives the function that cancels the work, and returns a
 * function to call when the work has ended.
 *
 * `Effect.raceFirst` does the same with two fibers, and takes 35 µs instead of 10 (Effect 3.22, Node 24). The work is a
 * batch of files, which is a single file below `--concurrency 16`. Delete this module when `raceFirst` takes less than
 * 3 % of the time of a small file.
 */
export const cancellable = <A, E>(
  work: Effect.Effect<A, E>,
  onStart: (cancel: Cancel<A, E>) => () => void
): Effect.Effect<A, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(work)), (fiber) =>
      restore(
        Effect.async<A, E>((resume) => {
          const onEnd = onStart((instead) => resume(Effect.zipRight(Fiber.interrupt(fiber), instead)))
          fiber.addObserver((exit) => {
            onEnd()
            resume(exit)
          })
        })
      ).pipe(Effect.onInterrupt(() => Fiber.interrupt(fiber)))
    )
  )

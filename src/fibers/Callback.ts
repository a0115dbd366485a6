/**
 * Effects that run without a fiber: starting one is a function call, and its result comes through a callback.
 *
 * A fiber interprets an effect step by step. With fibers, a small file took 250 µs of CPU, 60 of them for the fiber of
 * its request (Effect 3.22, Node 24). That is more than hashing, signing and sending the file took. Requests with a
 * body are therefore made of callbacks, and `start` calls them directly. All other code sees ordinary effects.
 *
 * `effect/Micro` 3.22.4 instead of callbacks took 5.8 % more CPU for 10,000 files of 5 KB: the median of 50 pairs of runs,
 * where two equal builds differ by 0.2 %. In isolation, a request of four steps takes 0.6 µs as a callback, 1.5 µs as a
 * Micro and 8 µs as a fiber. Delete this module when Micro or fibers come within 3 % of it in that benchmark (W1).
 */
import { Cause, Effect, Effectable, Either, Exit, type Fiber, FiberId, FiberRef, Option, Runtime } from "effect"
import { constVoid } from "effect/Function"

/**
 * Starts work and returns a function that cancels it. Calls `resume` exactly once, after all its work has stopped. Ignore
 * the exit after a cancellation. Cancelling a finished callback has no effect.
 */
export type Callback<A, E> = (resume: (exit: Exit.Exit<A, E>) => void) => () => void

/** Interruption cancels the callback and waits until its work has stopped. */
class CallbackEffect<A, E> extends Effectable.Class<A, E> {
  readonly callback: Callback<A, E>
  constructor(callback: Callback<A, E>) {
    super()
    this.callback = callback
  }
  override commit() {
    return Effect.async<A, E>((resume) => {
      let hasEnded = false
      let onEnd = constVoid
      const cancel = this.callback((exit) => {
        hasEnded = true
        resume(exit)
        onEnd()
      })
      return Effect.async<void>((interrupted) => {
        onEnd = () => interrupted(Effect.void)
        if (hasEnded) onEnd()
        else cancel()
      })
    })
  }
}

export const make = <A, E>(callback: Callback<A, E>): Effect.Effect<A, E> => new CallbackEffect(callback)

/** Runs an effect; uses a fiber only if it is neither a callback nor an exit. Returns a function that cancels it. */
export const start = <A, E>(
  effect: Effect.Effect<A, E>,
  resume: (exit: Exit.Exit<A, E>) => void,
  fork: Fork = forkInDefaultRuntime
): (() => void) => {
  if (effect instanceof CallbackEffect) return (effect as CallbackEffect<A, E>).callback(resume)
  if (Exit.isExit(effect)) {
    resume(effect as Exit.Exit<A, E>)
    return constVoid
  }
  const fiber = fork(effect)
  fiber.addObserver(resume)
  return () => fiber.unsafeInterruptAsFork(FiberId.none)
}

type Fork = <A, E>(effect: Effect.Effect<A, E>) => Fiber.RuntimeFiber<A, E>

/** Forks without logging unhandled failures: the observer of the fiber reports them. */
export const forkIn = (runtime: Runtime.Runtime<never>): Fork =>
  Runtime.runFork(Runtime.setFiberRef(runtime, FiberRef.unhandledErrorLogLevel, Option.none()))

const forkInDefaultRuntime = forkIn(Runtime.defaultRuntime)

/** Like `Effect.suspend`. */
export const suspend = <A, E>(effect: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  make((resume) => start(orDefect(effect, undefined), resume))

/** Like `Effect.matchEffect`. */
export const matchEffect = <A, E, A2, E2, A3, E3>(
  first: Effect.Effect<A, E>,
  on: {
    readonly onFailure: (error: E) => Effect.Effect<A2, E2>
    readonly onSuccess: (value: A) => Effect.Effect<A3, E3>
  }
): Effect.Effect<A2 | A3, E2 | E3> =>
  make<A2 | A3, E2 | E3>((resume) => {
    let isCancelled = false
    let cancelSecond: (() => void) | undefined
    const second = (exit: Exit.Exit<A, E>): Effect.Effect<A2 | A3, E2 | E3> =>
      Exit.isSuccess(exit)
        ? on.onSuccess(exit.value)
        : Either.match(Cause.failureOrCause(exit.cause), { onLeft: on.onFailure, onRight: Exit.failCause })
    const cancelFirst = start(first, (exit) => {
      if (isCancelled) resume(Exit.interrupt(FiberId.none))
      else cancelSecond = start(orDefect(second, exit), resume)
    })
    return () => {
      isCancelled = true
      if (cancelSecond === undefined) cancelFirst()
      else cancelSecond()
    }
  })

/** Calls a function that makes an effect. If the function throws, that is a defect, as in any effect. */
const orDefect = <I, A, E>(effect: (input: I) => Effect.Effect<A, E>, input: I): Effect.Effect<A, E> => {
  try {
    return effect(input)
  } catch (cause) {
    return Exit.die(cause)
  }
}

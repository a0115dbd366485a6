/**
 * Effects that a call can begin, without a fiber.
 *
 * An effect is run by a fiber, step by step. Of 250 µs of CPU that a small file cost, 60 were its request's fiber (Effect
 * 3.22, Node 24): more than it took to hash, sign and send it. So such a request is made of calls, each of which tells by
 * another how it ended; `begin` begins it, and to everybody else it is an effect like any other.
 */
import { Cause, Effect, Effectable, Either, Exit, type Fiber, FiberId, FiberRef, Option, Runtime } from "effect"

/**
 * Begins something, and gives back what breaks it off. `ended` is called once, in any case, when nothing of it goes on any
 * more; what it is told after it was broken off says nothing. To break off what has ended does nothing.
 */
export type Callback<A, E> = (ended: (exit: Exit.Exit<A, E>) => void) => () => void

/** Interrupting it breaks the call off, and waits for its end. */
class Begun<A, E> extends Effectable.Class<A, E> {
  readonly call: Callback<A, E>
  constructor(call: Callback<A, E>) {
    super()
    this.call = call
  }
  override commit() {
    return Effect.async<A, E>((resume) => {
      let isOver = false
      let over = () => {}
      const breakOff = this.call((exit) => {
        isOver = true
        resume(exit)
        over()
      })
      return Effect.async<void>((ended) => {
        over = () => ended(Effect.void)
        if (isOver) over()
        else breakOff()
      })
    })
  }
}

export const make = <A, E>(call: Callback<A, E>): Effect.Effect<A, E> => new Begun(call)

/** Calls what an effect is made of; others, it runs in a fiber. */
export const start = <A, E>(
  effect: Effect.Effect<A, E>,
  ended: (exit: Exit.Exit<A, E>) => void,
  fork: Fork = inDefaultRuntime
): (() => void) => {
  if (effect instanceof Begun) return (effect as Begun<A, E>).call(ended)
  if (Exit.isExit(effect)) {
    ended(effect as Exit.Exit<A, E>)
    return nothing
  }
  const fiber = fork(effect)
  fiber.addObserver(ended)
  return () => fiber.unsafeInterruptAsFork(FiberId.none)
}

type Fork = <A, E>(effect: Effect.Effect<A, E>) => Fiber.RuntimeFiber<A, E>

/** Runs effects in fibers whose failures are nobody's but of whom they are told to. */
export const forkIn = (runtime: Runtime.Runtime<never>): Fork =>
  Runtime.runFork(Runtime.setFiberRef(runtime, FiberRef.unhandledErrorLogLevel, Option.none()))

const inDefaultRuntime = forkIn(Runtime.defaultRuntime)

const nothing = () => {}

/** As `Effect.suspend`. */
export const suspend = <A, E>(effect: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  make((ended) => start(guarded(effect, undefined), ended))

/** As `Effect.matchEffect`. */
export const matchEffect = <A, E, A2, E2, A3, E3>(
  first: Effect.Effect<A, E>,
  on: {
    readonly onFailure: (error: E) => Effect.Effect<A2, E2>
    readonly onSuccess: (value: A) => Effect.Effect<A3, E3>
  }
): Effect.Effect<A2 | A3, E2 | E3> =>
  make<A2 | A3, E2 | E3>((ended) => {
    let isBroken = false
    let breakSecond: (() => void) | undefined
    const second = (exit: Exit.Exit<A, E>): Effect.Effect<A2 | A3, E2 | E3> =>
      Exit.isSuccess(exit)
        ? on.onSuccess(exit.value)
        : Either.match(Cause.failureOrCause(exit.cause), { onLeft: on.onFailure, onRight: Exit.failCause })
    const breakFirst = start(first, (exit) => {
      if (isBroken) ended(Exit.interrupt(FiberId.none))
      else breakSecond = start(guarded(second, exit), ended)
    })
    return () => {
      isBroken = true
      if (breakSecond === undefined) breakFirst()
      else breakSecond()
    }
  })

/** What is thrown is a defect, as in any effect. */
const guarded = <I, A, E>(effect: (input: I) => Effect.Effect<A, E>, input: I): Effect.Effect<A, E> => {
  try {
    return effect(input)
  } catch (cause) {
    return Exit.die(cause)
  }
}

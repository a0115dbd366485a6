import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, FiberId, Layer, Logger, LogLevel, ManagedRuntime } from "effect"
import * as Callback from "../../src/fibers/Callback.ts"

/** A call that ends when it is told to, and what it has heard. */
const held = <A = string>() => {
  const heard: Array<string> = []
  let end: (exit: Exit.Exit<A, string>) => void = () => {}
  const effect = Callback.make<A, string>((ended) => {
    heard.push("begun")
    end = ended
    return () => void heard.push("broken off")
  })
  return { effect, heard, end: (exit: Exit.Exit<A, string>) => end(exit) }
}

const noFiber = () => {
  throw new Error("it took a fiber")
}

/** Begins it, and collects what it tells. */
const begun = <A>(effect: Effect.Effect<A, string>, fork?: typeof noFiber) => {
  const told: Array<Exit.Exit<A, string>> = []
  const breakOff = Callback.start(effect, (exit) => void told.push(exit), fork)
  return { told, breakOff }
}

const interrupted = Exit.interrupt(FiberId.none)
const both = {
  onFailure: (error: string) => Exit.fail(`${error}!`),
  onSuccess: (value: string) => Exit.succeed(`${value}.`)
}

describe("a call", () => {
  it.effect("is an effect like any other", () =>
    Effect.gen(function* () {
      const [good, bad] = [Exit.succeed("a"), Exit.fail("b")].map((exit) =>
        Callback.make<string, string>((ended) => {
          setImmediate(ended, exit)
          return () => {}
        })
      )
      expect(yield* good!).toBe("a")
      expect(yield* Effect.flip(bad!)).toBe("b")
      expect(yield* Effect.map(good!, (a) => `${a}${a}`)).toBe("aa")
    })
  )

  it.effect("is begun anew each time that it is run", () =>
    Effect.gen(function* () {
      let times = 0
      const call = Callback.make<number, never>((ended) => {
        ended(Exit.succeed(++times))
        return () => {}
      })
      expect(yield* Effect.all([call, call])).toEqual([1, 2])
    })
  )

  it.effect("is broken off when the fiber that runs it is interrupted, which ends when the call does", () =>
    Effect.gen(function* () {
      const { effect, end, heard } = held()
      const heardOf = (what: string) => Effect.repeat(Effect.yieldNow(), { until: () => heard.includes(what) })
      const fiber = yield* Effect.fork(effect)
      yield* heardOf("begun")
      const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* heardOf("broken off")
      expect(interruption.unsafePoll()).toBeNull()
      end(Exit.fail("cut"))
      expect(Exit.isInterrupted(yield* Fiber.join(interruption))).toBe(true)
    })
  )

  it("is begun without a fiber", () => {
    const { effect, end } = held()
    const { told } = begun(effect, noFiber)
    expect(told).toEqual([])
    end(Exit.succeed("a"))
    expect(told).toEqual([Exit.succeed("a")])
  })
})

describe("what is no call", () => {
  it("has ended already, if it is an exit", () => {
    expect(begun(Exit.fail("b"), noFiber).told).toEqual([Exit.fail("b")])
  })

  it("is run in a fiber, which says nothing of its own of a failure", async () => {
    const said: Array<unknown> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => said.push(message))
    )
    const runtime = ManagedRuntime.make(Layer.merge(logger, Logger.minimumLogLevel(LogLevel.All)))
    const fork = Callback.forkIn(await runtime.runtime())
    const { promise, resolve } = Promise.withResolvers<Exit.Exit<never, string>>()
    Callback.start(Effect.zipRight(Effect.logDebug("failing"), Effect.fail("b")), resolve, fork)
    expect(await promise).toEqual(Exit.fail("b"))
    expect(said).toEqual([["failing"]])
  })

  it("is run in a fiber, which is interrupted", async () => {
    const { promise, resolve } = Promise.withResolvers<Exit.Exit<never, never>>()
    const breakOff = Callback.start(Effect.never, resolve)
    breakOff()
    expect(Exit.isInterrupted(await promise)).toBe(true)
  })
})

describe("what follows a call", () => {
  it.each([
    ["a success", Exit.succeed("a"), Exit.succeed("a.")],
    ["a failure", Exit.fail("b"), Exit.fail("b!")],
    ["a defect", Exit.die("c"), Exit.die("c")],
    ["an interruption", interrupted, interrupted]
  ])("depends on how that ended: %s", (_, exit, expected) => {
    const { effect, end } = held()
    const { told } = begun(Callback.matchEffect(effect, both), noFiber)
    end(exit)
    expect(told).toEqual([expected])
  })

  it("may be another call, or an effect", async () => {
    const [first, second] = [held(), held()]
    const deferred = Deferred.unsafeMake<string, string>(FiberId.none)
    const third = Callback.matchEffect(first.effect, { ...both, onSuccess: () => second.effect })
    const { promise, resolve } = Promise.withResolvers<Exit.Exit<string, string>>()
    Callback.start(Callback.matchEffect(third, { ...both, onSuccess: () => Deferred.await(deferred) }), resolve)
    first.end(Exit.succeed("a"))
    second.end(Exit.succeed("b"))
    Deferred.unsafeDone(deferred, Exit.succeed("c"))
    expect(await promise).toEqual(Exit.succeed("c"))
  })

  it("is a defect if it throws", () => {
    const { effect, end } = held()
    const thrown = new Error("no")
    const fails = () => {
      throw thrown
    }
    const { told } = begun(Callback.matchEffect(effect, { onFailure: Exit.fail, onSuccess: fails }))
    end(Exit.succeed("a"))
    expect(told).toEqual([Exit.die(thrown)])
    expect(begun(Callback.suspend(fails)).told).toEqual([Exit.die(thrown)])
  })

  it("does not follow when the first is broken off", () => {
    const { effect, end, heard } = held()
    const { breakOff, told } = begun(Callback.matchEffect(effect, { onFailure: noFiber, onSuccess: noFiber }))
    breakOff()
    expect(heard).toEqual(["begun", "broken off"])
    expect(told).toEqual([])
    end(Exit.fail("cut"))
    expect(told).toEqual([interrupted])
  })

  it("is broken off itself when it has begun", () => {
    const [first, second] = [held(), held()]
    const { breakOff } = begun(
      Callback.suspend(() => Callback.matchEffect(first.effect, { ...both, onSuccess: () => second.effect }))
    )
    first.end(Exit.succeed("a"))
    breakOff()
    expect(first.heard).toEqual(["begun"])
    expect(second.heard).toEqual(["begun", "broken off"])
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, FiberId, Layer, Logger, LogLevel, ManagedRuntime } from "effect"
import * as Callback from "../../src/fibers/Callback.ts"

/** A callback that ends when `end` is called, and a log of what happened to it. */
const controlled = <A = string>() => {
  const events: Array<string> = []
  let end: (exit: Exit.Exit<A, string>) => void = () => {}
  const effect = Callback.make<A, string>((resume) => {
    events.push("started")
    end = resume
    return () => void events.push("cancelled")
  })
  return { effect, events, end: (exit: Exit.Exit<A, string>) => end(exit) }
}

const noFiber = () => {
  throw new Error("it took a fiber")
}

/** Starts an effect and collects its exits. */
const started = <A>(effect: Effect.Effect<A, string>, fork?: typeof noFiber) => {
  const exits: Array<Exit.Exit<A, string>> = []
  const cancel = Callback.start(effect, (exit) => void exits.push(exit), fork)
  return { exits, cancel }
}

const interrupted = Exit.interrupt(FiberId.none)
const both = {
  onFailure: (error: string) => Exit.fail(`${error}!`),
  onSuccess: (value: string) => Exit.succeed(`${value}.`)
}

describe("a callback", () => {
  it.effect("runs like any other effect", () =>
    Effect.gen(function* () {
      const [good, bad] = [Exit.succeed("a"), Exit.fail("b")].map((exit) =>
        Callback.make<string, string>((resume) => {
          setImmediate(resume, exit)
          return () => {}
        })
      )
      expect(yield* good!).toBe("a")
      expect(yield* Effect.flip(bad!)).toBe("b")
      expect(yield* Effect.map(good!, (a) => `${a}${a}`)).toBe("aa")
    })
  )

  it.effect("starts from the beginning each time it is run", () =>
    Effect.gen(function* () {
      let times = 0
      const callback = Callback.make<number, never>((resume) => {
        resume(Exit.succeed(++times))
        return () => {}
      })
      expect(yield* Effect.all([callback, callback])).toEqual([1, 2])
    })
  )

  it.effect("is cancelled when its fiber is interrupted, and the fiber waits for its end", () =>
    Effect.gen(function* () {
      const { effect, end, events } = controlled()
      const happened = (event: string) => Effect.repeat(Effect.yieldNow(), { until: () => events.includes(event) })
      const fiber = yield* Effect.fork(effect)
      yield* happened("started")
      const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* happened("cancelled")
      expect(interruption.unsafePoll()).toBeNull()
      end(Exit.fail("cut"))
      expect(Exit.isInterrupted(yield* Fiber.join(interruption))).toBe(true)
    })
  )

  it("starts without a fiber", () => {
    const { effect, end } = controlled()
    const { exits } = started(effect, noFiber)
    expect(exits).toEqual([])
    end(Exit.succeed("a"))
    expect(exits).toEqual([Exit.succeed("a")])
  })
})

describe("Callback.start", () => {
  it("uses no fiber for an exit", () => {
    expect(started(Exit.fail("b"), noFiber).exits).toEqual([Exit.fail("b")])
  })

  it("runs any other effect in a fiber, and does not log its failure", async () => {
    const logged: Array<unknown> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => logged.push(message))
    )
    const runtime = ManagedRuntime.make(Layer.merge(logger, Logger.minimumLogLevel(LogLevel.All)))
    const fork = Callback.forkIn(await runtime.runtime())
    const { promise, resolve } = Promise.withResolvers<Exit.Exit<never, string>>()
    Callback.start(Effect.zipRight(Effect.logDebug("failing"), Effect.fail("b")), resolve, fork)
    expect(await promise).toEqual(Exit.fail("b"))
    expect(logged).toEqual([["failing"]])
  })

  it("interrupts the fiber of any other effect when it is cancelled", async () => {
    const { promise, resolve } = Promise.withResolvers<Exit.Exit<never, never>>()
    const cancel = Callback.start(Effect.never, resolve)
    cancel()
    expect(Exit.isInterrupted(await promise)).toBe(true)
  })
})

describe("Callback.matchEffect", () => {
  it.each([
    ["a success", Exit.succeed("a"), Exit.succeed("a.")],
    ["a failure", Exit.fail("b"), Exit.fail("b!")],
    ["a defect", Exit.die("c"), Exit.die("c")],
    ["an interruption", interrupted, interrupted]
  ])("continues according to the exit: %s", (_, exit, expected) => {
    const { effect, end } = controlled()
    const { exits } = started(Callback.matchEffect(effect, both), noFiber)
    end(exit)
    expect(exits).toEqual([expected])
  })

  it("continues with a callback or an effect", async () => {
    const [first, second] = [controlled(), controlled()]
    const deferred = Deferred.unsafeMake<string, string>(FiberId.none)
    const third = Callback.matchEffect(first.effect, { ...both, onSuccess: () => second.effect })
    const { promise, resolve } = Promise.withResolvers<Exit.Exit<string, string>>()
    Callback.start(Callback.matchEffect(third, { ...both, onSuccess: () => Deferred.await(deferred) }), resolve)
    first.end(Exit.succeed("a"))
    second.end(Exit.succeed("b"))
    Deferred.unsafeDone(deferred, Exit.succeed("c"))
    expect(await promise).toEqual(Exit.succeed("c"))
  })

  it("turns an exception in a function into a defect, like suspend", () => {
    const { effect, end } = controlled()
    const thrown = new Error("no")
    const fails = () => {
      throw thrown
    }
    const { exits } = started(Callback.matchEffect(effect, { onFailure: Exit.fail, onSuccess: fails }))
    end(Exit.succeed("a"))
    expect(exits).toEqual([Exit.die(thrown)])
    expect(started(Callback.suspend(fails)).exits).toEqual([Exit.die(thrown)])
  })

  it("does not continue if the first callback is cancelled", () => {
    const { effect, end, events } = controlled()
    const { cancel, exits } = started(Callback.matchEffect(effect, { onFailure: noFiber, onSuccess: noFiber }))
    cancel()
    expect(events).toEqual(["started", "cancelled"])
    expect(exits).toEqual([])
    end(Exit.fail("cut"))
    expect(exits).toEqual([interrupted])
  })

  it("cancels a running continuation", () => {
    const [first, second] = [controlled(), controlled()]
    const { cancel } = started(
      Callback.suspend(() => Callback.matchEffect(first.effect, { ...both, onSuccess: () => second.effect }))
    )
    first.end(Exit.succeed("a"))
    cancel()
    expect(first.events).toEqual(["started"])
    expect(second.events).toEqual(["started", "cancelled"])
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Fiber, Option, TestClock } from "effect"
import * as ConcurrencyLimit from "../../../src/domain/ConcurrencyLimit.ts"
import { AccessDenied, IntegrityFailure, NetworkFailure, StoreUnavailable } from "../../../src/domain/Errors.ts"
import * as Limiter from "../../../src/services/Requests/Limiter.ts"
import { Stop } from "../../../src/services/Stop.ts"

const options: Limiter.Options = {
  concurrency: ConcurrencyLimit.upTo(8),
  giveUpAfter: Duration.minutes(5),
  timeout: Duration.minutes(10)
}

const busy = (retryAfter?: Duration.Duration) =>
  new StoreUnavailable({ operation: "PutObject", detail: "SlowDown", retryable: true, overload: true, retryAfter })
const late = new NetworkFailure({ operation: "PutObject", detail: "no answer", retryable: true, overload: true })
const lost = new NetworkFailure({ operation: "PutObject", detail: "reset", retryable: true })
const denied = new AccessDenied({ operation: "PutObject", detail: "no", retryable: false })

/** Offers `offered` requests that do not end, and counts those that begin. */
const begun = (paced: Limiter.Limiter["limit"], offered = 20) =>
  Effect.gen(function* () {
    let count = 0
    const ended = yield* Deferred.make<void>()
    const attempt = Effect.zipRight(
      Effect.sync(() => count++),
      Deferred.await(ended)
    )
    const fibers = yield* Effect.forEach(Array.from({ length: offered }), () => Effect.fork(paced(attempt)))
    yield* TestClock.adjust("1 millis")
    yield* Fiber.interruptAll(fibers)
    return count
  })

const reason = Effect.flatMap(Stop, (stop) => stop.reason)

describe("Pace", () => {
  it.scoped("lets as many pass as the limit says", () =>
    Effect.gen(function* () {
      expect(yield* begun((yield* Limiter.make(options)).limit)).toBe(8)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped.each([
    ["a throttled store", busy()],
    ["no answer in time", late]
  ] as const)("lets half as many pass after %s", ([, error]) =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      yield* Effect.flip(paced(Effect.fail(error)))
      expect(yield* begun(paced)).toBe(4)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped.each([
    ["a refusal", denied],
    ["a connection that is lost, which says nothing of the load", lost]
  ] as const)("lets as many pass as before after %s", ([, error]) =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      yield* Effect.flip(paced(Effect.fail(error)))
      expect(yield* begun(paced)).toBe(8)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("answers one jam once, however many requests met it", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      const fails = Effect.delay(Effect.fail(busy()), "1 second")
      const all = yield* Effect.fork(
        Effect.forEach(Array.from({ length: 8 }), () => Effect.exit(paced(fails)), { concurrency: 8 })
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(all)
      expect(yield* begun(paced)).toBe(4)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("lets more and more pass again", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      yield* Effect.flip(paced(Effect.fail(busy())))
      yield* Effect.repeatN(paced(Effect.void), 8)
      expect(yield* begun(paced)).toBe(5)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("gives a store the pause that it asked one request for, with all", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      yield* Effect.flip(paced(Effect.fail(busy(Duration.seconds(30)))))
      const began = yield* Effect.fork(paced(Clock.currentTimeMillis))
      yield* TestClock.adjust("2 minutes")
      expect(yield* Fiber.join(began)).toBe(30_000)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("waits longer when more is asked for meanwhile", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      const second = Effect.delay(Effect.fail(busy(Duration.seconds(60))), "5 seconds")
      const inFlight = yield* Effect.fork(Effect.exit(paced(second)))
      yield* TestClock.adjust("1 millis")
      yield* Effect.flip(paced(Effect.fail(busy(Duration.seconds(10)))))
      const began = yield* Effect.fork(paced(Clock.currentTimeMillis))
      yield* TestClock.adjust("3 minutes")
      yield* Fiber.join(inFlight)
      expect(yield* Fiber.join(began)).toBe(65_000)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("takes a proxy that denies the way for no sign of life, nor for an outage", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      const denies = new NetworkFailure({ operation: "PutObject", detail: "a page", retryable: false })
      yield* Effect.flip(paced(Effect.fail(lost)))
      yield* TestClock.adjust("6 minutes")
      yield* Effect.flip(paced(Effect.fail(denies)))
      expect(yield* reason).toEqual(Option.none())
      yield* Effect.flip(paced(Effect.fail(lost)))
      expect(Option.isSome(yield* reason)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("does not wait out a pause when the run is to stop", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      yield* Effect.flip(paced(Effect.fail(busy(Duration.seconds(30)))))
      const fiber = yield* Effect.fork(Effect.flip(paced(Effect.void)))
      yield* TestClock.adjust("1 second")
      yield* Effect.flatMap(Stop, (stop) => stop.request({ _tag: "Signal", signal: "SIGTERM" }))
      expect((yield* Fiber.join(fiber))._tag).toBe("Interrupted")
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("ends the run when a store asks for more than a minute", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      yield* Effect.flip(paced(Effect.fail(busy(Duration.seconds(61)))))
      expect(Option.getOrThrow(yield* reason)).toMatchObject({
        _tag: "Failure",
        error: { _tag: "StoreUnavailable", hint: expect.stringContaining("a pause of 1 min 1 s") }
      })
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("counts from the beginning of what failed first, but not from before the last that went well", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make({ ...options, giveUpAfter: Duration.seconds(100) })
      const silent = Effect.delay(Effect.fail(late), "60 seconds")
      const round = Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.exit(paced(silent)))
        yield* TestClock.adjust("60 seconds")
        yield* Fiber.join(fiber)
      })
      const early = yield* Effect.fork(Effect.exit(paced(silent)))
      yield* TestClock.adjust("59 seconds")
      yield* paced(Effect.void)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(early)
      yield* round
      expect(yield* reason).toEqual(Option.none())
      yield* round
      expect(Option.isSome(yield* reason)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("takes bytes that arrive wrong for no sign of life", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      const wrong = new IntegrityFailure({ operation: "PutObject", detail: "BadDigest", retryable: true })
      yield* Effect.flip(paced(Effect.fail(wrong)))
      yield* TestClock.adjust("5 minutes")
      yield* Effect.flip(paced(Effect.fail(wrong)))
      expect(Option.getOrThrow(yield* reason)).toMatchObject({ error: { _tag: "IntegrityFailure" } })
    }).pipe(Effect.provide(Stop.layer))
  )

  const failEvery = (paced: Limiter.Limiter["limit"], seconds: number, times: number) =>
    Effect.repeatN(
      Effect.zipRight(TestClock.adjust(Duration.seconds(seconds)), Effect.exit(paced(Effect.fail(lost)))),
      times - 1
    )

  it.scoped("ends the run when nothing has gone well for --give-up-after, with the class of what failed last", () =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      yield* failEvery(paced, 50, 6)
      expect(yield* reason).toEqual(Option.none())
      yield* failEvery(paced, 50, 1)
      expect(Option.getOrThrow(yield* reason)).toMatchObject({
        _tag: "Failure",
        error: { _tag: "NetworkFailure", message: lost.message, hint: expect.stringContaining("5 min 0 s") }
      })
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped.each([
    ["a success", Effect.void],
    ["a refusal, which is an answer", Effect.fail(denied)]
  ] as const)("has patience anew after %s", ([, attempt]) =>
    Effect.gen(function* () {
      const { limit: paced } = yield* Limiter.make(options)
      yield* failEvery(paced, 50, 6)
      yield* Effect.exit(paced(attempt))
      yield* failEvery(paced, 50, 6)
      expect(yield* reason).toEqual(Option.none())
    }).pipe(Effect.provide(Stop.layer))
  )
})

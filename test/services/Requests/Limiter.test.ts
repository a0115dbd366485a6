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

const slowDown = (retryAfter?: Duration.Duration) =>
  new StoreUnavailable({ operation: "PutObject", detail: "SlowDown", retryable: true, overload: true, retryAfter })
const timedOut = new NetworkFailure({ operation: "PutObject", detail: "no answer", retryable: true, overload: true })
const lost = new NetworkFailure({ operation: "PutObject", detail: "reset", retryable: true })
const denied = new AccessDenied({ operation: "PutObject", detail: "no", retryable: false })

/** Makes requests that never end, and counts those that start. */
const countStarted = (limit: Limiter.Limiter["limit"], offered = 20) =>
  Effect.gen(function* () {
    let count = 0
    const ended = yield* Deferred.make<void>()
    const attempt = Effect.zipRight(
      Effect.sync(() => count++),
      Deferred.await(ended)
    )
    const fibers = yield* Effect.forEach(Array.from({ length: offered }), () => Effect.fork(limit(attempt)))
    yield* TestClock.adjust("1 millis")
    yield* Fiber.interruptAll(fibers)
    return count
  })

const reason = Effect.flatMap(Stop, (stop) => stop.reason)

describe("Limiter", () => {
  it.scoped("admits as many requests as the limit allows", () =>
    Effect.gen(function* () {
      expect(yield* countStarted((yield* Limiter.make(options)).limit)).toBe(8)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped.each([
    ["a throttling response", slowDown()],
    ["a timeout", timedOut]
  ] as const)("halves the number of requests after %s", ([, error]) =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      yield* Effect.flip(limit(Effect.fail(error)))
      expect(yield* countStarted(limit)).toBe(4)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped.each([
    ["a refusal", denied],
    ["a lost connection, which does not indicate load", lost]
  ] as const)("admits the same number of requests after %s", ([, error]) =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      yield* Effect.flip(limit(Effect.fail(error)))
      expect(yield* countStarted(limit)).toBe(8)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("halves the limit once for one overload, however many requests it affects", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      const fails = Effect.delay(Effect.fail(slowDown()), "1 second")
      const all = yield* Effect.fork(
        Effect.forEach(Array.from({ length: 8 }), () => Effect.exit(limit(fails)), { concurrency: 8 })
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(all)
      expect(yield* countStarted(limit)).toBe(4)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("admits more requests again after successes", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      yield* Effect.flip(limit(Effect.fail(slowDown())))
      yield* Effect.repeatN(limit(Effect.void), 8)
      expect(yield* countStarted(limit)).toBe(5)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("pauses all requests for Retry-After if no other request has succeeded", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      yield* Effect.flip(limit(Effect.fail(slowDown(Duration.seconds(30)))))
      const started = yield* Effect.fork(limit(Clock.currentTimeMillis))
      yield* TestClock.adjust("2 minutes")
      expect(yield* Fiber.join(started)).toBe(30_000)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("extends a pause when the store asks for a longer pause", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      const second = Effect.delay(Effect.fail(slowDown(Duration.seconds(60))), "5 seconds")
      const inFlight = yield* Effect.fork(Effect.exit(limit(second)))
      yield* TestClock.adjust("1 millis")
      yield* Effect.flip(limit(Effect.fail(slowDown(Duration.seconds(10)))))
      const started = yield* Effect.fork(limit(Clock.currentTimeMillis))
      yield* TestClock.adjust("3 minutes")
      yield* Fiber.join(inFlight)
      expect(yield* Fiber.join(started)).toBe(65_000)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("does not pause for Retry-After if another request has succeeded in the meantime", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      const refused = yield* Effect.fork(
        Effect.exit(limit(Effect.delay(Effect.fail(slowDown(Duration.seconds(90))), "2 seconds")))
      )
      yield* TestClock.adjust("1 second")
      yield* limit(Effect.void)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(refused)
      expect(yield* limit(Clock.currentTimeMillis)).toBe(2000)
      expect(yield* reason).toEqual(Option.none())
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped.each([Duration.seconds(30), Duration.minutes(10)])(
    "ends a pause of %s as soon as another request succeeds",
    (retryAfter) =>
      Effect.gen(function* () {
        const { limit } = yield* Limiter.make(options)
        const other = yield* Effect.fork(limit(Effect.delay(Effect.void, "3 seconds")))
        yield* TestClock.adjust("1 second")
        yield* Effect.flip(limit(Effect.fail(slowDown(retryAfter))))
        const next = yield* Effect.fork(limit(Clock.currentTimeMillis))
        yield* TestClock.adjust("5 seconds")
        yield* Fiber.join(other)
        expect(yield* Fiber.join(next)).toBe(3000)
        expect(yield* reason).toEqual(Option.none())
      }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("keeps the length of a second pause after a success has ended the first", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      const other = yield* Effect.fork(limit(Effect.delay(Effect.void, "1 second")))
      yield* TestClock.adjust("1 millis")
      yield* Effect.flip(limit(Effect.fail(slowDown(Duration.seconds(60)))))
      const between = yield* Effect.fork(limit(Effect.void))
      yield* TestClock.adjust("2 seconds")
      yield* Effect.zipRight(Fiber.join(other), Fiber.join(between))
      yield* Effect.flip(limit(Effect.fail(slowDown(Duration.seconds(5)))))
      const next = yield* Effect.fork(limit(Clock.currentTimeMillis))
      yield* TestClock.adjust("2 minutes")
      expect(yield* Fiber.join(next)).toBe(7001)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("ignores a proxy's denial when it measures --give-up-after", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      const proxyDenied = new NetworkFailure({ operation: "PutObject", detail: "a page", retryable: false })
      yield* Effect.flip(limit(Effect.fail(lost)))
      yield* TestClock.adjust("6 minutes")
      yield* Effect.flip(limit(Effect.fail(proxyDenied)))
      expect(yield* reason).toEqual(Option.none())
      yield* Effect.flip(limit(Effect.fail(lost)))
      expect(Option.isSome(yield* reason)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("ends a pause once a stop is requested", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      yield* Effect.flip(limit(Effect.fail(slowDown(Duration.seconds(30)))))
      const fiber = yield* Effect.fork(Effect.flip(limit(Effect.void)))
      yield* TestClock.adjust("1 second")
      yield* Effect.flatMap(Stop, (stop) => stop.request({ _tag: "Signal", signal: "SIGTERM" }))
      expect((yield* Fiber.join(fiber))._tag).toBe("Interrupted")
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped(
    "ends the run when the store asks for a pause of more than a minute and no request in flight can succeed",
    () =>
      Effect.gen(function* () {
        const { limit } = yield* Limiter.make(options)
        const other = yield* Effect.fork(Effect.flip(limit(Effect.delay(Effect.fail(lost), "1 second"))))
        yield* TestClock.adjust("1 millis")
        yield* Effect.flip(limit(Effect.fail(slowDown(Duration.seconds(61)))))
        expect(yield* reason).toEqual(Option.none())
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(other)
        expect(Option.getOrThrow(yield* reason)).toMatchObject({
          _tag: "Failure",
          error: { _tag: "StoreUnavailable", hint: expect.stringContaining("a pause of 1 min 1 s") }
        })
      }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("measures --give-up-after from the first failed request since the last success", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make({ ...options, giveUpAfter: Duration.seconds(100) })
      const hanging = Effect.delay(Effect.fail(timedOut), "60 seconds")
      const round = Effect.gen(function* () {
        const fiber = yield* Effect.fork(Effect.exit(limit(hanging)))
        yield* TestClock.adjust("60 seconds")
        yield* Fiber.join(fiber)
      })
      const early = yield* Effect.fork(Effect.exit(limit(hanging)))
      yield* TestClock.adjust("59 seconds")
      yield* limit(Effect.void)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(early)
      yield* round
      expect(yield* reason).toEqual(Option.none())
      yield* round
      expect(Option.isSome(yield* reason)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped("does not count a report of corrupted bytes as a response", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      const wrong = new IntegrityFailure({ operation: "PutObject", detail: "BadDigest", retryable: true })
      yield* Effect.flip(limit(Effect.fail(wrong)))
      yield* TestClock.adjust("5 minutes")
      yield* Effect.flip(limit(Effect.fail(wrong)))
      expect(Option.getOrThrow(yield* reason)).toMatchObject({ error: { _tag: "IntegrityFailure" } })
    }).pipe(Effect.provide(Stop.layer))
  )

  const failEvery = (limit: Limiter.Limiter["limit"], seconds: number, times: number) =>
    Effect.repeatN(
      Effect.zipRight(TestClock.adjust(Duration.seconds(seconds)), Effect.exit(limit(Effect.fail(lost)))),
      times - 1
    )

  it.scoped("ends the run after --give-up-after without a success, with the class of the last failure", () =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      yield* failEvery(limit, 50, 6)
      expect(yield* reason).toEqual(Option.none())
      yield* failEvery(limit, 50, 1)
      expect(Option.getOrThrow(yield* reason)).toMatchObject({
        _tag: "Failure",
        error: { _tag: "NetworkFailure", message: lost.message, hint: expect.stringContaining("5 min 0 s") }
      })
    }).pipe(Effect.provide(Stop.layer))
  )

  it.scoped.each([
    ["a success", Effect.void],
    ["a refusal, which is a response", Effect.fail(denied)]
  ] as const)("restarts --give-up-after after %s", ([, attempt]) =>
    Effect.gen(function* () {
      const { limit } = yield* Limiter.make(options)
      yield* failEvery(limit, 50, 6)
      yield* Effect.exit(limit(attempt))
      yield* failEvery(limit, 50, 6)
      expect(yield* reason).toEqual(Option.none())
    }).pipe(Effect.provide(Stop.layer))
  )
})

import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, TestClock } from "effect"
import { AccessDenied, StoreUnavailable, type StoreError } from "../../../src/domain/Errors.ts"
import * as Retry from "../../../src/services/Requests/Retry.ts"
import { Stop } from "../../../src/services/Stop.ts"

const slowDown = (retryAfter?: Duration.Duration) =>
  new StoreUnavailable({ operation: "PutObject", detail: "SlowDown", retryable: true, retryAfter })
const denied = new AccessDenied({ operation: "PutObject", detail: "AccessDenied", retryable: false })

/** The times of the attempts, in milliseconds of the test clock. */
const attempts = (errors: (attempt: number) => StoreError | undefined, maxRetries = 8) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const retry = yield* Retry.make(maxRetries)
    const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const error = errors(times.push(now))
      return error === undefined ? Effect.succeed("done") : Effect.fail(error)
    })
    const fiber = yield* Effect.fork(Effect.exit(retry(attempt, () => Effect.void)))
    yield* TestClock.adjust("10 minutes")
    return { times, exit: yield* Fiber.join(fiber) }
  }).pipe(Effect.provide(Stop.layer))

const pauses = (times: ReadonlyArray<number>) => times.slice(1).map((time, at) => time - times[at]!)

describe("Retry", () => {
  it.effect("makes only one attempt if the attempt succeeds", () =>
    Effect.gen(function* () {
      expect((yield* attempts(() => undefined)).times).toHaveLength(1)
    })
  )

  it.effect("gives up after --max-retries, with pauses that double up to 20 s", () =>
    Effect.gen(function* () {
      const { exit, times } = yield* attempts(() => slowDown(), 9)
      expect(times).toHaveLength(10)
      expect(exit._tag).toBe("Failure")
      const longest = [200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 20_000]
      pauses(times).forEach((pause, at) => expect(pause).toBeLessThanOrEqual(longest[at]!))
    })
  )

  it.effect("spreads the pauses over their whole range", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forEach(Array.from({ length: 40 }), () =>
        Effect.map(
          attempts((attempt) => (attempt === 1 ? slowDown() : undefined)),
          ({ times }) => pauses(times)[0]!
        )
      )
      expect(Math.min(...first)).toBeLessThan(60)
      expect(Math.max(...first)).toBeGreaterThan(140)
    })
  )

  it.effect("does not retry a permanent failure", () =>
    Effect.gen(function* () {
      expect((yield* attempts(() => denied)).times).toHaveLength(1)
      expect((yield* attempts((attempt) => (attempt < 3 ? slowDown() : denied))).times).toHaveLength(3)
    })
  )

  it.effect.each([
    [Duration.millis(450), [450, 450, 450]],
    [Duration.millis(1500), [500, 1000, 1500, 1500]],
    [Duration.minutes(10), [500, 1000, 2000]]
  ] as const)(
    "waits for Retry-After, at most 0.5 s at first, and twice as long before each further retry: %s",
    ([retryAfter, least]) =>
      Effect.gen(function* () {
        const { times } = yield* attempts((nth) => (nth <= least.length ? slowDown(retryAfter) : undefined))
        const waited = pauses(times)
        // the back-off with its jitter may be longer than the shorter of these pauses
        expect(waited).toEqual(
          least.map((pause, nth) => expect.toSatisfy((ms) => ms >= pause && ms <= Math.max(pause, 200 * 2 ** nth)))
        )
      })
  )

  it.effect("ends a pause once a stop is requested", () =>
    Effect.gen(function* () {
      const stop = yield* Stop
      const retry = yield* Retry.make(8)
      let count = 0
      const attempt = Effect.suspend(() => {
        count++
        return Effect.fail(slowDown(Duration.seconds(30)))
      })
      const fiber = yield* Effect.fork(Effect.flip(retry(attempt, () => Effect.void)))
      yield* TestClock.adjust("400 millis")
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      expect((yield* Fiber.join(fiber))._tag).toBe("Interrupted")
      expect(count).toBe(1)
    }).pipe(Effect.provide(Stop.layer))
  )
})

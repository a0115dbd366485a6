import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, TestClock } from "effect"
import { AccessDenied, StoreUnavailable, type StoreError } from "../../../src/domain/Errors.ts"
import * as Retry from "../../../src/services/Requests/Retry.ts"
import { Stop } from "../../../src/services/Stop.ts"

const busy = (retryAfter?: Duration.Duration) =>
  new StoreUnavailable({ operation: "PutObject", detail: "SlowDown", retryable: true, retryAfter })
const denied = new AccessDenied({ operation: "PutObject", detail: "AccessDenied", retryable: false })

/** When the attempts of something that fails were made, in ms of the test's clock. */
const attempts = (errors: (attempt: number) => StoreError | undefined, maxRetries = 8) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const patient = yield* Retry.make(maxRetries)
    const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const error = errors(times.push(now))
      return error === undefined ? Effect.succeed("done") : Effect.fail(error)
    })
    const fiber = yield* Effect.fork(Effect.exit(patient(attempt, () => Effect.void)))
    yield* TestClock.adjust("10 minutes")
    return { times, exit: yield* Fiber.join(fiber) }
  }).pipe(Effect.provide(Stop.layer))

const pauses = (times: ReadonlyArray<number>) => times.slice(1).map((time, at) => time - times[at]!)

describe("Patience", () => {
  it.effect("asks once when the answer is good", () =>
    Effect.gen(function* () {
      expect((yield* attempts(() => undefined)).times).toHaveLength(1)
    })
  )

  it.effect("gives up after --max-retries, with pauses that may double up to 20 s", () =>
    Effect.gen(function* () {
      const { exit, times } = yield* attempts(() => busy(), 9)
      expect(times).toHaveLength(10)
      expect(exit._tag).toBe("Failure")
      const longest = [200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 20_000]
      pauses(times).forEach((pause, at) => expect(pause).toBeLessThanOrEqual(longest[at]!))
    })
  )

  it.effect("spreads the pauses over their whole length", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forEach(Array.from({ length: 40 }), () =>
        Effect.map(
          attempts((attempt) => (attempt === 1 ? busy() : undefined)),
          ({ times }) => pauses(times)[0]!
        )
      )
      expect(Math.min(...first)).toBeLessThan(60)
      expect(Math.max(...first)).toBeGreaterThan(140)
    })
  )

  it.effect("does not ask again what was refused for good", () =>
    Effect.gen(function* () {
      expect((yield* attempts(() => denied)).times).toHaveLength(1)
      expect((yield* attempts((attempt) => (attempt < 3 ? busy() : denied))).times).toHaveLength(3)
    })
  )

  it.effect("waits at least as long as the store asks for", () =>
    Effect.gen(function* () {
      const { times } = yield* attempts((attempt) => (attempt === 1 ? busy(Duration.seconds(7)) : undefined))
      expect(pauses(times)).toEqual([7000])
    })
  )

  it.effect("leaves a store to the next run that wants to be left alone for long", () =>
    Effect.gen(function* () {
      expect((yield* attempts(() => busy(Duration.minutes(5)))).times).toHaveLength(1)
    })
  )

  it.effect("waits no longer when the run is to stop", () =>
    Effect.gen(function* () {
      const stop = yield* Stop
      const patient = yield* Retry.make(8)
      let made = 0
      const attempt = Effect.suspend(() => {
        made++
        return Effect.fail(busy(Duration.seconds(30)))
      })
      const fiber = yield* Effect.fork(Effect.flip(patient(attempt, () => Effect.void)))
      yield* TestClock.adjust("1 second")
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      expect((yield* Fiber.join(fiber))._tag).toBe("Interrupted")
      expect(made).toBe(1)
    }).pipe(Effect.provide(Stop.layer))
  )
})

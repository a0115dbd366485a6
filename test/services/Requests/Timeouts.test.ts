import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, TestClock } from "effect"
import * as Timeouts from "../../../src/services/Requests/Timeouts.ts"

const MiB = 1024 ** 2

/** When each request times out, in seconds of the test clock. They start at these times, and have these bodies. */
const timeouts = (requests: ReadonlyArray<readonly [startSeconds: number, bodyBytes: number]>) =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    const watch = yield* Timeouts.forRequests(Duration.seconds(60))
    const ends: Array<number> = []
    let now = 0
    for (const [at, [startSeconds, bodyBytes]] of requests.entries()) {
      yield* TestClock.adjust(Duration.seconds(startSeconds - now))
      now = startSeconds
      watch(bodyBytes, () => void (ends[at] = clock.unsafeCurrentTimeMillis() / 1000))
    }
    yield* TestClock.adjust("1 hours")
    return ends
  })

describe("a request's timeout", () => {
  it.scoped.each([
    ["after the timeout if it has no body", [[0, 0]], [60]],
    ["a second later for each 8 KiB of its body", [[0, 8 * MiB]], [60 + 1024]],
    [
      "before an earlier one with a larger body",
      [
        [0, 8 * MiB],
        [10, 0],
        [100, 80 * 1024]
      ],
      [1084, 70, 170]
    ]
  ] as const)("%s", ([, requests, expected]) =>
    Effect.gen(function* () {
      expect(yield* timeouts(requests)).toEqual(expected)
    })
  )

  it.scoped("has no effect once the request has ended", () =>
    Effect.gen(function* () {
      const watch = yield* Timeouts.forRequests(Duration.seconds(60))
      let failures = 0
      const ended = watch(0, () => failures++)
      watch(0, () => failures++)
      yield* TestClock.adjust("1 seconds")
      ended()
      yield* TestClock.adjust("1 hours")
      expect(failures).toBe(1)
    })
  )
})

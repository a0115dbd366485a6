import { Duration } from "effect"
import { describe, expect, it } from "vitest"
import * as DurationText from "../../src/domain/DurationText.ts"
import * as Retries from "../../src/units/Retries.ts"

const duration = (text: string) =>
  Duration.decode(DurationText.parse(text).pipe((parsed) => (parsed._tag === "Right" ? parsed.right : 0)))

const rows: ReadonlyArray<
  [
    giveUpAfter: string,
    timeout: string,
    grace: string,
    lockWait: string,
    deadline: string | undefined,
    attempts: 1 | 2 | 3
  ]
> = [
  ["5m", "60s", "20s", "0s", undefined, 3],
  ["12m", "60s", "20s", "0s", undefined, 3],
  ["13m", "60s", "20s", "0s", undefined, 2],
  ["5m", "9m", "20s", "0s", undefined, 2],
  ["5m", "60s", "8m", "0s", undefined, 2],
  ["5m", "60s", "20s", "8m", undefined, 2],
  ["20m", "60s", "20s", "0s", undefined, 2],
  ["21m", "60s", "20s", "0s", undefined, 1],
  ["2h", "60s", "20s", "0s", undefined, 1],
  ["5m", "60s", "20s", "0s", "14m", 3],
  ["5m", "60s", "20s", "0s", "15m", 2],
  ["5m", "60s", "20s", "0s", "30m", 1],
  ["2h", "60s", "20s", "0s", "5m", 3]
]

describe("the number of attempts", () => {
  it.each(rows)(
    "given --give-up-after %s, --timeout %s, --grace %s, --lock-wait %s, --deadline %s, is %i",
    (giveUpAfter, timeout, grace, lockWait, deadline, attempts) => {
      const limits = {
        giveUpAfter: duration(giveUpAfter),
        timeout: duration(timeout),
        grace: duration(grace),
        lockWait: duration(lockWait),
        deadline: deadline === undefined ? undefined : duration(deadline)
      }
      expect(Retries.attempts(limits)).toBe(attempts)
    }
  )

  it("is limited by a window that is shorter than the timer's hour", () => {
    expect(Duration.toMinutes(Retries.window)).toBeLessThanOrEqual(55)
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as RunInterval from "../../src/domain/RunInterval.ts"

const hour = 3_600_000
/** Starts of runs, latest first, from the hours between them. */
const starts = (...intervals: ReadonlyArray<number>) => {
  const all = [1e12]
  for (const interval of intervals) all.push(all.at(-1)! - interval * hour)
  return all
}

describe("the expected interval", () => {
  it.each([
    ["an hour before there are three intervals", starts(168), 1],
    ["an hour after two long pauses", starts(168, 48), 1],
    ["the median of three intervals", starts(2, 6, 4), 4],
    ["unaffected by one long pause", starts(168, 1, 1, 1, 1), 1],
    ["the lower of the two middle intervals", starts(1, 1, 6, 6), 1],
    ["the median of only the latest five intervals", starts(6, 6, 6, 1, 1, 1, 1, 1), 6],
    ["at least an hour", starts(0.1, 0.1, 0.1), 1],
    ["at most a day", starts(48, 48, 48), 24]
  ] as const)("is %s", (_, runs, hours) => {
    expect(RunInterval.expected(runs)).toBe(hours * hour)
  })
})

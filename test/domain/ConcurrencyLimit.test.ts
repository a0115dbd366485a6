import { describe, expect, it } from "@effect/vitest"
import * as ConcurrencyLimit from "../../src/domain/ConcurrencyLimit.ts"

const range: ConcurrencyLimit.Range = { initial: 4, max: 20, unitBytes: 1000 }

/** With `perMillis` successes in a millisecond, whatever is in flight; or else with all that is in flight in 60. */
const after = (successes: number, from: ConcurrencyLimit.ConcurrencyLimit, perMillis?: number, busy = false) => {
  let now = from
  let atMillis = 0
  for (let done = 1; done <= successes; done++) {
    atMillis += 1 / (perMillis ?? ConcurrencyLimit.maxInFlight(now) / 60)
    now = ConcurrencyLimit.afterSuccess(now, range, { atMillis, weight: 1, isBusy: () => busy })
  }
  return now
}

const cutOnce = (limit: number, cuts: number): ConcurrencyLimit.ConcurrencyLimit => ({ limit, cuts, round: undefined })

describe("Concurrency", () => {
  it.each([
    ["ended well, after a cut", cutOnce(4, 1), (now) => after(1, now), 4.25, 1],
    ["ended well, having doubled in vain", cutOnce(8, 0), (now) => after(1, now), 8, 0],
    ["ended well at the ceiling", cutOnce(20, 1), (now) => after(1, now), 20, 1],
    ["met an overload", cutOnce(9, 0), (now) => ConcurrencyLimit.afterOverload(now, 0), 4.5, 1],
    ["met an overload, begun after the last cut", cutOnce(8, 2), (now) => ConcurrencyLimit.afterOverload(now, 2), 4, 3],
    [
      "met an overload, begun before the last cut",
      cutOnce(8, 2),
      (now) => ConcurrencyLimit.afterOverload(now, 1),
      8,
      2
    ],
    ["met an overload, being alone", cutOnce(1, 5), (now) => ConcurrencyLimit.afterOverload(now, 5), 1, 6]
  ] satisfies ReadonlyArray<
    readonly [
      string,
      ConcurrencyLimit.ConcurrencyLimit,
      (now: ConcurrencyLimit.ConcurrencyLimit) => ConcurrencyLimit.ConcurrencyLimit,
      number,
      number
    ]
  >)("after a request that %s", (_, before, step, limit, cuts) => {
    expect(step(before)).toMatchObject({ limit, cuts })
  })

  it("doubles with every round at first", () => {
    const begun = ConcurrencyLimit.start(range, 0)
    expect(ConcurrencyLimit.maxInFlight(after(4, begun))).toBe(8)
    expect(ConcurrencyLimit.maxInFlight(after(4 + 8, begun))).toBe(16)
    expect(ConcurrencyLimit.maxInFlight(after(4 + 8 + 16, begun))).toBe(20)
    expect(ConcurrencyLimit.maxInFlight(after(1000, begun))).toBe(20)
  })

  it("goes back to what was enough when a round brings no more than the one before, and stays there", () => {
    const begun = ConcurrencyLimit.start(range, 0)
    expect(ConcurrencyLimit.maxInFlight(after(4 + 7, begun, 2))).toBe(8)
    expect(ConcurrencyLimit.maxInFlight(after(4 + 8, begun, 2))).toBe(4)
    expect(ConcurrencyLimit.maxInFlight(after(1000, begun, 2))).toBe(4)
  })

  it("does not double while this program is busy itself", () => {
    const begun = ConcurrencyLimit.start(range, 0)
    // but for the first round, in which it always is
    const busy = after(100, begun, undefined, true)
    expect(ConcurrencyLimit.maxInFlight(busy)).toBe(8)
    expect(ConcurrencyLimit.maxInFlight(after(8, busy, 1))).toBe(16)
  })

  it("does not double any more after a cut", () => {
    const cut = ConcurrencyLimit.afterOverload(after(4, ConcurrencyLimit.start(range, 0)), 0)
    expect(ConcurrencyLimit.maxInFlight(cut)).toBe(4)
    expect(ConcurrencyLimit.maxInFlight(after(5, cut))).toBe(5)
    expect(ConcurrencyLimit.maxInFlight(after(10, cut))).toBe(6)
  })

  it("of a fixed number stays at it", () => {
    const fixed = ConcurrencyLimit.start(ConcurrencyLimit.upTo(7), 0)
    expect(ConcurrencyLimit.maxInFlight(fixed)).toBe(7)
    expect(ConcurrencyLimit.maxInFlight(after(100, fixed))).toBe(7)
  })

  it.each([
    [0, 1],
    [999, 1],
    [1000, 2],
    [10_500, 11]
  ])("counts a request with a body of %d bytes as %d", (bytes, weight) => {
    expect(ConcurrencyLimit.weight(range, bytes)).toBe(weight)
    expect(ConcurrencyLimit.weight(ConcurrencyLimit.upTo(3), bytes)).toBe(1)
  })

  it.each([
    [1, 1, 1],
    [8, 8, 1],
    [16, 12, 2],
    [64, 12, 8],
    [512, 12, 64]
  ])("with up to %d requests has %d bundles of %d files in hand", (most, count, size) => {
    expect(ConcurrencyLimit.batches({ ...range, max: most })).toEqual({ count, size })
  })
})

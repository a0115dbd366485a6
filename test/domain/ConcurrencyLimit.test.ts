import { describe, expect, it } from "@effect/vitest"
import * as ConcurrencyLimit from "../../src/domain/ConcurrencyLimit.ts"

const range: ConcurrencyLimit.Range = { initial: 4, max: 20, unitBytes: 1000 }

/** The limit after a number of successes, of which `perMillis` arrive per millisecond; by default, `limit` in 60 ms. */
const after = (successes: number, from: ConcurrencyLimit.ConcurrencyLimit, perMillis?: number, busy = false) => {
  let now = from
  let atMillis = 0
  for (let completed = 1; completed <= successes; completed++) {
    atMillis += 1 / (perMillis ?? ConcurrencyLimit.maxInFlight(now) / 60)
    now = ConcurrencyLimit.afterSuccess(now, range, { atMillis, weight: 1, isBusy: () => busy })
  }
  return now
}

const steady = (limit: number, cuts: number): ConcurrencyLimit.ConcurrencyLimit => ({ limit, cuts, round: undefined })

describe("ConcurrencyLimit", () => {
  it.each([
    ["succeeds after a cut", steady(4, 1), (now) => after(1, now), 4.25, 1],
    ["succeeds after a doubling that did not raise the rate", steady(8, 0), (now) => after(1, now), 8, 0],
    ["succeeds at the maximum", steady(20, 1), (now) => after(1, now), 20, 1],
    ["hits an overload", steady(9, 0), (now) => ConcurrencyLimit.afterOverload(now, 0), 4.5, 1],
    [
      "hits an overload, started after the last cut",
      steady(8, 2),
      (now) => ConcurrencyLimit.afterOverload(now, 2),
      4,
      3
    ],
    [
      "hits an overload, started before the last cut",
      steady(8, 2),
      (now) => ConcurrencyLimit.afterOverload(now, 1),
      8,
      2
    ],
    [
      "hits an overload while it is the only request",
      steady(1, 5),
      (now) => ConcurrencyLimit.afterOverload(now, 5),
      1,
      6
    ]
  ] satisfies ReadonlyArray<
    readonly [
      string,
      ConcurrencyLimit.ConcurrencyLimit,
      (now: ConcurrencyLimit.ConcurrencyLimit) => ConcurrencyLimit.ConcurrencyLimit,
      number,
      number
    ]
  >)("updates the limit after a request that %s", (_, before, step, limit, cuts) => {
    expect(step(before)).toMatchObject({ limit, cuts })
  })

  it("doubles the limit with every round at first", () => {
    const initial = ConcurrencyLimit.start(range, 0)
    expect(ConcurrencyLimit.maxInFlight(after(4, initial))).toBe(8)
    expect(ConcurrencyLimit.maxInFlight(after(4 + 8, initial))).toBe(16)
    expect(ConcurrencyLimit.maxInFlight(after(4 + 8 + 16, initial))).toBe(20)
    expect(ConcurrencyLimit.maxInFlight(after(1000, initial))).toBe(20)
  })

  it("returns to the previous limit, and keeps it, when a round is no faster than the previous round", () => {
    const initial = ConcurrencyLimit.start(range, 0)
    expect(ConcurrencyLimit.maxInFlight(after(4 + 7, initial, 2))).toBe(8)
    expect(ConcurrencyLimit.maxInFlight(after(4 + 8, initial, 2))).toBe(4)
    expect(ConcurrencyLimit.maxInFlight(after(1000, initial, 2))).toBe(4)
  })

  it("does not double the limit while the program itself is busy", () => {
    const initial = ConcurrencyLimit.start(range, 0)
    // the first round does not count, because the program is always busy in it
    const busy = after(100, initial, undefined, true)
    expect(ConcurrencyLimit.maxInFlight(busy)).toBe(8)
    expect(ConcurrencyLimit.maxInFlight(after(8, busy, 1))).toBe(16)
  })

  it("raises the limit by one per round after a cut", () => {
    const cut = ConcurrencyLimit.afterOverload(after(4, ConcurrencyLimit.start(range, 0)), 0)
    expect(ConcurrencyLimit.maxInFlight(cut)).toBe(4)
    expect(ConcurrencyLimit.maxInFlight(after(5, cut))).toBe(5)
    expect(ConcurrencyLimit.maxInFlight(after(10, cut))).toBe(6)
  })

  it("keeps a fixed limit", () => {
    const fixed = ConcurrencyLimit.start(ConcurrencyLimit.upTo(7), 0)
    expect(ConcurrencyLimit.maxInFlight(fixed)).toBe(7)
    expect(ConcurrencyLimit.maxInFlight(after(100, fixed))).toBe(7)
  })

  it.each([
    [0, 1],
    [999, 1],
    [1000, 2],
    [10_500, 11]
  ])("weighs a request with a body of %d bytes as %d", (bytes, weight) => {
    expect(ConcurrencyLimit.weight(range, bytes)).toBe(weight)
    expect(ConcurrencyLimit.weight(ConcurrencyLimit.upTo(3), bytes)).toBe(1)
  })

  it.each([
    [1000, 128, 512],
    [200, 128, 200],
    [14, 14, 14]
  ])("with at most %d requests at once, starts with %d of %d", (count, initial, max) => {
    const { unitBytes } = ConcurrencyLimit.auto
    expect(ConcurrencyLimit.atMost(ConcurrencyLimit.auto, count)).toEqual({ initial, max, unitBytes })
  })

  it.each([
    [1, 1, 1],
    [8, 8, 1],
    [16, 12, 2],
    [64, 12, 8],
    [512, 12, 64]
  ])("given up to %d requests, allows %d batches of %d files", (most, count, size) => {
    expect(ConcurrencyLimit.batches({ ...range, max: most })).toEqual({ count, size })
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as Concurrency from "../../src/domain/Concurrency.ts"

const range: Concurrency.Range = { initial: 4, most: 20, unitBytes: 1000 }

/** With `perMillis` successes in a millisecond, whatever is in flight; or else with all that is in flight in 60. */
const after = (successes: number, from: Concurrency.Concurrency, perMillis?: number, busy = false) => {
  let now = from
  let atMillis = 0
  for (let done = 1; done <= successes; done++) {
    atMillis += 1 / (perMillis ?? Concurrency.requests(now) / 60)
    now = Concurrency.grown(now, range, { atMillis, weight: 1, isBusy: () => busy })
  }
  return now
}

const cutOnce = (limit: number, cuts: number): Concurrency.Concurrency => ({ limit, cuts, round: undefined })

describe("Concurrency", () => {
  it.each([
    ["ended well, after a cut", cutOnce(4, 1), (now) => after(1, now), 4.25, 1],
    ["ended well, having doubled in vain", cutOnce(8, 0), (now) => after(1, now), 8, 0],
    ["ended well at the ceiling", cutOnce(20, 1), (now) => after(1, now), 20, 1],
    ["met an overload", cutOnce(9, 0), (now) => Concurrency.cut(now, 0), 4.5, 1],
    ["met an overload, begun after the last cut", cutOnce(8, 2), (now) => Concurrency.cut(now, 2), 4, 3],
    ["met an overload, begun before the last cut", cutOnce(8, 2), (now) => Concurrency.cut(now, 1), 8, 2],
    ["met an overload, being alone", cutOnce(1, 5), (now) => Concurrency.cut(now, 5), 1, 6]
  ] satisfies ReadonlyArray<
    readonly [
      string,
      Concurrency.Concurrency,
      (now: Concurrency.Concurrency) => Concurrency.Concurrency,
      number,
      number
    ]
  >)("after a request that %s", (_, before, step, limit, cuts) => {
    expect(step(before)).toMatchObject({ limit, cuts })
  })

  it("doubles with every round at first", () => {
    const begun = Concurrency.begin(range, 0)
    expect(Concurrency.requests(after(4, begun))).toBe(8)
    expect(Concurrency.requests(after(4 + 8, begun))).toBe(16)
    expect(Concurrency.requests(after(4 + 8 + 16, begun))).toBe(20)
    expect(Concurrency.requests(after(1000, begun))).toBe(20)
  })

  it("goes back to what was enough when a round brings no more than the one before, and stays there", () => {
    const begun = Concurrency.begin(range, 0)
    expect(Concurrency.requests(after(4 + 7, begun, 2))).toBe(8)
    expect(Concurrency.requests(after(4 + 8, begun, 2))).toBe(4)
    expect(Concurrency.requests(after(1000, begun, 2))).toBe(4)
  })

  it("does not double while this program is busy itself", () => {
    const begun = Concurrency.begin(range, 0)
    // but for the first round, in which it always is
    const busy = after(100, begun, undefined, true)
    expect(Concurrency.requests(busy)).toBe(8)
    expect(Concurrency.requests(after(8, busy, 1))).toBe(16)
  })

  it("does not double any more after a cut", () => {
    const cut = Concurrency.cut(after(4, Concurrency.begin(range, 0)), 0)
    expect(Concurrency.requests(cut)).toBe(4)
    expect(Concurrency.requests(after(5, cut))).toBe(5)
    expect(Concurrency.requests(after(10, cut))).toBe(6)
  })

  it("of a fixed number stays at it", () => {
    const fixed = Concurrency.begin(Concurrency.upTo(7), 0)
    expect(Concurrency.requests(fixed)).toBe(7)
    expect(Concurrency.requests(after(100, fixed))).toBe(7)
  })

  it.each([
    [0, 1],
    [999, 1],
    [1000, 2],
    [10_500, 11]
  ])("counts a request with a body of %d bytes as %d", (bytes, weight) => {
    expect(Concurrency.weight(range, bytes)).toBe(weight)
    expect(Concurrency.weight(Concurrency.upTo(3), bytes)).toBe(1)
  })

  it.each([
    [1, 1, 1],
    [8, 8, 1],
    [16, 12, 2],
    [64, 12, 8],
    [512, 12, 64]
  ])("with up to %d requests has %d bundles of %d files in hand", (most, count, size) => {
    expect(Concurrency.bundles({ ...range, most })).toEqual({ count, size })
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as Concurrency from "../../src/domain/Concurrency.ts"

const range = { initial: 4, most: 20 }

const afterSuccesses = (count: number, from: Concurrency.Concurrency) =>
  Array.from({ length: count }).reduce<Concurrency.Concurrency>((now) => Concurrency.grown(now, range), from)

describe("Concurrency", () => {
  it.each([
    ["ended well, and it was never cut", { limit: 4, cuts: 0 }, (now) => Concurrency.grown(now, range), 5, 0],
    ["ended well at the ceiling", { limit: 20, cuts: 0 }, (now) => Concurrency.grown(now, range), 20, 0],
    ["ended well, after a cut", { limit: 4, cuts: 1 }, (now) => Concurrency.grown(now, range), 4.25, 1],
    ["met an overload", { limit: 9, cuts: 0 }, (now) => Concurrency.cut(now, 0), 4.5, 1],
    ["met an overload, begun after the last cut", { limit: 8, cuts: 2 }, (now) => Concurrency.cut(now, 2), 4, 3],
    ["met an overload, begun before the last cut", { limit: 8, cuts: 2 }, (now) => Concurrency.cut(now, 1), 8, 2],
    ["met an overload, being alone", { limit: 1, cuts: 5 }, (now) => Concurrency.cut(now, 5), 1, 6]
  ] satisfies ReadonlyArray<
    readonly [
      string,
      Concurrency.Concurrency,
      (now: Concurrency.Concurrency) => Concurrency.Concurrency,
      number,
      number
    ]
  >)("after a request that %s", (_, before, step, limit, cuts) => {
    expect(step(before)).toEqual({ limit, cuts })
  })

  it("doubles with every round at first", () => {
    expect(Concurrency.requests(afterSuccesses(4, Concurrency.begin(range)))).toBe(8)
  })

  it("grows by one with every round after a cut", () => {
    const cut = Concurrency.cut({ limit: 16, cuts: 0 }, 0)
    expect(Concurrency.requests(cut)).toBe(8)
    expect(Concurrency.requests(afterSuccesses(9, cut))).toBe(9)
    expect(Concurrency.requests(afterSuccesses(18, cut))).toBe(10)
  })

  it("of a fixed number begins with it", () => {
    expect(Concurrency.requests(Concurrency.begin(Concurrency.upTo(7)))).toBe(7)
  })
})

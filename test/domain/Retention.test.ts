import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import * as Retention from "../../src/domain/Retention.ts"

const hours = (count: number) => count * 3_600_000
const minutes = (count: number) => count * 60_000

describe("Retention.observe", () => {
  it("bounds the retention from below by the oldest file, and from above by the latest deleted file", () => {
    expect(Retention.observe(hours(30.5), hours(7), hours(6))).toEqual({ least: hours(23.5), most: hours(24.5) })
  })

  it("has no upper bound without a deleted file", () => {
    expect(Retention.observe(hours(3), hours(1), undefined)).toEqual({ least: hours(2), most: undefined })
  })
})

describe("Retention.merge", () => {
  it.each([
    ["takes the first observation", undefined, [1, 5], [1, 5]],
    ["narrows the bounds", [1, 5], [2, 4], [2, 4]],
    ["keeps narrower bounds", [2, 4], [1, 5], [2, 4]],
    ["keeps a known upper bound", [1, 5], [2, undefined], [2, 5]],
    ["learns an upper bound", [1, undefined], [2, 4], [2, 4]],
    ["replaces what a later observation contradicts: files are kept longer", [1, 3], [4, undefined], [4, undefined]],
    ["replaces what a later observation contradicts: files are kept shorter", [5, 7], [1, 2], [1, 2]]
  ] as const)("%s", (_, known, seen, merged) => {
    const bounds = ([least, most]: readonly [number, number | undefined]) => ({ least, most })
    expect(Retention.merge(known && bounds(known), bounds(seen))).toEqual(bounds(merged))
  })
})

describe("Retention.estimate", () => {
  it.each([
    ["24 h if nothing is known", undefined, 24],
    ["24 h if no file is older than 24 h", { least: hours(20), most: undefined }, 24],
    ["24 h if the bounds contain it", { least: hours(23.5), most: hours(24.5) }, 24],
    ["unknown if files are kept longer, and none has been deleted", { least: hours(25), most: undefined }, undefined],
    ["the whole hour between the bounds: 1 h", { least: minutes(5), most: minutes(65) }, 1],
    ["the whole hour between the bounds: 7 days", { least: hours(167.2), most: hours(168.2) }, 168],
    ["the lower bound if no whole hour lies between the bounds", { least: hours(1.2), most: hours(1.9) }, 1.2]
  ] as const)("is %s", (_, bounds, expected) => {
    expect(Retention.estimate(undefined, bounds)).toBe(expected === undefined ? undefined : hours(expected))
  })

  it("is --retention if the flag is given", () => {
    const given = Duration.hours(2)
    expect(Retention.estimate(given, { least: hours(5), most: hours(6) })).toBe(hours(2))
  })
})

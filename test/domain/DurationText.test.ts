import { describe, expect, it } from "@effect/vitest"
import { Duration, Either } from "effect"
import * as DurationText from "../../src/domain/DurationText.ts"

const millisOf = Either.map(Duration.toMillis)

describe("DurationText.parse", () => {
  it.each([
    ["0s", 0],
    ["500ms", 500],
    ["90s", 90_000],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["1h", 3_600_000],
    ["2d", 172_800_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["1m1ms", 60_001],
    ["30m1h", 5_400_000]
  ])("reads %j as %d ms", (text, millis) => {
    expect(millisOf(DurationText.parse(text))).toEqual(Either.right(millis))
  })

  it.each([
    ["an empty string", ""],
    ["a number without a unit", "90"],
    ["a unit without a number", "s"],
    ["a number without a unit at the end", "1h30"],
    ["an unknown unit", "5w"],
    ["capital letters", "5M"],
    ["a fraction", "1.5h"],
    ["a negative duration", "-5s"],
    ["spaces", "1h 30m"],
    ["a line break at the end", "5s\n"],
    ["ten digits", "1000000000s"]
  ])("refuses %s", (_, text) => {
    expect(DurationText.parse(text)).toEqual(Either.left("a duration such as 500ms, 90s, 5m or 1h30m"))
  })
})

describe("DurationText.positive", () => {
  it("reads a duration above zero", () => {
    expect(millisOf(DurationText.positive("1ms"))).toEqual(Either.right(1))
  })

  it.each(["0s", "0ms", "0h0m"])("refuses %j", (text) => {
    expect(DurationText.positive(text)).toEqual(Either.left("a duration above zero"))
  })

  it("shows the format when the text is not a duration", () => {
    expect(DurationText.positive("soon")).toEqual(Either.left("a duration such as 500ms, 90s, 5m or 1h30m"))
  })
})

describe("DurationText.format", () => {
  it.each([
    [0, "0.0 s"],
    [49, "0.0 s"],
    [800, "0.8 s"],
    [59_900, "59.9 s"],
    [59_949, "59.9 s"],
    [59_950, "1 min 0 s"],
    [60_000, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [3_599_400, "59 min 59 s"],
    [3_599_500, "1 h 0 min"],
    [3_840_000, "1 h 4 min"],
    [90_000_000, "25 h 0 min"]
  ])("shows %d ms as %s", (millis, text) => {
    expect(DurationText.format(Duration.millis(millis))).toBe(text)
  })
})

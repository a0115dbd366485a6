import { describe, expect, it } from "vitest"
import * as AgeText from "../../src/report/AgeText.ts"

describe("an age", () => {
  it.each([
    [0, "0 s ago"],
    [59, "59 s ago"],
    [119, "119 s ago"],
    [120, "2 min ago"],
    [7199, "119 min ago"],
    [7200, "2 h ago"],
    [172_799, "47 h ago"],
    [172_800, "2 d ago"],
    [-300, "in 5 min"]
  ])("of %i s is '%s'", (seconds, expected) => {
    const now = Date.parse("2026-11-24T15:00:00Z")
    expect(AgeText.of(new Date(now - seconds * 1000).toISOString(), now)).toBe(expected)
  })
})

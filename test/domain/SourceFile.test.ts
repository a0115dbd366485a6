import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { oldestFirst } from "../../src/domain/SourceFile.ts"

describe("SourceFile.oldestFirst", () => {
  it("sorts the collector's files by time, with older forms of the name first", () => {
    const names = [
      "snapshot_2026112215.jsonl",
      "snapshot_1700000000.jsonl",
      "snapshot_2026112301.jsonl",
      "snapshot_2025123123.jsonl",
      "snapshot_1699999999.jsonl"
    ]
    expect(names.sort(oldestFirst)).toEqual([
      "snapshot_1699999999.jsonl",
      "snapshot_1700000000.jsonl",
      "snapshot_2025123123.jsonl",
      "snapshot_2026112215.jsonl",
      "snapshot_2026112301.jsonl"
    ])
  })

  it.each([
    ["snapshot_1700000000.jsonl", "snapshot_2026112215.jsonl", -1],
    ["snapshot_2026112215.jsonl", "snapshot_1700000000.jsonl", 1],
    ["a", "a", 0],
    ["B", "a", -1],
    ["a", "a.jsonl", -1],
    ["z", "ä", -1]
  ])("compares %j with %j by code unit, not by language: %d", (a, b, order) => {
    expect(oldestFirst(a, b)).toBe(order)
  })

  it.prop("does not depend on the initial order", [FastCheck.array(FastCheck.string())], ([names]) => {
    expect([...names].reverse().sort(oldestFirst)).toEqual([...names].sort())
  })
})

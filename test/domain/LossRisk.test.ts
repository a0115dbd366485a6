import { describe, expect, it } from "@effect/vitest"
import { LossRisk, of } from "../../src/domain/LossRisk.ts"

const snapshot = "d/snapshot_2026112214.jsonl"
const rotatedAt = Date.UTC(2026, 10, 23, 14)

describe("the fate of a file", () => {
  it.each([
    ["there, pending, rotated away later", snapshot, true, true, rotatedAt - 1, LossRisk.Waits()],
    ["there, pending, rotated away by then", snapshot, true, true, rotatedAt, LossRisk.AtRisk({ rotatedAt })],
    ["there, stored while it was live, rotated away later", snapshot, false, true, rotatedAt - 1, LossRisk.Waits()],
    [
      "there, stored while it was live, rotated away by then",
      snapshot,
      false,
      true,
      rotatedAt,
      LossRisk.AtRisk({ rotatedAt })
    ],
    ["there, pending, of another name", "status.jsonl", true, true, Infinity, LossRisk.Waits()],
    ["gone, pending", snapshot, true, false, 0, LossRisk.Gone({ lost: true })],
    ["gone, pending, of another name", "status.jsonl", true, false, 0, LossRisk.Gone({ lost: true })],
    ["gone, stored while it was live", snapshot, false, false, 0, LossRisk.Gone({ lost: true })],
    ["gone, all of it stored, of another name", "status.jsonl", false, false, 0, LossRisk.Gone({ lost: false })]
  ])("that is %s", (_, path, pending, isThere, nextRunAt, expected) => {
    expect(of({ path, pending }, isThere, nextRunAt)).toEqual(expected)
  })
})

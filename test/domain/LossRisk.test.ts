import { describe, expect, it } from "@effect/vitest"
import { LossRisk, of } from "../../src/domain/LossRisk.ts"

const snapshot = "d/snapshot_2026112214.jsonl"
const rotatedAt = Date.UTC(2026, 10, 23, 14)
const waits = LossRisk.Waits()
const atRisk = LossRisk.AtRisk({ rotatedAt })
const lost = LossRisk.Gone({ lost: true })

describe("the risk of a file", () => {
  it.each([
    ["exists, is pending, and is rotated away later", waits, snapshot, true, true, rotatedAt - 1],
    ["exists, is pending, and is rotated away by then", atRisk, snapshot, true, true, rotatedAt],
    ["exists, was stored while live, and is rotated away later", waits, snapshot, false, true, rotatedAt - 1],
    ["exists, was stored while live, and is rotated away by then", atRisk, snapshot, false, true, rotatedAt],
    ["exists, is pending, and is no snapshot", waits, "status.jsonl", true, true, Infinity],
    ["is gone and was pending", lost, snapshot, true, false, 0],
    ["is gone, was pending, and is no snapshot", lost, "status.jsonl", true, false, 0],
    ["is gone and was stored while live", lost, snapshot, false, false, 0],
    ["is gone, was stored, and is no snapshot", LossRisk.Gone({ lost: false }), "status.jsonl", false, false, 0]
  ] as const)("that %s is %j", (_, risk, path, pending, exists, nextRunAt) => {
    expect(of({ path, pending }, exists, nextRunAt)).toEqual(risk)
  })
})

import { describe, expect, it } from "@effect/vitest"
import { hint, LossRisk, of, type Surroundings } from "../../src/domain/LossRisk.ts"

const hour = 3_600_000
const start = Date.UTC(2026, 10, 22, 14)
const retention = 24 * hour
const rotatedAt = start + retention
const snapshot = { path: "ibsr-20261122-141500Z/snapshot_2026112214.jsonl", pending: true, acknowledgedAt: undefined }
const status = { path: "ibsr-20261122-141500Z/status.jsonl", pending: true, acknowledgedAt: undefined }

const surroundings: Surroundings = {
  exists: true,
  isAppendOnly: true,
  isRotated: true,
  hasLaterSnapshot: false,
  retention,
  now: rotatedAt - hour / 2,
  nextRunAt: rotatedAt + hour / 2
}

describe("the risk of an existing file", () => {
  const [waits, atRisk] = [LossRisk.Waits(), LossRisk.AtRisk({ rotatedAt })]
  it.each([
    ["is rotated away before the next run", atRisk, snapshot, {}],
    ["is rotated away at the moment of the next run", atRisk, snapshot, { nextRunAt: rotatedAt }],
    ["is rotated away after the next run", waits, snapshot, { nextRunAt: rotatedAt - 1 }],
    ["should have been rotated away already", waits, snapshot, { now: rotatedAt }],
    ["lies in a directory that nobody rotates", waits, snapshot, { isRotated: false }],
    ["is kept for an unknown time", waits, snapshot, { retention: undefined }],
    ["is live and will get more lines", atRisk, { ...snapshot, pending: false, acknowledgedAt: start }, {}],
    ["is not a snapshot", waits, status, {}]
  ] as const)("if it %s, is %j", (_, risk, file, more) => {
    expect(of(file, { ...surroundings, ...more })).toEqual(risk)
  })
})

describe("the risk of a deleted file", () => {
  const stored = (acknowledgedAt: number) => ({ ...snapshot, pending: false, acknowledgedAt })
  const [lost, endNotSeen, gone] = [LossRisk.Lost(), LossRisk.EndNotSeen(), LossRisk.Gone()]
  it.each([
    ["was pending", lost, snapshot, {}],
    ["was pending and is not a snapshot", lost, status, {}],
    ["was pending and is not append-only", gone, { ...status, path: "packets.pcap" }, { isAppendOnly: false }],
    ["was stored within its hour, and later snapshots followed", lost, stored(start + 1), { hasLaterSnapshot: true }],
    ["was stored within its hour, and no later snapshot followed", endNotSeen, stored(start + 1), {}],
    ["was stored after its hour", endNotSeen, stored(start + hour), { hasLaterSnapshot: true }],
    ["was stored and is not a snapshot", gone, { ...status, pending: false, acknowledgedAt: start }, {}]
  ] as const)("if it %s, is %j", (_, risk, file, more) => {
    expect(of(file, { ...surroundings, ...more, exists: false })).toEqual(risk)
  })
})

describe("the hint after a loss", () => {
  it("names the interval between runs and the flag of the collector to raise", () => {
    expect(hint(hour, hour)).toBe(
      "run ibsr-export more often than every 1 h, or raise --max-age of the collector, which keeps a snapshot for 1 h"
    )
    expect(hint(2 * hour, undefined)).toBe(
      "run ibsr-export more often than every 2 h, or raise --max-age of the collector"
    )
  })
})

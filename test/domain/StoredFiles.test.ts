import { describe, expect, it } from "vitest"
import * as StoredFiles from "../../src/domain/StoredFiles.ts"

describe("StoredFiles.combine", () => {
  it.each<[standings: ReadonlyArray<StoredFiles.Standing>, combined: StoredFiles.Standing]>([
    [[], "unknown"],
    [["stored"], "stored"],
    [["stored", "stored"], "stored"],
    [["stored", "waiting"], "waiting"],
    [["changed", "stored"], "changed"],
    [["live", "unknown"], "live"]
  ])("given a file's standings %j in several targets, returns %s", (standings, combined) => {
    expect(StoredFiles.combine(standings)).toBe(combined)
  })
})

describe("a run directory", () => {
  const now = Date.UTC(2026, 10, 22, 15)
  const minutesAgo = (minutes: number) => now - minutes * 60_000

  it.each<[title: string, content: StoredFiles.Content, isWhole: boolean]>([
    ["without files", { files: 0, stored: 0, changedAt: 0, isNewest: false }, false],
    ["with a file that is not stored", { files: 3, stored: 2, changedAt: 0, isNewest: false }, false],
    ["that was just written", { files: 3, stored: 3, changedAt: minutesAgo(1), isNewest: true }, false],
    [
      "that was written less than an hour ago",
      { files: 3, stored: 3, changedAt: minutesAgo(59), isNewest: true },
      false
    ],
    ["that changes in the future", { files: 3, stored: 3, changedAt: minutesAgo(-90), isNewest: true }, false],
    ["whose collector has stopped", { files: 3, stored: 3, changedAt: minutesAgo(60), isNewest: true }, true],
    ["that was replaced by a newer one", { files: 3, stored: 3, changedAt: minutesAgo(1), isNewest: false }, true]
  ])("%s (%o) may be deleted as a whole: %s", (_, content, isWhole) => {
    expect(StoredFiles.isWhole(content, now)).toBe(isWhole)
  })
})

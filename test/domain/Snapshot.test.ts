import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import { extentOf, finalAt, hasLines, hourOf, stateAt } from "../../src/domain/Snapshot.ts"

const at = (text: string) => Date.parse(text)

describe("Snapshot.hourOf", () => {
  it.each([
    ["snapshot_2026112214.jsonl", "2026-11-22T15:00:00Z"],
    ["a/b/snapshot_2026112214.jsonl", "2026-11-22T15:00:00Z"],
    ["snapshot_2026123123.jsonl", "2027-01-01T00:00:00Z"],
    ["snapshot_2028022900.jsonl", "2028-02-29T01:00:00Z"]
  ])("given %s, returns the hour that ends at %s", (name, end) => {
    expect(hourOf(name)).toEqual({ start: at(end) - 3_600_000, end: at(end) })
  })

  it.each([
    "status.jsonl",
    "snapshot_2026112214.jsonl.gz",
    "my_snapshot_2026112214.jsonl",
    "snapshot_2026113214.jsonl",
    "snapshot_2026131214.jsonl",
    "snapshot_2026022900.jsonl",
    "snapshot_2026112224.jsonl",
    "snapshot_20261122.jsonl",
    // Unix seconds, of which the second name would otherwise be read as a date in the year 1701
    "snapshot_1700000000.jsonl",
    "snapshot_1701010912.jsonl"
  ])("given %s, returns undefined", (name) => {
    expect(hourOf(name)).toBeUndefined()
  })
})

describe("Snapshot.stateAt", () => {
  const finalAfter = Duration.minutes(2)
  it.each([
    ["snapshot_2026112214.jsonl", "2026-11-22T14:59:59Z", "2026-11-22T15:01:59Z", "live"],
    ["snapshot_2026112214.jsonl", "2026-11-22T14:59:59Z", "2026-11-22T15:02:00Z", "final"],
    // the file was copied or written late, but only its name decides
    ["snapshot_2026112214.jsonl", "2026-11-22T18:00:00Z", "2026-11-22T18:00:01Z", "final"],
    ["snapshot_2026112214.jsonl", "2026-11-22T14:00:00Z", "2026-11-22T14:30:00Z", "live"],
    ["status.jsonl", "2026-11-22T14:00:00Z", "2026-11-22T14:01:59Z", "live"],
    ["status.jsonl", "2026-11-22T14:00:00Z", "2026-11-22T14:02:00Z", "final"],
    ["snapshot_1700000000.jsonl", "2026-11-22T14:00:00Z", "2026-11-22T14:00:01Z", "live"],
    // the clock was set back
    ["status.jsonl", "2026-11-22T15:00:00Z", "2026-11-22T14:00:00Z", "live"]
  ])("given %s, modified at %s, returns at %s the state %s", (relativePath, modified, now, state) => {
    expect(stateAt({ relativePath, modifiedMillis: at(modified) }, at(now), finalAfter)).toBe(state)
  })
})

describe("Snapshot.finalAt", () => {
  const finalAfter = Duration.minutes(2)
  it.each([
    ["snapshot_2026112214.jsonl", "2026-11-22T15:00:00Z", "2026-11-22T15:02:00Z"],
    ["d/snapshot_2026112214.jsonl", "2026-11-22T15:01:59Z", "2026-11-22T15:02:00Z"]
  ])("given %s, returns at %s the time %s", (path, now, final) => {
    expect(finalAt(path, at(now), finalAfter)).toBe(at(final))
  })

  it.each([
    ["whose hour is not over", "snapshot_2026112214.jsonl", "2026-11-22T14:59:59Z"],
    ["that is final", "snapshot_2026112214.jsonl", "2026-11-22T15:02:00Z"],
    ["without an hour in its name", "status.jsonl", "2026-11-22T15:01:00Z"]
  ])("given a file %s, returns undefined", (_, path, now) => {
    expect(finalAt(path, at(now), finalAfter)).toBeUndefined()
  })
})

describe("Snapshot.hasLines", () => {
  it.each([
    ["a.jsonl", true],
    ["a/b.jsonl", true],
    ["a.pcap.gz", false],
    ["a.jsonl.gz", false]
  ])("given %s, returns %s", (name, lines) => {
    expect(hasLines(name)).toBe(lines)
  })
})

describe("Snapshot.extentOf", () => {
  it.each([
    ["final", 10, undefined, { sizeBytes: 10, torn: false }],
    ["live", 10, undefined, { sizeBytes: 10, torn: false }],
    ["live", 0, undefined, { sizeBytes: 0, torn: false }],
    ["final", 10, 10, { sizeBytes: 10, torn: false }],
    ["final", 10, 7, { sizeBytes: 10, torn: true }],
    ["final", 10, 0, { sizeBytes: 10, torn: true }],
    ["final", 0, 0, { sizeBytes: 0, torn: false }],
    ["live", 10, 10, { sizeBytes: 10, torn: false }],
    ["live", 10, 7, { sizeBytes: 7, torn: false }],
    ["live", 10, 0, undefined],
    ["live", 0, 0, undefined]
  ] as const)(
    "given a %s file of %s bytes, %s of them in complete lines, returns %o",
    (state, fileBytes, lineBytes, extent) => {
      expect(extentOf(state, fileBytes, lineBytes)).toEqual(extent)
    }
  )
})

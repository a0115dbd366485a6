import { describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Status from "../../src/report/Status.ts"

const run = { id: "r", startedAt: "2026-11-24T15:00:02.838Z", endedAt: "2026-11-24T15:00:03.100Z", exitCode: 32 }
const target: Status.Status["targets"][number] = {
  bucket: "b",
  prefix: "ibsr/h",
  endpoint: null,
  region: null,
  input: "/in",
  mostRecent: true,
  lastRun: run,
  lastSuccess: null,
  stored: 1,
  storedBytes: 1_200_000,
  waiting: 2,
  oldestWaiting: { file: "a\n.jsonl", since: "2026-11-24T14:00:02.838Z" },
  lost: 1,
  lostFiles: ["l.jsonl"]
}
const status = (...targets: ReadonlyArray<typeof target>): Status.Status => ({
  schemaVersion: 1,
  ledger: "/state/ledger.db",
  targets
})

describe("the status", () => {
  it("shows the last runs and the files of each target", () => {
    expect(Status.render(status(target))).toEqual([
      "s3://b/ibsr/h",
      "  input         /in",
      "  last run      2026-11-24T15:00:02.838Z, exit 32 (unavailable)",
      "  last success  none",
      "  stored        1 file (1.2 MB)",
      "  waiting       2 files, the oldest since 2026-11-24T14:00:02.838Z: a\\n.jsonl",
      "  lost          1 file",
      "    l.jsonl"
    ])
  })

  it("shows an unfinished run, a store other than AWS, and a ledger without runs", () => {
    const running = { ...target, endpoint: "http://m:9000/", lastRun: { ...run, endedAt: null, exitCode: null } }
    const lines = Status.render(status(target, running))
    expect(lines[8]).toBe("s3://b/ibsr/h at http://m:9000")
    expect(lines[10]).toBe(
      "  last run      2026-11-24T15:00:02.838Z, not ended: still running, killed, or unable to write to the ledger"
    )
    expect(Status.render(status())).toEqual(["no run has used this ledger yet"])
  })

  it.each([
    [undefined, undefined, ["b/ibsr/h", "c/ibsr/h", "b/q"]],
    ["b", undefined, ["b/ibsr/h", "b/q"]],
    [undefined, "ibsr/h", ["b/ibsr/h", "c/ibsr/h"]],
    ["b", "q", ["b/q"]],
    ["c", "q", []]
  ])("shows only targets with the given bucket and prefix: %s %s", (bucket, prefix, expected) => {
    const all = status(target, { ...target, bucket: "c" }, { ...target, prefix: "q" })
    expect(Status.only(all, { bucket, prefix }).targets.map((found) => `${found.bucket}/${found.prefix}`)).toEqual(
      expected
    )
  })

  it("matches its schema", () => {
    expect(Schema.is(Status.Status)(status(target))).toBe(true)
  })
})

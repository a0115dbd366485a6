import { describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Status from "../../src/report/Status.ts"

const run = {
  id: "r",
  startedAt: "2026-11-24T15:00:02.838Z",
  endedAt: "2026-11-24T15:00:03.100Z",
  exitCode: 32,
  cause: "PutObject: no\nmore"
}
const target: Status.Status["targets"][number] = {
  bucket: "b",
  prefix: "ibsr/h",
  endpoint: null,
  region: null,
  input: "/in",
  mostRecent: true,
  lastRun: run,
  lastSuccess: null,
  lastFailure: run,
  newestFile: { file: "n.jsonl", changedAt: "2026-11-24T14:59:00.000Z" },
  stored: 1,
  storedBytes: 1_200_000,
  waiting: 2,
  oldestWaiting: { file: "a\n.jsonl", since: "2026-11-24T14:00:02.838Z" },
  lost: 1,
  lostFiles: ["l.jsonl"]
}
const now = Date.parse("2026-11-24T15:12:30Z")
const status = (...targets: ReadonlyArray<typeof target>): Status.Status => ({
  schemaVersion: 1,
  ledger: "/state/ledger.db",
  nextRun: null,
  targets
})

describe("the status", () => {
  it("shows the last runs and the files of each target", () => {
    expect(Status.render({ ...status(target), nextRun: "2026-11-24T15:17:00Z" }, now)).toEqual([
      "ledger /state/ledger.db",
      "next run 2026-11-24T15:17:00Z (in 4 min)",
      "s3://b/ibsr/h",
      "  input         /in",
      "  last run      2026-11-24T15:00:02.838Z (12 min ago), exit 32 (unavailable): PutObject: no\\nmore",
      "  last success  none",
      "  newest file   2026-11-24T14:59:00.000Z (13 min ago): n.jsonl",
      "  stored        1 file (1.2 MB)",
      "  waiting       2 files, the oldest since 2026-11-24T14:00:02.838Z (72 min ago): a\\n.jsonl",
      "  lost          1 file",
      "    l.jsonl"
    ])
  })

  it("shows the last failure if it is not the last run", () => {
    const success = { ...run, id: "s", exitCode: 0, cause: null }
    const lines = Status.render(status({ ...target, lastRun: success, lastSuccess: success }), now)
    expect(lines[3]).toBe("  last run      2026-11-24T15:00:02.838Z (12 min ago), exit 0 (ok)")
    expect(lines[5]).toMatch(/^ {2}last failure .* \(12 min ago\), exit 32 \(unavailable\): PutObject/)
  })

  it("shows an unfinished run, a store other than AWS, and a ledger without runs", () => {
    const running = { ...target, endpoint: "http://m:9000/", lastRun: { ...run, endedAt: null, exitCode: null } }
    const lines = Status.render(status(running), now)
    expect(lines[1]).toBe("s3://b/ibsr/h at http://m:9000")
    expect(lines[3]).toBe(
      "  last run      2026-11-24T15:00:02.838Z (12 min ago), not ended: still running, killed, or unable to write to the ledger"
    )
    expect(Status.render(status(), now)).toEqual(["ledger /state/ledger.db", "no run has used this ledger yet"])
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

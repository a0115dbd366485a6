import { describe, expect, it } from "@effect/vitest"
import { Either, Schema } from "effect"
import * as Errors from "../../src/domain/Errors.ts"
import * as ObjectKey from "../../src/domain/ObjectKey.ts"
import * as Outcome from "../../src/domain/Outcome.ts"
import * as Tally from "../../src/domain/Tally.ts"
import * as Report from "../../src/report/Report.ts"
import * as RunFacts from "../../src/report/RunFacts.ts"
import { settingsWith } from "../fixtures/Settings.ts"

const prefix = Either.getOrThrow(ObjectKey.parsePrefix("ibsr/host-17"))
const settings = settingsWith({
  input: "/var/lib/ibsr/snapshots",
  bucket: "customer-bucket",
  region: "eu-central-1",
  prefix
})

const facts = (
  outcomes: ReadonlyArray<Outcome.Outcome>,
  more: Partial<Omit<RunFacts.RunFacts, "tally">> = {}
): RunFacts.RunFacts => {
  const tally = Tally.empty()
  for (const outcome of outcomes) Tally.add(tally, outcome)
  return {
    version: "1.2.3",
    runId: "run-1",
    startedAt: new Date("2026-11-22T15:00:00.123Z"),
    durationMillis: 1500,
    signal: undefined,
    endedBy: undefined,
    complete: true,
    setupWarnings: [],
    unmatched: [],
    openUploads: [],
    ledger: { path: "/state/ledger.db", setAside: undefined },
    traits: undefined,
    manifests: undefined,
    ...more,
    tally
  }
}

const { Excluded, Failed, Interrupted, NotTried, Planned, Skipped, Unchanged, Uploaded, Vanished, NotReady, Live } =
  Outcome.Outcome

const denied = Failed({
  relativePath: "a.jsonl",
  key: "ibsr/host-17/a.jsonl",
  error: new Errors.AccessDenied({
    operation: "PutObject",
    detail: "Access Denied",
    code: "AccessDenied",
    status: 403,
    requestId: "R1",
    retryable: false
  })
})
const unreadable = Failed({
  relativePath: "b\uFFFD.jsonl",
  key: undefined,
  error: new Errors.SourceUnreadable({ path: "/in/b", detail: "permission denied", code: "EACCES" })
})

const everything = facts(
  [
    Uploaded({ relativePath: "a", torn: false, sizeBytes: 10, objectBytes: 10, replaces: undefined }),
    Uploaded({ relativePath: "a", torn: false, sizeBytes: 20, objectBytes: 13, replaces: undefined }),
    Unchanged(),
    Unchanged(),
    Unchanged(),
    denied,
    unreadable,
    Skipped({ why: "symlink" }),
    Skipped({ why: "symlink" }),
    Skipped({ why: "symlink" }),
    Skipped({ why: "dead-link" }),
    Skipped({ why: "dead-link" }),
    Skipped({ why: "special" }),
    Excluded(),
    Excluded(),
    NotReady(),
    Live(),
    Vanished(),
    Interrupted(),
    Interrupted(),
    NotTried(),
    NotTried(),
    NotTried()
  ],
  {
    complete: false,
    signal: "SIGTERM",
    endedBy: new Errors.DeadlineExceeded({ deadline: "5 min 0 s" }),
    openUploads: [{ key: "k", uploadId: "u", reason: "AccessDenied" }]
  }
)

const planned = facts([
  Planned({ relativePath: "a", key: "ibsr/host-17/a", sizeBytes: 0, compression: "none", parts: 1 }),
  Planned({ relativePath: "b", key: "ibsr/host-17/b", sizeBytes: 9_000_000, compression: "zstd", parts: 2 })
])

describe("toReport", () => {
  it.each([
    ["an empty run", settings, facts([])],
    ["a run with every outcome", settings, everything],
    ["a dry run", { ...settings, dryRun: true }, planned],
    ["a run against another store", { ...settings, endpoint: new URL("https://minio.example.com:9000") }, facts([])]
  ])("makes a report that matches the schema after a round trip through JSON: %s", (_, runSettings, known) => {
    const report = RunFacts.toReport(runSettings, known)
    const decoded = Schema.decodeUnknownSync(Report.Report)(JSON.parse(JSON.stringify(report)), {
      onExcessProperty: "error"
    })
    expect(decoded).toEqual(report)
  })

  it("names the run, the input and the target", () => {
    const report = RunFacts.toReport({ ...settings, endpoint: new URL("https://minio.example.com:9000") }, facts([]))
    expect(report).toMatchObject({
      schemaVersion: 1,
      tool: { name: "ibsr-export", version: "1.2.3" },
      run: { id: "run-1", startedAt: "2026-11-22T15:00:00.123Z", durationSeconds: 1.5, dryRun: false },
      source: { input: "/var/lib/ibsr/snapshots" },
      target: { bucket: "customer-bucket", prefix: "ibsr/host-17", endpoint: "https://minio.example.com:9000/" },
      complete: true,
      openMultipartUploads: []
    })
  })

  it("has no endpoint for AWS", () => {
    expect(RunFacts.toReport(settings, facts([])).target.endpoint).toBeNull()
  })

  it("counts every outcome once", () => {
    expect(RunFacts.toReport(settings, everything).totals).toEqual({
      selected: 15,
      uploaded: 2,
      uploadedBytes: 30,
      objectBytes: 23,
      resumed: 0,
      resumedBytes: 0,
      unchanged: 3,
      skipped: 6,
      skippedSymlinks: 3,
      skippedDeadLinks: 2,
      skippedSpecial: 1,
      excluded: 2,
      notReady: 1,
      live: 1,
      vanished: 1,
      failed: 2,
      interrupted: 2,
      notTried: 3,
      lost: 0,
      endNotSeen: 0,
      retries: 0
    })
  })

  it("lists lost files, files at risk and replaced files, and has a failing exit code because of lost files", () => {
    const found = facts(
      [Uploaded({ relativePath: "s", torn: false, sizeBytes: 1, objectBytes: 1, replaces: "p/s.g2" })],
      {
        ledger: { path: "/state/ledger.db", setAside: "/state/ledger.db.old" }
      }
    )
    Tally.addLost(found.tally, "snapshot_2026112115.jsonl", "run it more often")
    Tally.addEndNotSeen(found.tally, "snapshot_2026112114.jsonl")
    Tally.addAtRisk(found.tally, { file: "snapshot_2026112116.jsonl", rotatedAt: Date.UTC(2026, 10, 22, 16) })
    expect(RunFacts.toReport(settings, found)).toMatchObject({
      result: { exitCode: 41 },
      ledger: { path: "/state/ledger.db", setAside: "/state/ledger.db.old" },
      totals: { selected: 1, lost: 1, endNotSeen: 1, failed: 0 },
      lostFiles: ["snapshot_2026112115.jsonl"],
      lossHint: "run it more often",
      endNotSeenFiles: ["snapshot_2026112114.jsonl"],
      filesAtRisk: [{ file: "snapshot_2026112116.jsonl", rotatedAt: "2026-11-22T16:00:00.000Z" }],
      replacedFiles: [{ file: "s", key: "p/s.g2" }]
    })
  })

  it("counts resumed uploads, and lists the first 100 kept uploads", () => {
    const found = facts([
      Uploaded({ relativePath: "s", torn: false, sizeBytes: 30, objectBytes: 30, replaces: undefined })
    ])
    Tally.addResumed(found.tally, 20)
    Tally.addResumed(found.tally, 1)
    const kept = { key: "p/b", uploadId: "u", storedBytes: 8, sizeBytes: 17 }
    for (let at = 0; at <= Tally.maxListed; at++) Tally.addKept(found.tally, kept)
    const report = RunFacts.toReport(settings, found)
    expect(report.totals).toMatchObject({ uploaded: 1, uploadedBytes: 30, resumed: 2, resumedBytes: 21 })
    expect(report.keptUploads).toEqual(Array.from({ length: Tally.maxListed }, () => kept))
  })

  it("has no ledger if the ledger could not be opened", () => {
    expect(RunFacts.toReport(settings, facts([], { ledger: undefined })).ledger).toBeNull()
  })

  it("marks an interrupted run as incomplete, and lists open multipart uploads", () => {
    expect(RunFacts.toReport(settings, everything)).toMatchObject({
      complete: false,
      openMultipartUploads: [{ key: "k", uploadId: "u", reason: "AccessDenied" }]
    })
  })

  it.each<[title: string, facts: RunFacts.RunFacts, exitCode: number, name: string]>([
    [
      "success",
      facts([Uploaded({ relativePath: "a", torn: false, sizeBytes: 1, objectBytes: 1, replaces: undefined })]),
      0,
      "ok"
    ],
    [
      "one class of failures",
      facts([denied, Uploaded({ relativePath: "a", torn: false, sizeBytes: 1, objectBytes: 1, replaces: undefined })]),
      22,
      "access-denied"
    ],
    ["two classes of failures", facts([denied, unreadable]), 12, "mixed"],
    [
      "the failure that ended the run",
      facts([denied], { endedBy: new Errors.NothingSelected({ input: "/in" }) }),
      42,
      "nothing-selected"
    ],
    ["a signal", everything, 143, "interrupted"]
  ])("has the exit code for %s", (_, known, exitCode, name) => {
    expect(RunFacts.toReport(settings, known).result).toMatchObject({ exitCode, name })
  })

  it("names the failure and the signal that ended the run", () => {
    expect(RunFacts.toReport(settings, everything).result).toEqual({
      exitCode: 143,
      name: "interrupted",
      signal: "SIGTERM",
      cause: expect.stringContaining("stopped by SIGTERM"),
      hint: "the next run continues",
      endedBy: {
        class: "deadline",
        exitCode: 33,
        message: "the deadline of 5 min 0 s passed with work left",
        hint: expect.stringContaining("--deadline"),
        code: null,
        status: null,
        requestId: null
      }
    })
  })

  it("has no signal and no failure if nothing ended the run early", () => {
    expect(RunFacts.toReport(settings, facts([])).result).toEqual({
      exitCode: 0,
      name: "ok",
      signal: null,
      cause: null,
      hint: null,
      endedBy: null
    })
  })

  it("contains the store's response and a hint for each failure", () => {
    expect(RunFacts.toReport(settings, everything).failures).toEqual([
      {
        file: "a.jsonl",
        key: "ibsr/host-17/a.jsonl",
        class: "access-denied",
        exitCode: 22,
        message: "PutObject: Access Denied (403 AccessDenied)",
        hint: "allow s3:PutObject on this bucket and prefix",
        code: "AccessDenied",
        status: 403,
        requestId: "R1"
      },
      {
        file: "b\uFFFD.jsonl",
        key: null,
        class: "source-unreadable",
        exitCode: 41,
        message: "/in/b: permission denied",
        hint: expect.stringContaining("to read it"),
        code: "EACCES",
        status: null,
        requestId: null
      }
    ])
  })

  it.each([
    [0, 0, 0],
    [Tally.maxListed, Tally.maxListed, 0],
    [Tally.maxListed + 1, Tally.maxListed, 1],
    [Tally.maxListed + 50, Tally.maxListed, 50]
  ])("given %d failures, lists %d and counts %d as omitted", (failed, listed, omitted) => {
    const report = RunFacts.toReport(settings, facts(Array.from({ length: failed }, () => denied)))
    expect([report.failures.length, report.failuresOmitted, report.totals.failed]).toEqual([listed, omitted, failed])
  })

  it("has a plan with the requests for each file in a dry run", () => {
    const report = RunFacts.toReport({ ...settings, dryRun: true }, planned)
    expect(report.run.dryRun).toBe(true)
    expect(report.totals).toMatchObject({ selected: 2, uploaded: 0, uploadedBytes: 0 })
    expect(report.plan).toEqual([
      { file: "a", key: "ibsr/host-17/a", sizeBytes: 0, compression: null, requests: 1 },
      { file: "b", key: "ibsr/host-17/b", sizeBytes: 9_000_000, compression: "zstd", requests: 4 }
    ])
  })

  it("has an empty plan if a dry run selects nothing, and no plan in other runs", () => {
    expect(RunFacts.toReport({ ...settings, dryRun: true }, facts([])).plan).toEqual([])
    expect(RunFacts.toReport(settings, facts([])).plan).toBeNull()
  })
})

describe("Report", () => {
  const made = RunFacts.toReport(settings, everything)

  it.each([
    ["another schema version", { ...made, schemaVersion: 2 }],
    ["a negative count", { ...made, totals: { ...made.totals, failed: -1 } }],
    ["a missing field", { ...made, complete: undefined }]
  ])("refuses %s", (_, json) => {
    expect(Either.isLeft(Schema.decodeUnknownEither(Report.Report)(json))).toBe(true)
  })
})

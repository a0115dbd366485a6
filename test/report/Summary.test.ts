import { describe, expect, it } from "@effect/vitest"
import * as Errors from "../../src/domain/Errors.ts"
import * as Outcome from "../../src/domain/Outcome.ts"
import * as Summary from "../../src/report/Summary.ts"
import { reportOf, uploaded } from "../fixtures/Report.ts"

const { Excluded, Interrupted, NotTried, Planned, Skipped, Unchanged, Vanished } = Outcome.Outcome

const target = "s3://b/p"

describe("the summary", () => {
  it("gives the counts and the target of a successful run in one line", () => {
    const report = reportOf([uploaded(1_100_000), uploaded(100_000), Skipped({ why: "symlink" })])
    expect(Summary.prose(report)).toBe(`uploaded 2 (1.2 MB), skipped 1 in 0.8 s: ${target}`)
    expect(Summary.ending(report)).toBeUndefined()
  })

  it("says that nothing was uploaded if nothing else happened", () => {
    expect(Summary.prose(reportOf([]))).toBe(`uploaded 0 in 0.8 s: ${target}`)
  })

  it("shows two sizes if objects are smaller than their files", () => {
    expect(Summary.prose(reportOf([uploaded(1_100_000, 150_000), uploaded(100_000, 100_000)]))).toBe(
      `uploaded 2 (1.2 MB, compressed to 250.0 kB) in 0.8 s: ${target}`
    )
    expect(Summary.logfmt(reportOf([uploaded(7, 3)]))).toContain(" bytes=7 object_bytes=3 ")
  })

  it("begins with the failures", () => {
    const error = new Errors.SourceUnreadable({ path: "/in/a", detail: "EACCES" })
    const failed = Outcome.Outcome.Failed({ relativePath: "a", key: undefined, error })
    expect(Summary.prose(reportOf([uploaded(1), failed]))).toBe(`failed 1 of 2, uploaded 1 (1 B) in 0.8 s: ${target}`)
  })

  it("shows only outcomes that occurred", () => {
    const rare = [Excluded(), Vanished(), Interrupted(), NotTried()]
    expect(Summary.prose(reportOf(rare, { signal: "SIGTERM", complete: false }))).toBe(
      `excluded 1, vanished 1, interrupted 1, not tried 1 or more in 0.8 s: ${target}`
    )
  })

  it("shows how many bytes a resumed upload saved", () => {
    const report = reportOf([uploaded(40_000_000)])
    const totals = { ...report.totals, resumed: 1, resumedBytes: 36_000_000 }
    expect(Summary.prose({ ...report, totals })).toBe(
      `uploaded 1 (40.0 MB), resumed 1 (36.0 MB not sent again) in 0.8 s: ${target}`
    )
    expect(Summary.logfmt({ ...report, totals })).toMatch(/ resumed=1 .* resumed_bytes=36000000 /)
  })

  it("is one line of fields in the journal, without counts that are 0", () => {
    expect(Summary.logfmt(reportOf([uploaded(1_100_000), uploaded(100_000), Unchanged()], { runId: "0f1e" }))).toBe(
      `summary result=ok exit=0 selected=3 uploaded=2 unchanged=1 bytes=1200000 object_bytes=1200000 complete=true seconds=0.84 target=${target} run=0f1e`
    )
  })

  it("begins with the cause and the hint in the journal", () => {
    expect(Summary.logfmt(reportOf([Interrupted(), NotTried()], { signal: "SIGTERM", complete: false }))).toMatch(
      /^summary cause="stopped by SIGTERM, with 2 files or more left" hint="the next run continues" result=interrupted exit=143 selected=2 interrupted=1 not_tried=1 complete=false /
    )
  })

  it("shows the plan of --dry-run", () => {
    const planned = Planned({ relativePath: "a", key: "p/a", sizeBytes: 7, compression: "none", parts: 1 })
    const report = reportOf([planned, planned], {}, { dryRun: true })
    expect(Summary.logfmt(report)).toContain(" selected=2 planned=2 bytes=14 ")
    expect(Summary.prose(report)).toBe(`would upload 2 (14 B) in 0.8 s: ${target}`)
  })

  it.each([
    ["notice", "a successful run", {}],
    ["error", "a failed run", { endedBy: new Errors.CredentialsMissing({ detail: "none" }) }],
    ["warning", "a stopped run", { signal: "SIGTERM" }]
  ] as const)("has severity %s for %s", (severity, _, facts) => {
    const report = reportOf([], facts)
    const reader = { isJournal: false, isTerminal: false, hasColors: false }
    expect(Summary.counts(report, { ...reader, isJournal: true })).toEqual({ severity, text: Summary.logfmt(report) })
    expect(Summary.counts(report, { ...reader, isTerminal: true })).toEqual({ severity, text: Summary.prose(report) })
    expect(Summary.ending(report)?.severity ?? "notice").toBe(severity)
  })

  it("begins with the time in UTC, unless a terminal or the journal shows it", () => {
    const report = reportOf([], { startedAt: new Date("2026-11-24T23:59:59.700Z"), durationMillis: 800 })
    expect(Summary.counts(report, { isJournal: false, isTerminal: false, hasColors: false }).text).toBe(
      `2026-11-25T00:00:00Z uploaded 0 in 0.8 s: ${target}`
    )
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as Errors from "../../src/domain/Errors.ts"
import * as Outcome from "../../src/domain/Outcome.ts"
import * as Summary from "../../src/report/Summary.ts"
import { reportOf, uploaded } from "../fixtures/Report.ts"

const { Excluded, Interrupted, NotTried, Planned, Skipped, Unchanged, Vanished } = Outcome.Outcome

describe("the summary", () => {
  it("describes a successful run in one line", () => {
    expect(Summary.prose(reportOf([uploaded(1_100_000), uploaded(100_000), Skipped({ why: "symlink" })]))).toBe(
      "uploaded 2 (1.2 MB), skipped 1, failed 0 in 0.8 s"
    )
  })

  it("shows two sizes if objects are smaller than their files", () => {
    expect(Summary.prose(reportOf([uploaded(1_100_000, 150_000), uploaded(100_000, 100_000)]))).toBe(
      "uploaded 2 (1.2 MB, compressed to 250.0 kB), skipped 0, failed 0 in 0.8 s"
    )
    expect(Summary.logfmt(reportOf([uploaded(7, 3)]))).toContain(" bytes=7 object_bytes=3 ")
  })

  it("shows rare outcomes only if they occurred, and how the run ended", () => {
    const rare = [Excluded(), Vanished(), Interrupted(), NotTried()]
    expect(Summary.prose(reportOf(rare, { signal: "SIGTERM", complete: false }))).toBe(
      "uploaded 0 (0 B), skipped 0, excluded 1, vanished 1, interrupted 1, not tried 1 or more, failed 0 in 0.8 s: interrupted (exit 143)"
    )
  })

  it("shows how many bytes a resumed upload saved", () => {
    const report = reportOf([uploaded(40_000_000)])
    const totals = { ...report.totals, resumed: 1, resumedBytes: 36_000_000 }
    expect(Summary.prose({ ...report, totals })).toBe(
      "uploaded 1 (40.0 MB), resumed 1 (36.0 MB not sent again), skipped 0, failed 0 in 0.8 s"
    )
    expect(Summary.logfmt({ ...report, totals })).toMatch(/ resumed=1 .* resumed_bytes=36000000 /)
  })

  it("is one line in the journal, always with the same fields", () => {
    expect(Summary.logfmt(reportOf([uploaded(1_100_000), uploaded(100_000), Unchanged()], { runId: "0f1e" }))).toBe(
      "summary result=ok exit=0 selected=3 uploaded=2 resumed=0 unchanged=1 skipped=0 excluded=0 not_ready=0 live=0 vanished=0 interrupted=0 " +
        "not_tried=0 lost=0 end_not_seen=0 failed=0 complete=true retries=0 bytes=1200000 object_bytes=1200000 resumed_bytes=0 seconds=0.84 run=0f1e"
    )
    expect(Summary.logfmt(reportOf([Interrupted(), NotTried()], { signal: "SIGTERM", complete: false }))).toContain(
      "summary result=interrupted exit=143 selected=2 uploaded=0 resumed=0 unchanged=0 skipped=0 excluded=0 not_ready=0 live=0 vanished=0 interrupted=1 not_tried=1 lost=0 end_not_seen=0 failed=0 complete=false "
    )
  })

  it("shows the plan of --dry-run", () => {
    const planned = Planned({ relativePath: "a", key: "p/a", sizeBytes: 7, compression: "none", parts: 1 })
    const line = Summary.logfmt(reportOf([planned, planned], {}, { dryRun: true }))
    expect(line).toContain(" selected=2 uploaded=0 planned=2 resumed=0 unchanged=0 ")
    expect(line).toContain(" bytes=14 ")
  })

  it.each([
    ["notice", "a successful run", {}],
    ["error", "a failed run", { endedBy: new Errors.CredentialsMissing({ detail: "none" }) }],
    ["warning", "a stopped run", { signal: "SIGTERM" }]
  ] as const)("has severity %s for %s", (severity, _, facts) => {
    const report = reportOf([], facts)
    expect(Summary.line(report, { isJournal: true, isTerminal: false })).toEqual({
      severity,
      text: Summary.logfmt(report)
    })
    expect(Summary.line(report, { isJournal: false, isTerminal: true })).toEqual({
      severity,
      text: Summary.prose(report)
    })
  })

  it("begins with the time in UTC, unless a terminal or the journal shows it", () => {
    const report = reportOf([], { startedAt: new Date("2026-11-24T23:59:59.700Z"), durationMillis: 800 })
    expect(Summary.line(report, { isJournal: false, isTerminal: false }).text).toBe(
      "2026-11-25T00:00:00Z uploaded 0 (0 B), skipped 0, failed 0 in 0.8 s"
    )
  })
})

import { describe, expect, it } from "@effect/vitest"
import { AccessDenied, CredentialsMissing, revised, SourceUnreadable } from "../../src/domain/Errors.ts"
import * as Outcome from "../../src/domain/Outcome.ts"
import type { StoreTraits } from "../../src/domain/StoreTraits.ts"
import type { Report } from "../../src/report/Report.ts"
import type * as RunFacts from "../../src/report/RunFacts.ts"
import * as ReportText from "../../src/report/ReportText.ts"
import { reportOf, uploaded } from "../fixtures/Report.ts"

const denied = (relativePath: string) =>
  Outcome.Outcome.Failed({
    relativePath,
    key: `p/${relativePath}`,
    error: new AccessDenied({
      operation: "PutObject",
      detail: "Access Denied",
      code: "AccessDenied",
      status: 403,
      requestId: `R-${relativePath}`,
      retryable: false
    })
  })

const texts = (report: Report) => ReportText.body(report).map(({ text }) => text)

describe("the report as text", () => {
  it("is empty after a successful run, except for the summary", () => {
    expect(texts(reportOf([uploaded(1_100_000)]))).toEqual([])
  })

  it("warns of lost files, files at risk, replaced files, torn files, and a ledger that was set aside", () => {
    const report = reportOf([Outcome.Outcome.Unchanged()], { ledger: { path: "/l.db", setAside: "/l.db.old" } })
    expect(
      texts({
        ...report,
        totals: { ...report.totals, lost: 1 },
        lostFiles: ["a"],
        filesAtRisk: [{ file: "b", rotatedAt: "2026-11-22T16:00:00.000Z" }],
        replacedFiles: [{ file: "c", key: "p/c.g2" }],
        tornFiles: ["d\n"]
      })
    ).toEqual([
      "warning: the ledger was unusable: it was moved to /l.db.old, and everything was sent again",
      "warning: a was rotated away before it was completely stored",
      "warning: b is not completely stored, and will be rotated away at 2026-11-22T16:00:00.000Z, before the next run",
      "warning: c does not replace what was stored before: it was stored as p/c.g2, next to the older object",
      "warning: d\\n ends in an incomplete line: its writer was interrupted"
    ])
  })

  it("begins with warnings about the setup", () => {
    const report = reportOf([uploaded(1)], { setupWarnings: ["IBSR_EXPORT_A\n is unknown"] })
    expect(ReportText.body(report)).toEqual([{ severity: "warning", text: "warning: IBSR_EXPORT_A\\n is unknown" }])
  })

  it("groups equal failures, gives their hint once, and names a few files", () => {
    expect(texts(reportOf(["a", "b", "c", "d", "e"].map(denied)))).toEqual([
      "access-denied [22]: PutObject: Access Denied (403 AccessDenied)",
      "  hint: allow s3:PutObject on this bucket and prefix",
      "  a -> p/a [request R-a]",
      "  b -> p/b [request R-b]",
      "  c -> p/c [request R-c]",
      "  and 2 more files"
    ])
  })

  it("names the failure that ended the run only once", () => {
    const missing = new CredentialsMissing({ detail: "none found" })
    const lines = texts(reportOf([], { endedBy: missing }))
    expect(lines[0]).toBe("credentials-missing [20]: no credentials: none found")
    expect(lines[1]).toMatch(/^ {2}hint: set AWS_ACCESS_KEY_ID/)
    const failure = denied("a")
    const both = reportOf([failure], failure._tag === "Failed" ? { endedBy: failure.error } : {})
    expect(texts(both).filter((line) => line.startsWith("access-denied [22]: "))).toHaveLength(1)
  })

  it("states why the run gave up, even if files failed in the same way", () => {
    const failure = denied("a")
    if (failure._tag !== "Failed" || failure.error._tag !== "AccessDenied") throw new Error("not denied")
    const endedBy = revised(failure.error, { advice: "no request went well for 5 min" })
    expect(texts(reportOf([failure], { endedBy }))).toContain("  hint: no request went well for 5 min")
  })

  it("warns of a wrong clock, missing checksums, and missing encryption", () => {
    const warnings = (traits: Partial<StoreTraits>) =>
      texts(
        reportOf([], { traits: { checksum: "SHA256", clockOffsetMillis: 0, unencrypted: false, ...traits } })
      ).filter((line) => line.startsWith("warning: "))
    expect(warnings({ clockOffsetMillis: 299_000 })).toEqual([])
    expect(warnings({ clockOffsetMillis: -3_600_000 })).toEqual([
      "warning: this host's clock is 1 h 0 min ahead of the store's according to its answers: check it, because the host's time decides which files are final"
    ])
    expect(warnings({ clockOffsetMillis: 300_000 })[0]).toContain("5 min 0 s behind the store's")
    expect(warnings({ checksum: "MD5" })[0]).toContain("Content-MD5")
    expect(warnings({ checksum: "none" })[0]).toContain("no checksums")
    expect(warnings({ unencrypted: true })[0]).toContain("--sse")
  })

  it("warns of metrics that could not be written", () => {
    expect(texts({ ...reportOf([]), metrics: { path: "/m.prom", error: null } })).toEqual([])
    expect(texts({ ...reportOf([]), metrics: { path: "/m.prom", error: "disk full" } })).toEqual([
      "warning: the metrics could not be written to /m.prom: disk full"
    ])
  })

  it("is uneventful only if nothing needs attention", () => {
    const uneventful = (facts: Partial<RunFacts.RunFacts>) => ReportText.isUneventful(reportOf([], facts))
    const traits: StoreTraits = { checksum: "MD5", clockOffsetMillis: 299_000, unencrypted: false }
    expect(uneventful({})).toBe(true)
    expect(uneventful({ traits })).toBe(true)
    expect(uneventful({ traits: { ...traits, clockOffsetMillis: -300_000 } })).toBe(false)
    expect(uneventful({ traits: { ...traits, unencrypted: true } })).toBe(false)
    expect(uneventful({ ledger: { path: "/l.db", setAside: "/l.db.old" } })).toBe(false)
    expect(uneventful({ signal: "SIGTERM" })).toBe(false)
    expect(uneventful({ setupWarnings: ["w"] })).toBe(false)
    const excluded = [Outcome.Outcome.Excluded()]
    expect(ReportText.isUneventful(reportOf(excluded))).toBe(true)
    expect(ReportText.isUneventful(reportOf(excluded, { unmatched: ["*.csv"] }))).toBe(false)
    const written = (error: string | null) => ({ ...reportOf([]), metrics: { path: "/m.prom", error } })
    expect(ReportText.isUneventful(written(null))).toBe(true)
    expect(ReportText.isUneventful(written("disk full"))).toBe(false)
  })

  it.each([
    ["names a pattern that matches no file although the input has other files", [Outcome.Outcome.Excluded()], {}, true],
    ["does not mention the pattern if the input has no files", [], {}, false],
    ["does not mention the pattern if the run ended early", [Outcome.Outcome.Excluded()], { complete: false }, false]
  ])("%s", (_, outcomes, facts, isNamed) => {
    const text = ReportText.body(reportOf(outcomes, { ...facts, unmatched: ["snapshots_*"] }))
    const warning = "warning: --include snapshots_* matches no file; excluded: 1"
    expect(text).toEqual(isNamed ? [{ severity: "warning", text: warning }] : [])
  })

  it("marks failures as errors, other problems as warnings, and the plan as information", () => {
    const openUploads = [{ key: "p/big", uploadId: "u1", reason: "AccessDenied" }]
    const endedBy = new CredentialsMissing({ detail: "none found" })
    const ledger = { path: "/l.db", setAside: "/l.db.old" }
    const planned = Outcome.Outcome.Planned({
      relativePath: "a",
      key: "p/a",
      sizeBytes: 1,
      compression: "none",
      parts: 1
    })
    const found = reportOf([planned, denied("b")], { openUploads, endedBy, ledger }, { dryRun: true })
    const lines = ReportText.body({ ...found, failuresOmitted: 1 })
    expect(lines.map(({ severity, text }) => `${severity} ${text.slice(0, 20)}`)).toEqual([
      "info a -> s3://b/p/a (1 B",
      "error access-denied [22]: ",
      "error   hint: allow s3:Put",
      "error   b -> p/b [request ",
      "error and 1 more failure",
      "warning warning: the ledger ",
      "warning multipart upload lef",
      "error credentials-missing ",
      "error   hint: set AWS_ACCE"
    ])
  })

  it("shows how much of a kept upload is stored", () => {
    const keptUploads = [{ key: "p/b\n", uploadId: "u", storedBytes: 8_000_000, sizeBytes: 17_000_000 }]
    expect(ReportText.body({ ...reportOf([]), keptUploads })).toEqual([
      { severity: "info", text: "kept for the next run: p/b\\n, with 8.0 MB of 17.0 MB stored" }
    ])
  })

  it("shows the format and an upper bound of requests for planned compressed objects", () => {
    const planned = (parts: number) =>
      Outcome.Outcome.Planned({ relativePath: "a", key: "p/a.zst", sizeBytes: 9_000_000, compression: "zstd", parts })
    expect(texts(reportOf([planned(1), planned(2)], {}, { dryRun: true })).slice(0, 2)).toEqual([
      "a -> s3://b/p/a.zst (9.0 MB before zstd, 1 request)",
      "a -> s3://b/p/a.zst (9.0 MB before zstd, at most 4 requests)"
    ])
  })

  it("names multipart uploads that were left open", () => {
    const openUploads = [{ key: "p/big", uploadId: "u1", reason: "AccessDenied" }]
    expect(texts(reportOf([], { openUploads }))[0]).toBe(
      "multipart upload left open: p/big, upload id u1 (AccessDenied)"
    )
  })

  it("escapes control characters in file names", () => {
    const failed = Outcome.Outcome.Failed({
      relativePath: "a\n\u001B[2Jb",
      key: undefined,
      error: new SourceUnreadable({ path: "/in/a\n\u001B[2Jb", detail: "EACCES" })
    })
    expect(texts(reportOf([failed])).join("|")).not.toMatch(/\p{Cc}/u)
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as Errors from "../../src/domain/Errors.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Tally from "../../src/domain/Tally.ts"
import type { RunFacts } from "../../src/report/RunFacts.ts"
import * as Summary from "../../src/report/Summary.ts"
import { reportOf } from "../fixtures/Report.ts"

const denied = (relativePath: string) =>
  Outcome.Failed({
    relativePath,
    key: undefined,
    error: new Errors.AccessDenied({
      operation: "PutObject",
      detail: "Access Denied.",
      code: "AccessDenied",
      status: 403,
      retryable: false
    })
  })

const unreadable = (relativePath: string) =>
  Outcome.Failed({
    relativePath,
    key: undefined,
    error: new Errors.SourceUnreadable({ path: `/in/${relativePath}`, detail: "permission denied", code: "EACCES" })
  })

const ending = (outcomes: ReadonlyArray<Outcome>, facts: Partial<RunFacts> = {}) =>
  Summary.ending(reportOf(outcomes, facts))?.text

const lost = (...files: ReadonlyArray<string>) => {
  const tally = Tally.empty()
  for (const file of files) Tally.addLost(tally, file, "run more often")
  return { tally }
}

describe("the last line of a failed run", () => {
  it("names the file if one has failed", () => {
    expect(ending([denied("a")])).toBe(
      "exit 22 access-denied: a: PutObject: Access Denied. (403 AccessDenied). Allow s3:PutObject on this bucket and prefix."
    )
  })

  it("names a file only once", () => {
    expect(ending([unreadable("a")])).toBe(
      "exit 41 source-unreadable: /in/a: permission denied. Allow the user that runs ibsr-export to read it."
    )
  })

  it("counts files that failed in the same way", () => {
    expect(ending([denied("a"), denied("b")])).toContain(
      "PutObject: Access Denied. (403 AccessDenied); 2 files failed like this. Allow"
    )
  })

  it("names the two largest of several classes, and the remedy of the largest", () => {
    expect(ending([unreadable("a"), denied("b"), denied("c")])).toBe(
      "exit 12 mixed: access-denied [22]: PutObject: Access Denied. (403 AccessDenied); 2 files failed like this; " +
        "source-unreadable [41]: /in/a: permission denied. Allow s3:PutObject on this bucket and prefix."
    )
  })

  it("prefers the failure that ended the run", () => {
    const endedBy = new Errors.Locked({ path: "/state/ledger.lock" })
    expect(ending([denied("a")], { endedBy })).toMatch(/^exit 50 locked: \/state\/ledger.lock: another run /)
  })

  it("names a lost file, or counts them", () => {
    expect(ending([], lost("a"))).toBe(
      "exit 41 source-unreadable: a was deleted before it was completely stored. Run more often."
    )
    expect(ending([], lost("a", "b"))).toContain("2 files were deleted before they were completely stored.")
  })

  it("says after a signal how much is left", () => {
    const facts = { signal: "SIGTERM", complete: false } as const
    expect(ending([Outcome.NotTried()], facts)).toBe(
      "exit 143 interrupted: stopped by SIGTERM, with 1 file or more left. The next run continues."
    )
    expect(ending([], { ...facts, complete: true })).toContain("stopped by SIGTERM. The")
  })

  it("is one line without control characters", () => {
    const endedBy = new Errors.InternalError({ detail: "Error: a\u001B[2J bug\n    at f" })
    expect(ending([], { endedBy })).toMatch(/^exit 70 internal: Error: a\\033\[2J bug\. This is a defect /)
  })
})

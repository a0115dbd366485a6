import { describe, expect, it } from "@effect/vitest"
import * as Errors from "../../src/domain/Errors.ts"
import { endsRun } from "../../src/domain/Verdict.ts"

const answer: Errors.StoreAnswer = { operation: "PutObject", detail: "no", retryable: false }

const tally = (uploaded: number, denied: number) => ({ uploaded, denied })

describe("endsRun", () => {
  it.each([
    new Errors.CredentialsMissing({ detail: "none" }),
    new Errors.CredentialsRejected(answer),
    new Errors.BucketUnusable(answer),
    new Errors.TlsFailure(answer),
    new Errors.StateUnusable({ path: "/state/ledger.db", detail: "disk full" })
  ])("holds at the first $_tag, which every file would meet", (error) => {
    expect(endsRun(error, tally(0, 1))).toBe(true)
    expect(endsRun(error, tally(1000, 1))).toBe(true)
  })

  it.each([
    new Errors.UploadFailed(answer),
    new Errors.ObjectExists(answer),
    new Errors.NetworkFailure({ ...answer, retryable: true }),
    new Errors.StoreUnavailable(answer),
    new Errors.IntegrityFailure(answer),
    new Errors.SourceUnreadable({ path: "/a", detail: "no" }),
    new Errors.ConfigError({ detail: "no", advice: "none" }),
    new Errors.InternalError({ detail: "no" })
  ])("never holds for $_tag", (error) => {
    expect(endsRun(error, tally(0, 1000))).toBe(false)
  })

  it.each([
    [0, 1, false],
    [0, 2, false],
    [0, 3, true],
    [0, 4, true],
    [1, 3, false],
    [1, 1000, false]
  ])("after a denial, by the store or on the way, with %d stored and %d denied: %s", (uploaded, failed, ends) => {
    expect(endsRun(new Errors.AccessDenied(answer), tally(uploaded, failed))).toBe(ends)
    expect(endsRun(new Errors.NetworkFailure(answer), tally(uploaded, failed))).toBe(ends)
  })
})

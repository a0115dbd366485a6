import { describe, expect, it } from "@effect/vitest"
import * as Errors from "../../src/domain/Errors.ts"
import * as FailureClass from "../../src/domain/FailureClass.ts"

const answer = (more: Partial<Errors.StoreAnswer> = {}): Errors.StoreAnswer => ({
  operation: "PutObject",
  detail: "no",
  retryable: false,
  ...more
})

const credentialsMissing = new Errors.CredentialsMissing({ detail: "none" })
const sourceUnreadable = new Errors.SourceUnreadable({ path: "/a", detail: "no" })
const stateUnusable = new Errors.StateUnusable({ path: "/state/ledger.db", detail: "disk full" })
const configError = new Errors.ConfigError({ detail: "no", advice: "none" })
const internalError = new Errors.InternalError({ detail: "no" })

describe("FailureClass.endsRun", () => {
  const tally = (uploaded: number, denied: number) => ({ uploaded, denied })

  it.each([
    credentialsMissing,
    new Errors.CredentialsRejected(answer()),
    new Errors.BucketUnusable(answer()),
    new Errors.TlsFailure(answer()),
    stateUnusable
  ])("returns true for the first $_tag, because every file would fail in the same way", (error) => {
    expect(FailureClass.endsRun(error, tally(0, 1))).toBe(true)
    expect(FailureClass.endsRun(error, tally(1000, 1))).toBe(true)
  })

  it.each([
    new Errors.UploadFailed(answer()),
    new Errors.ObjectExists(answer()),
    new Errors.NetworkFailure(answer({ retryable: true })),
    new Errors.StoreUnavailable(answer()),
    new Errors.IntegrityFailure(answer()),
    sourceUnreadable,
    configError,
    internalError
  ])("never returns true for $_tag", (error) => {
    expect(FailureClass.endsRun(error, tally(0, 1000))).toBe(false)
  })

  it.each([
    [0, 1, false],
    [0, 2, false],
    [0, 3, true],
    [0, 4, true],
    [1, 3, false],
    [1, 1000, false]
  ])("given %d files stored and %d denied by the store or a proxy, returns %s", (uploaded, denied, ends) => {
    expect(FailureClass.endsRun(new Errors.AccessDenied(answer()), tally(uploaded, denied))).toBe(ends)
    expect(FailureClass.endsRun(new Errors.NetworkFailure(answer()), tally(uploaded, denied))).toBe(ends)
  })
})

describe("FailureClass.keepsUpload", () => {
  it.each([
    [true, new Errors.Interrupted()],
    [true, stateUnusable],
    [true, credentialsMissing],
    [true, new Errors.CredentialsRejected(answer({ code: "ExpiredToken" }))],
    [true, new Errors.NetworkFailure(answer({ retryable: true }))],
    [true, new Errors.NetworkFailure(answer())],
    [true, new Errors.TlsFailure(answer())],
    [true, new Errors.StoreUnavailable(answer({ retryable: true, code: "SlowDown" }))],
    [true, new Errors.UploadFailed(answer({ retryable: true, code: "OperationAborted" }))],
    [false, new Errors.UploadFailed(answer({ code: "InvalidPart" }))],
    [false, new Errors.AccessDenied(answer())],
    [false, new Errors.ObjectExists(answer())],
    [false, new Errors.BucketUnusable(answer())],
    [false, new Errors.IntegrityFailure(answer({ retryable: true }))],
    [false, sourceUnreadable],
    [false, configError],
    [false, internalError]
  ])("returns %s after %s", (isKept, error) => {
    expect(FailureClass.keepsUpload(error)).toBe(isKept)
  })
})

describe("FailureClass.isDenial", () => {
  it.each([
    [true, "caused by the store", new Errors.AccessDenied(answer())],
    [true, "caused by a proxy for good", new Errors.NetworkFailure(answer())],
    [false, "caused by a network that may recover", new Errors.NetworkFailure(answer({ retryable: true }))],
    [false, "of the credentials", new Errors.CredentialsRejected(answer({ status: 403 }))],
    [false, "of the bucket", new Errors.BucketUnusable(answer({ status: 404 }))],
    [false, "caused by the file system", sourceUnreadable]
  ])("returns %s for a failure %s", (isDenial, _, error) => {
    expect(FailureClass.isDenial(error)).toBe(isDenial)
  })
})

describe("FailureClass.showsStoreAlive", () => {
  it.each([
    [false, credentialsMissing],
    [false, new Errors.NetworkFailure(answer())],
    [false, new Errors.TlsFailure(answer())],
    [true, new Errors.UploadFailed(answer())],
    [true, new Errors.ObjectExists(answer())],
    [true, new Errors.CredentialsRejected(answer())],
    [true, new Errors.AccessDenied(answer())],
    [true, new Errors.BucketUnusable(answer())],
    [true, new Errors.StoreUnavailable(answer())],
    [true, new Errors.IntegrityFailure(answer())]
  ])("returns %s after %s", (isAlive, error) => {
    expect(FailureClass.showsStoreAlive(error)).toBe(isAlive)
  })
})

describe("FailureClass.isRefusal", () => {
  it.each([
    [undefined, false],
    [200, false],
    [301, false],
    [399, false],
    [400, true],
    [403, true],
    [499, true],
    [500, false],
    [503, false]
  ])("given status %s, returns %s for every class that has a status", (status, isRefusal) => {
    for (const Class of [
      Errors.UploadFailed,
      Errors.ObjectExists,
      Errors.CredentialsRejected,
      Errors.AccessDenied,
      Errors.BucketUnusable,
      Errors.NetworkFailure,
      Errors.TlsFailure,
      Errors.StoreUnavailable,
      Errors.IntegrityFailure
    ]) {
      expect(FailureClass.isRefusal(new Class(answer({ status }))), Class.name).toBe(isRefusal)
    }
  })

  it("returns false when no credentials were found, because nothing was sent", () => {
    expect(FailureClass.isRefusal(credentialsMissing)).toBe(false)
  })
})

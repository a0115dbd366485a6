import { describe, expect, it } from "@effect/vitest"
import {
  AccessDenied,
  CredentialsRejected,
  IntegrityFailure,
  type StoreError,
  StoreUnavailable,
  UploadFailed
} from "../../../../src/domain/Errors.ts"
import type { Checksum } from "../../../../src/domain/StoreTraits.ts"
import * as ChecksumDialect from "../../../../src/services/ObjectStore/S3/ChecksumDialect.ts"

const answer = (status: number, code: string | undefined, detail = "no") => ({
  operation: "PutObject",
  detail,
  code,
  status,
  retryable: false
})
const refused = (...fields: Parameters<typeof answer>) => new UploadFailed(answer(...fields))

const named = refused(400, "InvalidRequest", "Unsupported header 'x-amz-checksum-sha256'")
const notImplemented = refused(501, "NotImplemented")
const unexplained = refused(400, "InvalidArgument")
const signature = new CredentialsRejected(answer(403, "SignatureDoesNotMatch"))

describe("ChecksumDialect.refusalOf", () => {
  it.each([
    ["the header", named, "named"],
    ["the algorithm", refused(400, "InvalidRequest", "SHA256 is not supported"), "named"],
    ["the SDK's header", refused(400, undefined, "unknown x-amz-sdk-checksum-algorithm"), "named"],
    ["Content-MD5", refused(400, "InvalidRequest", "Missing required header for this request: Content-MD5"), "named"],
    ["a header in its code alone", refused(400, "InvalidChecksumAlgorithm"), "named"],
    ["the algorithm, with 501", refused(501, "NotImplemented", "checksum algorithm"), "named"],
    ["the header of the signed hash", refused(501, "NotImplemented", "x-amz-content-sha256"), "not-implemented"],
    ["nothing, with 501", notImplemented, "not-implemented"],
    ["nothing, with 400", unexplained, "unexplained"],
    ["nothing, with 400 and no code", refused(400, undefined), "unexplained"],
    ["the signature", signature, "signature"],
    ["the storage class", refused(400, "InvalidStorageClass"), undefined],
    ["the size", refused(413, undefined), undefined],
    ["the access key", new CredentialsRejected(answer(403, "InvalidAccessKeyId")), undefined],
    ["a changed body", new IntegrityFailure(answer(400, "BadDigest", "the SHA256 differs")), undefined],
    ["the permission", new AccessDenied(answer(403, "AccessDenied")), undefined],
    ["overload", new StoreUnavailable(answer(503, "SlowDown")), undefined]
  ] as const)("returns whether a refusal that names %s may concern the checksum", (_, error, expected) => {
    expect(ChecksumDialect.refusalOf(error)).toBe(expected)
  })
})

describe("the next checksum", () => {
  const next = (
    error: StoreError,
    tried: ReadonlyArray<Checksum>,
    operation: ChecksumDialect.Operation = "PutObject",
    prepare: (dialect: ChecksumDialect.ChecksumDialect) => void = () => {}
  ) => {
    const dialect = ChecksumDialect.make()
    prepare(dialect)
    return dialect.next(operation, error, tried)
  }

  it.each([
    [named, ["SHA256"], "MD5"],
    [named, ["SHA256", "MD5"], "none"],
    [named, ["SHA256", "MD5", "none"], undefined],
    [named, ["none"], "MD5"],
    [named, ["MD5", "none"], undefined],
    [notImplemented, ["SHA256"], "MD5"],
    [notImplemented, ["SHA256", "MD5"], "none"],
    [unexplained, ["SHA256"], "MD5"],
    [unexplained, ["SHA256", "MD5"], "none"],
    [signature, ["SHA256"], "MD5"],
    [signature, ["SHA256", "MD5"], undefined]
  ] as const)("given the refusal %s of the checksums %j, is %s", (error, tried, expected) => {
    expect(next(error, tried)).toBe(expected)
  })

  it("is offered only once for the request that creates an upload", () => {
    expect(next(named, ["SHA256"], "CreateMultipartUpload")).toBe("MD5")
    expect(next(named, ["SHA256", "MD5"], "CreateMultipartUpload")).toBeUndefined()
  })

  it.each([
    [
      "that the store has accepted",
      (dialect: ChecksumDialect.ChecksumDialect) => dialect.accept("PutObject", "SHA256")
    ],
    ["of an earlier run", (dialect: ChecksumDialect.ChecksumDialect) => dialect.assume("MD5")]
  ])("after a checksum %s is used only if the refusal names the checksum", (_, prepare) => {
    for (const error of [notImplemented, unexplained, signature])
      expect(next(error, ["SHA256"], "PutObject", prepare)).toBeUndefined()
    expect(next(named, ["SHA256"], "PutObject", prepare)).toBe("MD5")
  })

  it("does not depend on what the store accepts in another operation", () => {
    expect(next(signature, ["SHA256"], "CreateMultipartUpload", ({ accept }) => accept("PutObject", "SHA256"))).toBe(
      "MD5"
    )
  })

  it("is none once every checksum has failed", () => {
    expect(next(named, ["SHA256"], "PutObject", ({ exhaust }) => exhaust("PutObject"))).toBeUndefined()
    expect(next(named, ["SHA256"], "UploadPart", ({ exhaust }) => exhaust("PutObject"))).toBe("MD5")
  })
})

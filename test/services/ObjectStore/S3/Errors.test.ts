import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import { connectionReset, StalledError } from "../../../../src/services/ObjectStore/Http/Connection.ts"
import { MalformedResponse } from "../../../../src/services/ObjectStore/Http/ResponseHead.ts"
import { storeError, withoutSecrets } from "../../../../src/services/ObjectStore/S3/Errors.ts"

/** What the SDK throws for an answer of the store. */
const answered = (status: number, name: string, headers: Record<string, string> = {}) =>
  Object.assign(new Error("said the store"), {
    name,
    $metadata: { httpStatusCode: status, requestId: "R1" },
    $response: { headers }
  })

/** What Node throws if there is no answer. */
const system = (code: string, name = "Error") => Object.assign(new Error(`${code} happened`), { code, name })

const classify = (cause: unknown) => {
  const error = storeError("PutObject", cause)
  return [error._tag, "retryable" in error && error.retryable]
}

describe("storeError, given a response", () => {
  it.each([
    [403, "AccessDenied", "AccessDenied", false],
    [403, "Unknown", "AccessDenied", false],
    [403, "InvalidAccessKeyId", "CredentialsRejected", false],
    [403, "SignatureDoesNotMatch", "CredentialsRejected", false],
    [403, "RequestTimeTooSkewed", "CredentialsRejected", false],
    [400, "ExpiredToken", "CredentialsRejected", false],
    [404, "NoSuchBucket", "BucketUnusable", false],
    [301, "PermanentRedirect", "BucketUnusable", false],
    [400, "AuthorizationHeaderMalformed", "BucketUnusable", false],
    [412, "PreconditionFailed", "ObjectExists", false],
    [403, "NotSignedUp", "AccessDenied", false],
    [400, "InvalidRegionName", "BucketUnusable", false],
    [400, "IncorrectEndpoint", "BucketUnusable", false],
    [403, "SecondLevelDomainForbidden", "BucketUnusable", false],
    [403, "PathStyleDomainForbidden", "BucketUnusable", false],
    [400, "InvalidTag", "UploadFailed", false],
    [400, "EntityTooLarge", "UploadFailed", false],
    [413, "Unknown", "UploadFailed", false],
    // no store refuses a request without a code
    [400, "Unknown", "NetworkFailure", false],
    [302, "Unknown", "NetworkFailure", false],
    [308, "Unknown", "NetworkFailure", false],
    [409, "ConditionalRequestConflict", "UploadFailed", true],
    [400, "InvalidStorageClass", "UploadFailed", false],
    [501, "NotImplemented", "UploadFailed", false],
    [400, "BadDigest", "IntegrityFailure", true],
    [400, "XAmzContentChecksumMismatch", "IntegrityFailure", true],
    [400, "RequestTimeout", "NetworkFailure", true],
    [503, "SlowDown", "StoreUnavailable", true],
    [500, "InternalError", "StoreUnavailable", true],
    [502, "Unknown", "StoreUnavailable", true],
    [429, "Unknown", "StoreUnavailable", true],
    [400, "constructor", "UploadFailed", false],
    [599, "Whatever", "StoreUnavailable", true],
    // CompleteMultipartUpload may send an error with status 200
    [200, "InternalError", "StoreUnavailable", true],
    [200, "Error", "NetworkFailure", true],
    [204, "Unknown", "NetworkFailure", true]
  ])("classifies %i %s as %s; retryable: %s", (status, name, tag, retryable) => {
    expect(classify(answered(status, name))).toEqual([tag, retryable])
  })

  it("keeps the code, status and request id", () => {
    expect(storeError("PutObject", answered(503, "SlowDown"))).toMatchObject({
      code: "SlowDown",
      status: 503,
      requestId: "R1",
      message: "PutObject: said the store (503 SlowDown)"
    })
  })

  it("masks secrets of the request that the response repeats", () => {
    const echo = "token: tok/en+1, Authorization: AWS4-HMAC-SHA256 Credential=a, Signature=0f"
    const error = storeError("PutObject", Object.assign(answered(403, "AccessDenied"), { message: echo }))
    const cleaned = withoutSecrets(error, { secretAccessKey: "AccessD", sessionToken: "tok/en+1" })
    expect(cleaned).toMatchObject({ _tag: "AccessDenied", message: expect.stringContaining("token: …") })
    expect(cleaned.message).not.toMatch(/tok\/en|Signature|Credential/)
  })

  it.each([
    [
      "did not establish a connection with the server within the configured timeout of 10000 ms.",
      "no connection within 10.0 s"
    ],
    ["the request socket timed out after 30000 ms of inactivity (configured).", "no traffic for 30.0 s"],
    ["[ERROR] a request has exceeded the configured 5000 ms requestTimeout.", "no complete answer within 5.0 s"]
  ])("describes a late response in plain words: %s", (message, words) => {
    const late = Object.assign(new Error(`@smithy/node-http-handler - ${message}`), { name: "TimeoutError" })
    expect(storeError("PutObject", late).message).toBe(`PutObject: ${words} (TimeoutError)`)
  })

  it.each([
    ["a document that is no XML", 200, "SyntaxError", "Deserialization error: no", "NetworkFailure", true],
    ["a document of endless depth", 400, "RangeError", "Deserialization error: no", "NetworkFailure", false],
    ["an empty code and message", 400, "", "", "NetworkFailure", false],
    ["no document", 503, "Unknown", "Unknown", "StoreUnavailable", true],
    ["no document", 307, "Unknown", "UnknownError", "StoreUnavailable", true]
  ])("describes an answer with %s; status %i", (_, status, name, message, tag, retryable) => {
    const error = storeError("PutObject", Object.assign(answered(status, name), { message }))
    expect(error).toMatchObject({ _tag: tag, retryable, code: undefined })
    expect(error.message).toMatch(/^PutObject: the answer (is incomplete or not XML|has no explanation) \(\d+\)$/)
  })

  it("reports an HTML page as a response that no store sends", () => {
    const page = storeError("PutObject", answered(403, "Unknown", { "content-type": "text/html" }))
    expect(page.message).toBe("PutObject: answered with text/html, which no store does (403)")
  })

  it.each(["AccessDenied", "InvalidClientTokenId", "ExpiredTokenException"])(
    "attributes %s from the token service to the credentials, not to the bucket",
    (name) => {
      const error = storeError("credentials", answered(403, name))
      expect(error._tag).toBe("CredentialsRejected")
      expect(error.hint).toContain("sts:AssumeRole")
    }
  )

  it.each([
    ["7", 7],
    [new Date(Date.now() + 30_000).toUTCString(), 29]
  ])("reads the delay from Retry-After: %s", (header, least) => {
    const error = storeError("PutObject", answered(503, "SlowDown", { "retry-after": header }))
    const seconds = "retryAfter" in error && error.retryAfter ? Duration.toSeconds(error.retryAfter) : 0
    expect(seconds).toBeGreaterThanOrEqual(least - 1)
    expect(seconds).toBeLessThanOrEqual(least + 1)
  })
})

describe("storeError, given a failure without a response", () => {
  it.each([
    ["ECONNREFUSED", "NetworkFailure", true],
    ["ENOTFOUND", "NetworkFailure", true],
    ["EHOSTUNREACH", "NetworkFailure", true],
    ["CERT_HAS_EXPIRED", "TlsFailure", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "TlsFailure", false],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "TlsFailure", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "TlsFailure", false],
    ["EPROTO", "TlsFailure", false],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "TlsFailure", false],
    ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "TlsFailure", false],
    ["URIError", "UploadFailed", false],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "TlsFailure", false],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "TlsFailure", false],
    ["EPIPE", "NetworkFailure", true],
    ["ETIMEDOUT", "NetworkFailure", true],
    ["HPE_INVALID_CONSTANT", "NetworkFailure", false],
    ["ERR_INVALID_CHAR", "UploadFailed", false]
  ])("classifies %s as %s; retryable: %s", (code, tag, retryable) => {
    expect(classify(system(code))).toEqual([tag, retryable])
  })

  it.each([
    ["EPROTO", "wrong version number", "ERR_SSL_WRONG_VERSION_NUMBER", /does not speak TLS/, /http:\/\//],
    ["EPROTO", "tlsv1 alert protocol version", "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", /no TLS version/, /TLS 1\.2/],
    ["EPROTO", "sslv3 alert handshake failure", "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", /handshake/, /client cert/]
  ])("describes an OpenSSL error in plain words: %s with %s", (code, reason, shown, detail, hint) => {
    const dump = `write EPROTO 40F7:error:0A00010B:SSL routines:ssl3_get_record:${reason}:../deps/openssl/rec.c:354:\n`
    const error = storeError("PutObject", Object.assign(new Error(dump), { code }))
    expect(error).toMatchObject({ _tag: "TlsFailure", code: shown, hint: expect.stringMatching(hint) })
    expect(error.message).toMatch(detail)
    expect(error.message).not.toMatch(/openssl|routines/)
  })

  it("repeats no advice on how to start Node", () => {
    const message =
      "self-signed certificate; if the root CA is installed locally, try running Node.js with --use-system-ca"
    const error = storeError("PutObject", Object.assign(new Error(message), { code: "SELF_SIGNED_CERT_IN_CHAIN" }))
    expect(error.message).toBe("PutObject: self-signed certificate (SELF_SIGNED_CERT_IN_CHAIN)")
  })

  it("classifies a reset by its code, even if the SDK calls it a timeout", () => {
    expect(storeError("PutObject", system("ECONNRESET", "TimeoutError"))).toMatchObject({
      _tag: "NetworkFailure",
      code: "ECONNRESET"
    })
    expect(classify(Object.assign(new Error("late"), { name: "TimeoutError" }))).toEqual(["NetworkFailure", true])
  })

  it.each([
    [
      "a connection that was reset",
      connectionReset(),
      "NetworkFailure",
      true,
      "PutObject: socket hang up (ECONNRESET)"
    ],
    [
      "a connection without traffic",
      new StalledError("no progress for 30.0 s"),
      "NetworkFailure",
      true,
      "PutObject: no progress for 30.0 s (StalledError)"
    ],
    [
      "a response that is not HTTP",
      new MalformedResponse("no"),
      "NetworkFailure",
      false,
      "PutObject: no (ERR_HTTP_MALFORMED_RESPONSE)"
    ],
    [
      "a host with several addresses",
      Object.assign(new AggregateError([new Error("connect ECONNREFUSED ::1:9"), new Error("and 127.0.0.1:9")]), {
        code: "ECONNREFUSED"
      }),
      "NetworkFailure",
      true,
      "PutObject: connect ECONNREFUSED ::1:9, and 127.0.0.1:9 (ECONNREFUSED)"
    ]
  ])("classifies a failure of this program's HTTP client: %s", (_, cause, tag, retryable, message) => {
    expect(storeError("PutObject", cause)).toMatchObject({ _tag: tag, retryable, message })
  })

  it.each([
    [407, false, /login/],
    [403, false, /does not let/],
    [502, true, /cannot reach/],
    [undefined, true, /cannot reach/]
  ])("classifies a tunnel that a proxy refuses with status %s as a network failure", (statusCode, retryable, hint) => {
    const refused = Object.assign(system("ERR_PROXY_TUNNEL"), statusCode === undefined ? {} : { statusCode })
    expect(storeError("PutObject", refused)).toMatchObject({
      _tag: "NetworkFailure",
      retryable,
      hint: expect.stringMatching(hint)
    })
  })

  it("returns CredentialsMissing if no source has credentials", () => {
    const none = Object.assign(new Error("Could not load credentials"), { name: "CredentialsProviderError" })
    expect(classify(none)).toEqual(["CredentialsMissing", false])
  })

  it("returns BucketUnusable if no endpoint follows from the bucket's name or ARN", () => {
    const none = Object.assign(new Error("Invalid ARN"), { name: "EndpointError" })
    expect(classify(none)).toEqual(["BucketUnusable", false])
  })

  it("classifies a thrown value that is not an error", () => {
    expect(classify("what")).toEqual(["UploadFailed", false])
    expect(classify(undefined)).toEqual(["UploadFailed", false])
  })
})

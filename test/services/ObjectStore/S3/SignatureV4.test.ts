import { describe, expect, it } from "@effect/vitest"
import * as SignatureV4 from "../../../../src/services/ObjectStore/S3/SignatureV4.ts"
import { reference, suite } from "../../../fixtures/SignatureVectors.ts"

const scope = { region: "eu-central-1", service: "s3" }
const identity: SignatureV4.Identity = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret" }
const noon = Date.UTC(2026, 0, 2, 12)
const put: SignatureV4.Unsigned = {
  method: "PUT",
  path: "/ibsr/host/snapshot_2026010203.jsonl",
  query: "",
  headers: { host: "bucket.s3.eu-central-1.amazonaws.com", "content-type": "application/x-ndjson" },
  payloadHash: "UNSIGNED-PAYLOAD"
}

describe("a signer", () => {
  const authorization = SignatureV4.authorization(suite.scope)
  it.each(suite.requests)("signs $name as AWS's test suite does", ({ request, signature }) => {
    expect(authorization(request, suite.identity, suite.stamp)).toBe(
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
        `SignedHeaders=${Object.keys(request.headers).toSorted().join(";")}, Signature=${signature}`
    )
  })

  const sign = SignatureV4.make(reference.scope)
  it.each(reference.requests)("signs $name as the S3 API reference does", ({ request, signature }) => {
    const names = [...Object.keys(request.headers), "x-amz-content-sha256", "x-amz-date"].toSorted()
    expect(sign(request, reference.identity, reference.atMillis)).toEqual({
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
        `SignedHeaders=${names.join(";")}, Signature=${signature}`,
      "x-amz-content-sha256": request.payloadHash,
      "x-amz-date": "20130524T000000Z"
    })
  })
})

describe("a signer's cache", () => {
  const fresh = (at: number, signedBy = identity, signedFor = scope) => SignatureV4.make(signedFor)(put, signedBy, at)

  it.each([
    ["the next second", { at: noon + 1000 }],
    ["the first moment of the next day", { at: Date.UTC(2026, 0, 3) }],
    ["the last moment of the day before", { at: Date.UTC(2026, 0, 2) - 1 }],
    ["the same time a year later", { at: Date.UTC(2027, 0, 2, 12) }],
    ["another secret of the same key id", { at: noon, by: { ...identity, secretAccessKey: "another" } }],
    ["another key id with the same secret", { at: noon, by: { ...identity, accessKeyId: "AKIDANOTHER" } }],
    ["a session token", { at: noon, by: { ...identity, sessionToken: "a token" } }]
  ])("is not used for %s", (_, { at, by }: { at: number; by?: SignatureV4.Identity }) => {
    const sign = SignatureV4.make(scope)
    const before = sign(put, identity, noon)
    const other = sign(put, by ?? identity, at)
    expect(other["authorization"]).not.toBe(before["authorization"])
    expect(other).toEqual(fresh(at, by))
    expect(sign(put, identity, noon)).toEqual(before)
  })

  it.each([
    ["region", { ...scope, region: "eu-central-2" }],
    ["service", { ...scope, service: "s3express" }]
  ])("is not used for another %s", (_, other) => {
    const digest = (headers: Record<string, string>) => headers["authorization"]?.slice(-64)
    expect(digest(fresh(noon, identity, other))).not.toBe(digest(fresh(noon)))
  })

  it("keeps a timestamp for one second", () => {
    const sign = SignatureV4.make(scope)
    const stampAt = (at: number) => sign(put, identity, at)["x-amz-date"]
    expect(["20260102T120000Z", "20260102T120000Z", "20260102T120001Z"]).toEqual(
      [noon, noon + 999, noon + 1000].map(stampAt)
    )
    expect(stampAt(noon - 0.5)).toBe("20260102T115959Z")
  })
})

describe("SignatureV4.encodeKey", () => {
  it.each([
    ["ibsr/host-1/snapshots/snapshot_2026010203.jsonl", "ibsr/host-1/snapshots/snapshot_2026010203.jsonl"],
    ["a~b.c-d_e", "a~b.c-d_e"],
    ["", ""],
    ["a b+c", "a%20b%2Bc"],
    ["!'()*", "%21%27%28%29%2A"],
    ["/a//b/", "/a//b/"],
    ["%2F", "%252F"],
    ["\u00fc\u65e5\u{1f600}", "%C3%BC%E6%97%A5%F0%9F%98%80"],
    ["a\n", "a%0A"]
  ])("encodes %j as %j", (key, encoded) => {
    expect(SignatureV4.encodeKey(key)).toBe(encoded)
  })

  it("throws on half a surrogate pair", () => {
    expect(() => SignatureV4.encodeKey("\ud800")).toThrow(URIError)
  })
})

import { PutObjectCommand, S3Client, UploadPartCommand } from "@aws-sdk/client-s3"
import { describe, expect, it } from "@effect/vitest"
import { escapeUri, escapeUriPath, HttpRequest, HttpResponse } from "@smithy/core/protocols"
import { SignatureV4 as SdkSigner } from "@smithy/signature-v4"
import { FastCheck as fc } from "effect"
import * as SignatureV4 from "../../../../src/services/ObjectStore/S3/SignatureV4.ts"
import { Sha256 } from "../../../../scripts/strict-s3/Signature.ts"

const owner: SignatureV4.Identity = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret" }
const noon = Date.UTC(2026, 0, 2, 12)

/** The headers that the SDK's signer adds. `query`: decoded, as that signer expects it. */
const bySdk = async (
  { headers, method, path, payloadHash }: SignatureV4.Unsigned,
  query: Record<string, Array<string>>,
  { accessKeyId, secretAccessKey, sessionToken }: SignatureV4.Identity,
  region: string,
  atMillis: number
) => {
  const signer = new SdkSigner({
    service: "s3",
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false
  })
  const signed = await signer.sign(
    new HttpRequest({ method, path, query, headers: { ...headers, "x-amz-content-sha256": payloadHash } }),
    // signs even headers that a proxy may change, because the caller decides which headers to pass
    { signingDate: new Date(atMillis), signableHeaders: new Set(Object.keys(headers)) }
  )
  return Object.fromEntries(Object.entries(signed.headers).filter(([name]) => headers[name] === undefined))
}

const anyText = fc.oneof(fc.string(), fc.string({ unit: "binary" }))
const oddText = fc.string({ unit: fc.constantFrom(..."aZ09-._~!'()*/ +%2F&=?#[]@:$,;\u00fc\u65e5\u{1f600}") })
const keys = fc.oneof(fc.stringMatching(/^[\w.~/-]*$/), anyText, oddText)

/** Header values that S3 accepts: visible ASCII, spaces and tabs. */
const headerValues = fc.oneof(
  fc.stringMatching(/^[!-~]*$/),
  fc.string({ unit: fc.constantFrom("a", "B", " ", " ", "\t", "=", "&", '"', ",") })
)
const headerNames = [
  "cache-control",
  "content-length",
  "content-md5",
  "content-type",
  "expect",
  "if-none-match",
  "x-amz-checksum-crc32",
  "x-amz-checksum-sha256",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-storage-class",
  "x-amz-tagging"
]
const requestHeaders = fc
  .dictionary(
    fc.oneof(fc.constantFrom(...headerNames), fc.stringMatching(/^x-amz-meta-[a-z0-9_.-]{1,12}$/)),
    headerValues
  )
  .chain((others) =>
    fc.shuffledSubarray(Object.entries({ ...others, host: "bucket.example:9000" }), {
      minLength: Object.keys(others).length + 1
    })
  )
  .map((entries) => Object.fromEntries(entries))

const parameterNames = fc
  .oneof(fc.constantFrom("a", "a-b", "a.b", "ab", "A", "uploadId", "partNumber"), keys)
  // a parameter needs a name, and the SDK drops `__proto__`
  .filter((name) => name !== "" && name !== "__proto__")
const parameterLists = fc.array(fc.tuple(parameterNames, fc.oneof(fc.constant(""), keys), fc.boolean()), {
  maxLength: 5
})

const payloadHashes = fc.oneof(fc.constant("UNSIGNED-PAYLOAD"), fc.stringMatching(/^[0-9a-f]{64}$/))
const regions = fc.constantFrom("eu-central-1", "us-east-1", "auto")
// few different values, and many times around midnight, so that cached keys and timestamps are reused and replaced
const identities = fc.constantFrom<SignatureV4.Identity>(
  owner,
  { ...owner, secretAccessKey: "another secret" },
  { ...owner, accessKeyId: "AKIDANOTHER" },
  { ...owner, sessionToken: "a token//+==" },
  { ...owner, sessionToken: "another token" },
  { ...owner, sessionToken: "" }
)
const times = fc.oneof(
  fc.tuple(
    fc.constantFrom(noon, Date.UTC(2024, 1, 29, 24), Date.UTC(2027, 0, 1)),
    fc.integer({ min: -2000, max: 2000 })
  ),
  fc.tuple(fc.constant(0), fc.integer({ min: 0, max: Date.UTC(2100, 0) }))
)

describe("SignatureV4 and the SDK's signer", () => {
  const perRegion = new Map<string, ReturnType<typeof SignatureV4.make>>()

  it("add the same headers to any request, independently of earlier requests", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          method: fc.constantFrom("PUT", "POST"),
          key: keys,
          headers: requestHeaders,
          payloadHash: payloadHashes
        }),
        parameterLists,
        identities,
        regions,
        times,
        async ({ key, ...rest }, parameters, identity, region, [base, offset]) => {
          const query = parameters.map(([name, value, bare]) =>
            bare && value === "" ? escapeUri(name) : `${escapeUri(name)}=${escapeUri(value)}`
          )
          const request = { ...rest, path: `/bucket/${SignatureV4.encodeKey(key)}`, query: query.join("&") }
          const decoded = new Map<string, Array<string>>()
          for (const [name, value] of parameters) decoded.set(name, [...(decoded.get(name) ?? []), value])
          const sign = perRegion.get(region) ?? SignatureV4.make({ region, service: "s3" })
          perRegion.set(region, sign)

          const atMillis = base + offset
          expect(sign(request, identity, atMillis)).toEqual(
            await bySdk(request, Object.fromEntries(decoded), identity, region, atMillis)
          )
        }
      ),
      { numRuns: 1000 }
    ))

  it.each([
    [
      "PutObject",
      new PutObjectCommand({ Bucket: "bucket", Key: "a b/(\u00fc)!.jsonl", Body: "x", Metadata: { a: " b  c " } })
    ],
    [
      "UploadPart",
      new UploadPartCommand({ Bucket: "bucket", Key: "a*'.gz", Body: "x", PartNumber: 7, UploadId: "a+b/c=" })
    ]
  ])("sign the SDK client's %s in the same way", async (_, command) => {
    const sent: Array<HttpRequest> = []
    const client = new S3Client({
      region: "eu-central-1",
      credentials: { ...owner, sessionToken: "a token" },
      requestHandler: {
        handle: async (request: HttpRequest) => {
          sent.push(request)
          return { response: new HttpResponse({ statusCode: 200, headers: {} }) }
        }
      }
    })
    await (command instanceof PutObjectCommand ? client.send(command) : client.send(command))
    const [{ headers, method, path, query } = new HttpRequest({})] = sent
    const signed = (/SignedHeaders=([^,]+)/.exec(headers["authorization"] ?? "")?.[1] ?? "").split(";")
    const at = headers["x-amz-date"]?.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z") ?? ""

    expect(path).toBe(`/${SignatureV4.encodeKey(command.input.Key ?? "")}`)
    const added = SignatureV4.make({ region: "eu-central-1", service: "s3" })(
      {
        method,
        path,
        query: Object.entries(query)
          .map(([name, value]) => `${escapeUri(name)}=${escapeUri(String(value))}`)
          .join("&"),
        headers: Object.fromEntries(signed.map((name) => [name, headers[name] ?? ""])),
        payloadHash: headers["x-amz-content-sha256"] ?? ""
      },
      { ...owner, sessionToken: "a token" },
      Date.parse(at)
    )
    expect(headers).toMatchObject(added)
    expect(Object.keys(added)).toHaveLength(4)
  })

  it("encode any key in the same way", () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(SignatureV4.encodeKey(key)).toBe(escapeUriPath(key))
      }),
      { numRuns: 1000 }
    )
  })
})

import { describe, expect, it } from "@effect/vitest"
import { storeError } from "../../../../src/services/ObjectStore/S3/Errors.ts"
import * as Advice from "../../../../src/services/ObjectStore/S3/Advice.ts"
import { settingsWith } from "../../../fixtures/Settings.ts"

const MiB = 1024 ** 2

const circumstances = (changed: Partial<Advice.Circumstances> = {}): Advice.Circumstances => ({
  settings: settingsWith({ bucket: "b", endpoint: new URL("https://s3.example.com") }),
  region: { value: "us-east-1", source: "AWS_REGION" },
  caBundle: undefined,
  forwardingProxy: undefined,
  nameOf: (variable) => variable,
  hasSucceeded: () => false,
  hasSession: () => false,
  credentialOrigin: () => undefined,
  ...changed
})
const withSettings = (changed: Parameters<typeof settingsWith>[0], more: Partial<Advice.Circumstances> = {}) =>
  circumstances({ settings: settingsWith({ ...circumstances().settings, ...changed }), ...more })
const insecure = (more: Partial<Advice.Circumstances> = {}) =>
  withSettings({ endpoint: new URL("http://s3.example.com:9000") }, more)

/** What the SDK throws for an answer of the store. */
const answered = (status: number, code: string, more: object = {}, headers: Record<string, string> = {}) =>
  Object.assign(new Error("no"), { name: code, $metadata: { httpStatusCode: status }, $response: { headers } }, more)
const page = (status: number, headers: Record<string, string> = {}) =>
  answered(status, "Unknown", {}, { "content-type": "text/html", ...headers })
/** What Node throws. */
const system = (code: string, more: object = {}) => Object.assign(new Error("no"), { code, ...more })

interface Given {
  readonly cause: unknown
  readonly in?: Advice.Circumstances
  readonly operation?: string
  readonly request?: Advice.SentRequest
}
const advise = ({ cause, in: given = circumstances(), operation = "PutObject", request }: Given) =>
  Advice.withAdvice(given)(storeError(operation, cause), request)

describe("the hint of a denial", () => {
  const denied = answered(403, "AccessDenied")

  it("names the policy, the bucket and the secret, until a request succeeds", () => {
    expect(advise({ cause: denied }).hint).toMatch(/s3:PutObject.*bucket b exists.*secret access key/)
    expect(advise({ cause: denied, in: circumstances({ hasSucceeded: () => true }) }).hint).not.toMatch(/secret|exists/)
  })

  it.each([
    [{ tags: { a: "1" } }, /s3:PutObjectTagging for --tag/],
    [{ acl: "private" }, /s3:PutObjectAcl for --acl/],
    [{ sse: "kms" }, /kms:GenerateDataKey/],
    [{}, /policy requires --no-overwrite or --sse/]
  ] as const)("names the permissions that the flags require: %j", (flags, hint) => {
    expect(advise({ cause: denied, in: withSettings(flags) }).hint).toMatch(hint)
  })

  it("is that of the error code, if the code has one", () => {
    expect(advise({ cause: answered(403, "NotSignedUp") }).hint).toMatch(/not signed up/)
  })
})

describe("the hint of an unknown access key", () => {
  const unknown = answered(403, "InvalidAccessKeyId")
  it("names the session, if there is one", () => {
    expect(advise({ cause: unknown, in: circumstances({ hasSession: () => true }) }).hint).toMatch(
      /session has expired/
    )
    expect(advise({ cause: unknown }).hint).not.toMatch(/session/)
  })
})

describe("an error with a more specific hint", () => {
  it("keeps its cause, which other decisions need", () => {
    const cause = answered(403, "AccessDenied")
    expect(advise({ cause }).cause).toBe(cause)
  })
})

describe("the hint of a wrong region", () => {
  const malformed = answered(400, "AuthorizationHeaderMalformed", { Region: "garage" })
  const region = { value: "garage", source: "--region" }

  it.each([
    [malformed, /the bucket is in garage, not in us-east-1, which comes from AWS_REGION: give --region garage/],
    [answered(301, "PermanentRedirect", {}, { "x-amz-bucket-region": "eu-west-1" }), /--region eu-west-1/],
    [answered(301, "Unknown", {}, { "x-amz-bucket-region": "eu-west-1" }), /--region eu-west-1/],
    [answered(301, "PermanentRedirect", { Endpoint: "b.s3.eu-west-1.amazonaws.com" }), /--region eu-west-1/],
    [answered(301, "PermanentRedirect", { Endpoint: "b.s3-eu-west-1.amazonaws.com" }), /--region eu-west-1/],
    [
      answered(301, "PermanentRedirect", { Endpoint: "b.s3.amazonaws.com" }),
      /at b\.s3\.amazonaws\.com: check --endpoint/
    ],
    [
      answered(400, "IllegalLocationConstraintException"),
      /region of the bucket; it does not accept us-east-1, from AWS/
    ]
  ])("names the right region, and the source of the current region: %#", (cause, hint) => {
    expect(advise({ cause }).hint).toMatch(hint)
  })

  it("names the only region that the provider has", () => {
    const r2 = { endpoint: new URL("https://a.r2.cloudflarestorage.com") }
    expect(advise({ cause: answered(400, "InvalidRegionName"), in: withSettings(r2) }).hint).toBe(
      "give --region auto; it does not accept us-east-1, from AWS_REGION"
    )
  })

  it("does not advise the region that is already in use", () => {
    expect(advise({ cause: malformed, in: circumstances({ region }) }).hint).not.toMatch(/--region garage/)
  })

  it.each(["InvalidTag", "InvalidArgument", "KeyTooLongError", "EntityTooSmall", "InvalidRequest", "MalformedXML"])(
    "is not given for %s, although the response names a region",
    (code) => {
      const cause = answered(400, code, { Region: "eu-west-1" }, { "x-amz-bucket-region": "eu-west-1" })
      expect(advise({ cause }).hint).not.toMatch(/region/)
    }
  )
})

describe("the hint of an unusable address", () => {
  const hostStyle = withSettings({ forcePathStyle: false })
  const ofProvider = withSettings({ endpoint: new URL("https://cos.ap-guangzhou.myqcloud.com") })
  const noSuchBucket = answered(404, "NoSuchBucket", { BucketName: "ibsr" })
  const unknownName = system("ENOTFOUND", { hostname: "b.s3.example.com" })

  it.each([
    [noSuchBucket, hostStyle, /took ibsr for the bucket: remove --force-path-style=no/],
    [noSuchBucket, ofProvider, /took ibsr for the bucket: a store .* needs --force-path-style$/],
    [noSuchBucket, circumstances(), /took ibsr for the bucket: check --endpoint/],
    [answered(404, "NoSuchBucket", { BucketName: "b" }), hostStyle, /create the bucket/],
    [
      answered(403, "SecondLevelDomainForbidden"),
      withSettings({ forcePathStyle: true }),
      /host name: remove --force-path-style$/
    ],
    [answered(403, "PathStyleDomainForbidden"), circumstances(), /host name: give --force-path-style=no$/],
    [unknownName, hostStyle, /check the host's DNS and --endpoint; remove --force-path-style=no/],
    [unknownName, circumstances(), /^check the host's DNS and the spelling of --endpoint$/]
  ])("recommends the other style of addressing: %#", (cause, given, hint) => {
    expect(advise({ cause, in: given }).hint).toMatch(hint)
  })

  it.each([
    page(301, { location: "https://s3.example.com/b/k" }),
    answered(308, "Unknown", {}, { location: "https://s3.example.com/b/k" }),
    answered(302, "Unknown", {}, { location: "https://b.s3.example.com/k" })
  ])("recommends https if the store redirects to https: %#", (cause) => {
    expect(advise({ cause, in: insecure() }).hint).toMatch(/--endpoint https:\/\/(b\.)?s3\.example\.com$/)
  })

  it("does not recommend the current endpoint if the store redirects to the same endpoint", () => {
    const same = answered(307, "Unknown", {}, { location: "http://s3.example.com:9000/other" })
    expect(advise({ cause: same, in: insecure() }).hint).toMatch(/^the store is overloaded or down/)
  })

  it("names the address that a login page redirects to", () => {
    const login = page(302, { location: "https://login.example.net/?next=1" })
    expect(advise({ cause: login, in: insecure() }).hint).toMatch(/login page.*https:\/\/login\.example\.net:/)
  })

  it.each([system("ECONNRESET"), system("ERR_HTTP_MALFORMED_RESPONSE"), page(400), answered(400, "Unknown")])(
    "recommends https if a server responds to plain HTTP like a server that expects TLS: %#",
    (cause) => {
      expect(advise({ cause, in: insecure() }).hint).toMatch(/--endpoint https:\/\/s3\.example\.com:9000/)
      expect(advise({ cause, in: insecure({ hasSucceeded: () => true }) }).hint).not.toMatch(/https:/)
      expect(advise({ cause }).hint).not.toMatch(/https:/)
    }
  )
})

describe("the hint of a refused request", () => {
  const r2 = new URL("https://a.r2.cloudflarestorage.com")
  const flags = { sse: "s3", tags: { a: "1" }, storageClass: "COLD", metadata: { m: "1" }, acl: "private" } as const
  it.each([
    [answered(501, "NotImplemented"), flags, /--sse s3 or --tag or --acl or --storage-class or --metadata asks for/],
    [answered(501, "NotImplemented"), { tags: { a: "1" } }, /what --tag asks for: leave it out/],
    [answered(501, "NotImplemented"), { noOverwrite: true }, /--no-overwrite/],
    [
      answered(501, "NotImplemented"),
      { ...flags, endpoint: r2 },
      /^Cloudflare R2 does not implement --sse s3 or --tag or --acl:/
    ],
    [answered(501, "NotImplemented"), { storageClass: "COLD", endpoint: r2 }, /what --storage-class asks for/],
    [answered(400, "InvalidRequest"), { sse: "s3" }, /try without --sse s3/],
    [answered(400, "InvalidRequest"), {}, /^look up the code/],
    [answered(400, "InvalidTag"), { tags: { a: "1" } }, /--tag/],
    [answered(500, "InternalError"), { sse: "kms" }, /--sse kms asks for: try without/],
    [answered(500, "InternalError"), {}, /overloaded or down/]
  ] as const)("names the flags that were given: %#", (cause, given, hint) => {
    expect(advise({ cause, in: withSettings(given) }).hint).toMatch(hint)
  })

  it("does not blame a flag for an outage in the middle of a run", () => {
    const given = withSettings({ sse: "s3" }, { hasSucceeded: () => true })
    expect(advise({ cause: answered(500, "InternalError"), in: given }).hint).toMatch(/overloaded or down/)
  })

  it.each([
    ["PutObject", /check --endpoint/],
    ["CreateMultipartUpload", /raise --part-size/]
  ])("names the missing feature of the store if %s fails and no flag was given", (operation, hint) => {
    expect(advise({ cause: answered(501, "NotImplemented"), operation }).hint).toMatch(hint)
  })

  it.each([
    [page(413), 2_000_000, /raise the limit.*client_max_body_size.*refuses 2\.0 MB/],
    [page(413), 5 * MiB, /raise the limit/],
    [page(413), 5 * MiB + 1, /smaller --part-size/],
    [answered(400, "EntityTooLarge"), 8 * MiB, /smaller --part-size/],
    [answered(400, "EntityTooLarge"), 100, /raise the limit/]
  ])("recommends smaller parts only if parts can be smaller: %#", (cause, bodyBytes, hint) => {
    expect(advise({ cause, request: { bodyBytes } }).hint).toMatch(hint)
  })

  it.each([
    ["InvalidArgument", 1001, /part 1001: raise --part-size/],
    ["InvalidPartNumber", 2, /raise --part-size/],
    ["InvalidArgument", 1, /look up the code/],
    ["MalformedXML", 1001, /look up the code/]
  ])("recommends fewer parts if %s refuses part %i", (code, partNumber, hint) => {
    expect(advise({ cause: answered(400, code), operation: "UploadPart", request: { partNumber } }).hint).toMatch(hint)
  })

  it("mentions an existing object only if the request had a condition", () => {
    const refused = answered(412, "PreconditionFailed")
    expect(advise({ cause: refused, request: { isConditional: true } })).toMatchObject({ _tag: "ObjectExists" })
    const other = advise({ cause: refused })
    expect(other).toMatchObject({ _tag: "UploadFailed", status: 412, hint: expect.stringContaining("retention") })
    expect(other.hint).not.toContain("--no-overwrite")
  })
})

describe("the hint of a TLS failure", () => {
  it.each(["DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"])(
    "names the file with the CA certificates for %s",
    (code) => {
      expect(advise({ cause: system(code) }).hint).toMatch(/set AWS_CA_BUNDLE/)
      const caBundle = { value: "/etc/ca.pem", source: "ca_bundle in the profile two" }
      expect(advise({ cause: system(code), in: circumstances({ caBundle }) }).hint).toMatch(
        /not in \/etc\/ca\.pem \(ca_bundle in the profile two\)/
      )
    }
  )

  const wrongName = system("ERR_TLS_CERT_ALTNAME_INVALID", {
    cert: { subjectaltname: "DNS:s3.example.com, IP Address:192.0.2.1" }
  })

  it("lists the host names in the certificate", () => {
    expect(advise({ cause: wrongName }).hint).toBe("the certificate is for s3.example.com, 192.0.2.1: check --endpoint")
  })

  it("mentions the style of addressing, unless the bucket is in the path", () => {
    const hostStyle = withSettings({ forcePathStyle: false })
    expect(advise({ cause: wrongName, in: hostStyle }).hint).toMatch(/; remove --force-path-style=no$/)
  })
})

describe("the hint of a proxy's failure", () => {
  const proxy = { variable: "HTTPS_PROXY", host: "proxy.example.com:3128" } as const

  it.each([
    [system("ECONNREFUSED", { proxy }), /the proxy proxy\.example\.com:3128 cannot be reached/],
    [system("ENOTFOUND", { proxy, hostname: "proxy.example.com" }), /cannot be reached/],
    [system("ERR_PROXY_TUNNEL", { proxy, statusCode: 407 }), /requires a login/],
    [system("ERR_PROXY_TUNNEL", { proxy, statusCode: 403 }), /does not let this host/],
    [system("ERR_PROXY_TUNNEL", { proxy, statusCode: 502 }), /cannot reach the store/]
  ])("names the proxy and its variable: %#", (cause, hint) => {
    const { hint: given } = advise({ cause, in: circumstances({ nameOf: () => "https_proxy" }) })
    expect(given).toMatch(hint)
    expect(given).toContain("https_proxy")
  })

  it.each([
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /issuer of the certificate of the proxy .*NODE_EXTRA_CA_CERTS/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", /proxy .* does not speak TLS: write http:/],
    ["CERT_HAS_EXPIRED", /check the certificate of the proxy/]
  ])("names the certificate of the proxy, if that is not acceptable: %s", (code, hint) => {
    const given = advise({ cause: system(code, { proxy }) })
    expect(given.hint).toMatch(hint)
    expect(given.hint).toContain("proxy.example.com:3128 (HTTPS_PROXY)")
    expect(given.message).toContain("proxy proxy.example.com:3128: ")
  })

  it("names the proxy, and not the store, if credentials are to come through it", () => {
    const given = advise({ cause: system("ECONNREFUSED", { proxy }), operation: "credentials" })
    expect(given.hint).toMatch(/^check HTTPS_PROXY: the proxy proxy\.example\.com:3128/)
  })

  it("names the service that issues credentials, if that cannot be reached without a proxy", () => {
    const given = advise({ cause: system("ETIMEDOUT"), operation: "credentials (web identity)" })
    expect(given.hint).toMatch(/service that issues credentials/)
  })

  const forwardingProxy = { variable: "HTTP_PROXY", host: "proxy.example.com:3128" } as const
  it.each([
    [page(502), /cannot reach the store/],
    [page(503), /cannot reach the store/],
    [answered(504, "Unknown"), /cannot reach the store/],
    [page(407), /requires a login/]
  ])("names a proxy that forwards requests: %#", (cause, hint) => {
    const given = advise({ cause, in: insecure({ forwardingProxy }) }).hint
    expect(given).toMatch(hint)
    expect(given).toContain("proxy.example.com:3128")
    expect(given).toContain("HTTP_PROXY")
  })

  it("names a gateway if the response is a page and no proxy is set", () => {
    expect(advise({ cause: page(502) }).hint).toMatch(/a proxy in front of the store/)
    expect(advise({ cause: answered(503, "SlowDown") }).hint).toMatch(/limits the rate/)
    expect(advise({ cause: answered(503, "ServiceUnavailable") }).hint).toMatch(/overloaded or down/)
  })
})

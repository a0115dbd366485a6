import { HttpRequest } from "@smithy/core/protocols"
import { SignatureV4 } from "@smithy/signature-v4"
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto"
import { S3Error } from "./Responses.ts"
import { parseQuery, splitTarget } from "./Target.ts"
import type { Headers, Identity, StrictS3Options } from "./Types.ts"

type Source = string | ArrayBuffer | ArrayBufferView

const bytes = (source: Source): string | Uint8Array => {
  if (typeof source === "string") return source
  return source instanceof ArrayBuffer
    ? new Uint8Array(source)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
}

/** The hash class that the SDK's signer requires: a plain hash without a key, an HMAC with one. */
export class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: Source) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytes(secret))
  }

  update(data: Source): void {
    this.#hash.update(bytes(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}

const malformed = (message: string, details: Record<string, string> = {}) =>
  new S3Error(400, "AuthorizationHeaderMalformed", `The authorization header is malformed; ${message}`, details)

const parseAuthorization = (authorization: string) => {
  const match = /^AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/.exec(
    authorization
  )
  if (match === null) throw malformed("it is not a signature of version 4.")
  const [, credential = "", signedHeaders = "", signature = ""] = match
  const [accessKeyId, day, region, service, terminator, ...rest] = credential.split("/")
  if (accessKeyId === undefined || day === undefined || service !== "s3" || terminator !== "aws4_request") {
    throw malformed("its credential is not KEY/DAY/REGION/s3/aws4_request.")
  }
  if (rest.length > 0) throw malformed("its credential has too many parts.")
  return { accessKeyId, day, region, signedHeaders: signedHeaders.split(";"), signature }
}

const parseDate = (text: string | undefined): Date => {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "")
  if (match === null) throw new S3Error(403, "AccessDenied", "AWS authentication requires a valid x-amz-date header")
  const [, year, month, day, hour, minute, second] = match
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

const maxSkewMs = 15 * 60 * 1000

const checkSigned = (headers: Headers, signedHeaders: readonly string[]): void => {
  const mandatory = ["host", "x-amz-date", "x-amz-content-sha256"]
  const present = Object.keys(headers).filter((name) => name.startsWith("x-amz-"))
  const unsigned = [...mandatory, ...present].filter((name) => !signedHeaders.includes(name))
  if (unsigned.length > 0) {
    throw new S3Error(403, "AccessDenied", "There were headers present in the request which were not signed", {
      HeadersNotSigned: unsigned.join(", ")
    })
  }
}

const checkToken = (headers: Headers, identity: Identity): void => {
  const token = headers["x-amz-security-token"]
  if (identity.sessionToken !== undefined && token === undefined) throw unknownKey(identity.accessKeyId)
  if (token !== identity.sessionToken) {
    throw new S3Error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
  }
  if (identity.expired === true) throw new S3Error(400, "ExpiredToken", "The provided token has expired.")
}

const unknownKey = (accessKeyId: string) =>
  new S3Error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", {
    AWSAccessKeyId: accessKeyId
  })

const mismatch = () =>
  new S3Error(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
  )

/** Finds the identity that signed a request by signing it again. Throws S3's error if there is none. */
export const authenticate = async (
  request: { method: string; path: string; headers: Headers },
  { clock, identities, region }: Required<Pick<StrictS3Options, "clock" | "identities" | "region">>
): Promise<Identity> => {
  const { headers } = request
  if (headers["authorization"] === undefined) throw new S3Error(403, "AccessDenied", "Access Denied")
  const claim = parseAuthorization(headers["authorization"])
  if (claim.region !== region) {
    throw malformed(`the region '${claim.region}' is wrong; expecting '${region}'`, { Region: region })
  }
  const identity = identities.find((candidate) => candidate.accessKeyId === claim.accessKeyId)
  if (identity === undefined) throw unknownKey(claim.accessKeyId)
  const signingDate = parseDate(headers["x-amz-date"])
  if (headers["x-amz-date"]?.slice(0, 8) !== claim.day)
    throw malformed("the day of its credential is not x-amz-date's.")
  if (Math.abs(clock() - signingDate.getTime()) > maxSkewMs) {
    throw new S3Error(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      {
        RequestTime: headers["x-amz-date"] ?? "",
        ServerTime: new Date(clock()).toISOString(),
        MaxAllowedSkewMilliseconds: "900000"
      }
    )
  }
  checkSigned(headers, claim.signedHeaders)
  checkToken(headers, identity)

  const signed: Record<string, string> = {}
  for (const name of claim.signedHeaders) {
    const value = headers[name]
    // clients sign bytes beyond ASCII in one encoding and send them in another, so the signature does not match, as at
    // AWS
    // oxlint-disable-next-line no-control-regex -- all of ASCII
    if (value === undefined || /[^\u0000-\u007f]/.test(value)) throw mismatch()
    signed[name] = value
  }
  const [path, query] = splitTarget(request.path)
  const signer = new SignatureV4({
    service: "s3",
    region,
    credentials: {
      accessKeyId: identity.accessKeyId,
      secretAccessKey: identity.secretAccessKey,
      ...(identity.sessionToken === undefined ? {} : { sessionToken: identity.sessionToken })
    },
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false
  })
  const expected = await signer.sign(
    new HttpRequest({ method: request.method, path, query: Object.fromEntries(parseQuery(query)), headers: signed }),
    { signingDate, signableHeaders: new Set(claim.signedHeaders) }
  )
  if (!expected.headers["authorization"]?.endsWith(`Signature=${claim.signature}`)) throw mismatch()
  return identity
}

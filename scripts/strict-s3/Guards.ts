import { sha256 } from "./Checksums.ts"
import { S3Error } from "./Responses.ts"
import type { Headers, Identity } from "./Types.ts"

const writes = new Set(["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])

/** Throws unless the identity may perform the operation. */
export const authorize = (identity: Identity, operation: string, key: string | undefined): void => {
  const { permissions } = identity
  if (permissions === "owner") return
  const permitted = writes.has(operation) || (operation === "AbortMultipartUpload" && permissions.abort)
  if (permitted && key?.startsWith(permissions.prefix) === true) return
  throw new S3Error(403, "AccessDenied", `${identity.accessKeyId} is not authorized to perform ${operation}`)
}

const missingLength = () => new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")

/** Throws unless the body was sent without chunks and matches the signature. */
export const verifyPayload = (operation: string, headers: Headers, body: Buffer, secure: boolean): void => {
  const signed = headers["x-amz-content-sha256"] ?? ""
  const chunked = (headers["content-encoding"] ?? "").split(",").some((coding) => coding.trim() === "aws-chunked")
  if (signed.startsWith("STREAMING-") || chunked || headers["x-amz-trailer"] !== undefined) throw missingLength()
  const put = operation === "PutObject" || operation === "UploadPart"
  if (put && headers["content-length"] === undefined) throw missingLength()
  if (signed === "UNSIGNED-PAYLOAD") {
    if (secure) return
    throw new S3Error(400, "InvalidRequest", "An unsigned payload is only accepted over TLS.")
  }
  if (!/^[0-9a-f]{64}$/.test(signed)) {
    throw new S3Error(400, "InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value.")
  }
  const actual = sha256(body).toString("hex")
  if (signed === actual) return
  throw new S3Error(
    400,
    "XAmzContentSHA256Mismatch",
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    { ClientComputedContentSHA256: signed, S3ComputedContentSHA256: actual }
  )
}

const storageClasses = new Set([
  "STANDARD",
  "STANDARD_IA",
  "REDUCED_REDUNDANCY",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "GLACIER_IR",
  "ONEZONE_IA",
  "DEEP_ARCHIVE"
])

const sse = "x-amz-server-side-encryption"

const isEncryptionContext = (text: string): boolean => {
  const decoded = Buffer.from(text, "base64")
  // Buffer skips invalid characters, so the decoded value is encoded again and compared
  if (decoded.toString("base64") !== text) return false
  try {
    const value: unknown = JSON.parse(decoded.toString())
    return typeof value === "object" && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

const checkTags = (tagging: string): void => {
  const invalid = (message: string) => new S3Error(400, "InvalidTag", message)
  if (/[^A-Za-z0-9%&=+._~*!'(),:/@ -]|%(?![0-9A-Fa-f]{2})/.test(tagging)) throw invalid("The tags are not URL-encoded.")
  const tags = [...new URLSearchParams(tagging)]
  if (tags.length > 10) throw invalid("Object tags cannot be greater than 10")
  if (new Set(tags.map(([name]) => name)).size < tags.length)
    throw invalid("Cannot provide multiple Tags with the same key")
  for (const [name, value] of tags) {
    if (name === "" || name.length > 128) throw invalid("The TagKey you have provided is invalid")
    if (value.length > 256) throw invalid("The TagValue you have provided is invalid")
  }
}

/** The user metadata in the headers, by name without the prefix. */
export const userMetadata = (headers: Headers): Record<string, string> => {
  const prefix = "x-amz-meta-"
  const entries = Object.entries(headers).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value ?? ""]))
}

/** Throws unless the headers that describe a new object are valid. Returns those that the answer echoes. */
export const checkObjectHeaders = (headers: Headers): Record<string, string> => {
  const invalid = (message: string) => new S3Error(400, "InvalidArgument", message)
  const storageClass = headers["x-amz-storage-class"]
  if (storageClass !== undefined && !storageClasses.has(storageClass)) {
    throw new S3Error(400, "InvalidStorageClass", "The storage class you specified is not valid")
  }
  const encryption = headers[sse]
  if (encryption !== undefined && encryption !== "AES256" && encryption !== "aws:kms") {
    throw invalid("The encryption method specified is not supported")
  }
  const kmsKey = headers[`${sse}-aws-kms-key-id`]
  if (kmsKey !== undefined && encryption !== "aws:kms") throw invalid("A KMS key needs the encryption aws:kms.")
  const context = headers[`${sse}-context`]
  if (context !== undefined && !isEncryptionContext(context)) {
    throw invalid("The encryption context is not the base64 of a JSON object.")
  }
  if (headers["x-amz-tagging"] !== undefined) checkTags(headers["x-amz-tagging"])
  const metadata = Object.entries(userMetadata(headers)).flat().join("")
  if (Buffer.byteLength(metadata) > 2048) {
    throw new S3Error(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.")
  }
  return {
    ...(encryption === undefined ? {} : { [sse]: encryption }),
    ...(kmsKey === undefined ? {} : { [`${sse}-aws-kms-key-id`]: kmsKey })
  }
}

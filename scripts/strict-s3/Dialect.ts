/** How a store differs from AWS. Without a field, the server behaves like AWS. */
import { S3Error } from "./Responses.ts"
import type { Headers, RecordedRequest } from "./Types.ts"

/** An error response. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** Operations by their S3 names, such as UploadPart. */
type Operations = ReadonlyArray<string>

export interface Dialect {
  /** These operations refuse the headers `x-amz-checksum-…` and `x-amz-sdk-checksum-…`. */
  readonly refusesChecksums?: Refusal & { readonly operations: Operations }
  /** Every request with Content-MD5 is refused. */
  readonly refusesMd5?: Refusal
  /** Every request with a body must have Content-MD5. */
  readonly requiresMd5?: boolean
  /** Responses do not contain the checksums of parts, and a completion must not name them. */
  readonly plainParts?: boolean
  /** The highest number of a part. Default: 10,000. */
  readonly maxParts?: number
  /** These operations ignore `If-None-Match`. */
  readonly ignoresCondition?: Operations
  /** Parameters that a request must not have. */
  readonly refusesParameters?: ReadonlyArray<string>
}

const checksumHeader = /^x-amz-(checksum|sdk-checksum)-/

/** Throws if the dialect does not allow the request. */
export const checkDialect = (
  { refusesChecksums, refusesMd5, refusesParameters = [], requiresMd5 = false }: Dialect,
  { headers, operation }: Pick<RecordedRequest, "headers" | "operation">,
  query: ReadonlyMap<string, string>
): void => {
  if (refusesParameters.some((name) => query.has(name)))
    throw new S3Error(403, "SignatureDoesNotMatch", "Access denied.")
  if (refusesChecksums?.operations.includes(operation) === true && hasHeader(headers, checksumHeader))
    throw refuse(refusesChecksums)
  const hasMd5 = headers["content-md5"] !== undefined
  if (refusesMd5 !== undefined && hasMd5) throw refuse(refusesMd5)
  if (requiresMd5 && !hasMd5 && (operation === "PutObject" || operation === "UploadPart"))
    throw new S3Error(400, "InvalidRequest", "Missing required header for this request: Content-MD5")
}

const hasHeader = (headers: Headers, pattern: RegExp) => Object.keys(headers).some((name) => pattern.test(name))

const refuse = ({ code, message, status }: Refusal) => new S3Error(status, code, message)

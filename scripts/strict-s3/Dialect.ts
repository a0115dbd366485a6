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
  /** No response to a part contains its checksum, and no completion may name it. */
  readonly plainParts?: boolean
  /** Parameters that no request may have. */
  readonly refusesParameters?: ReadonlyArray<string>
}

const checksumHeader = /^x-amz-(checksum|sdk-checksum)-/

/** Throws if the dialect does not allow the request. */
export const checkDialect = (
  { refusesChecksums, refusesParameters = [] }: Dialect,
  { headers, operation }: Pick<RecordedRequest, "headers" | "operation">,
  query: ReadonlyMap<string, string>
): void => {
  if (refusesParameters.some((name) => query.has(name)))
    throw new S3Error(403, "SignatureDoesNotMatch", "Access denied.")
  if (refusesChecksums?.operations.includes(operation) === true && hasHeader(headers, checksumHeader))
    throw refuse(refusesChecksums)
}

const hasHeader = (headers: Headers, pattern: RegExp) => Object.keys(headers).some((name) => pattern.test(name))

const refuse = ({ code, message, status }: Refusal) => new S3Error(status, code, message)

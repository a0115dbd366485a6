/** What goes with a body so that the store can tell whether it arrived whole, and what the answer must say of it. */
import { Effect } from "effect"
import { createHash, hash } from "node:crypto"
import { IntegrityFailure } from "../../../domain/Errors.ts"
import type { Checksum } from "../../../domain/StoreTraits.ts"

/** One of them. */
export interface ChecksumHeader {
  readonly ChecksumSHA256?: string
  readonly ContentMD5?: string
}

/** What is sent, and what is said of it. */
export interface Body {
  readonly bytes: Uint8Array
  /** In hexadecimal. */
  readonly sha256: string
  readonly checksum: ChecksumHeader
}

/** `sha256` in hexadecimal, where it is known already. */
export const bodyOf = (checksum: Checksum, bytes: Uint8Array, sha256 = hash("sha256", bytes, "hex")): Body => ({
  bytes,
  sha256,
  checksum:
    checksum === "SHA256"
      ? { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") }
      : { ContentMD5: createHash("md5").update(bytes).digest("base64") }
})

/** As it goes over the wire. */
export const checksumFields = ({ ChecksumSHA256, ContentMD5 }: ChecksumHeader): Readonly<Record<string, string>> => ({
  ...(ChecksumSHA256 === undefined ? {} : { "x-amz-checksum-sha256": ChecksumSHA256 }),
  ...(ContentMD5 === undefined ? {} : { "content-md5": ContentMD5 })
})

/** The checksum of the parts' checksums. Source: "Checking object integrity" in the Amazon S3 User Guide. */
export const composite = (checksums: ReadonlyMap<number, string>): ChecksumHeader => {
  if (checksums.size === 0) return {}
  const inOrder = [...checksums].sort(([a], [b]) => a - b).map(([, checksum]) => Buffer.from(checksum, "base64"))
  return { ChecksumSHA256: `${hash("sha256", Buffer.concat(inOrder), "base64")}-${inOrder.length}` }
}

/**
 * Not every store answers with a checksum; one that does must have got what was sent. `mayReplace`: sending it again
 * would replace what is wrong.
 */
export const mismatch = (
  operation: string,
  { ChecksumSHA256: sent }: ChecksumHeader,
  answer: { readonly ChecksumSHA256?: string | undefined },
  mayReplace = true
): IntegrityFailure | undefined =>
  sent === undefined || answer.ChecksumSHA256 === undefined || answer.ChecksumSHA256 === sent
    ? undefined
    : new IntegrityFailure({
        operation,
        detail: `SHA-256 of what was sent is ${sent}, of what was stored ${answer.ChecksumSHA256}`,
        retryable: mayReplace
      })

export const sameChecksum = (...of: Parameters<typeof mismatch>): Effect.Effect<void, IntegrityFailure> => {
  const wrong = mismatch(...of)
  return wrong === undefined ? Effect.void : Effect.fail(wrong)
}

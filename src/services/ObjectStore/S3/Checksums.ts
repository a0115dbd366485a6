/** Checksums of bodies: the store checks what it received, and the client checks the store's response. */
import { Effect } from "effect"
import { createHash, hash } from "node:crypto"
import { IntegrityFailure } from "../../../domain/Errors.ts"
import type { Checksum } from "../../../domain/StoreTraits.ts"

/** One of the two headers, or none. */
export interface ChecksumHeader {
  readonly ChecksumSHA256?: string
  readonly ContentMD5?: string
}

export interface Body {
  readonly bytes: Uint8Array
  /** In hexadecimal. */
  readonly sha256: string
  readonly checksum: ChecksumHeader
}

/** `sha256`: the SHA-256 of the bytes in hexadecimal, if it is known. */
export const bodyOf = (checksum: Checksum, bytes: Uint8Array, sha256 = hash("sha256", bytes, "hex")): Body => ({
  bytes,
  sha256,
  checksum: headerOf[checksum](bytes, sha256)
})

const headerOf: Record<Checksum, (bytes: Uint8Array, sha256: string) => ChecksumHeader> = {
  SHA256: (_, sha256) => ({ ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") }),
  MD5: (bytes) => ({ ContentMD5: createHash("md5").update(bytes).digest("base64") }),
  none: () => ({})
}

/** Returns the header as it is sent. */
export const checksumFields = ({ ChecksumSHA256, ContentMD5 }: ChecksumHeader): Readonly<Record<string, string>> => ({
  ...(ChecksumSHA256 === undefined ? {} : { "x-amz-checksum-sha256": ChecksumSHA256 }),
  ...(ContentMD5 === undefined ? {} : { "content-md5": ContentMD5 })
})

/**
 * The checksum of a multipart object is the checksum of its parts' checksums, which are given in the order of the
 * parts. Returns no header if the store did not confirm the checksum of every part. Source: "Checking object integrity"
 * in the Amazon S3 User Guide.
 */
export const composite = (confirmed: ReadonlyArray<string | undefined>): ChecksumHeader => {
  if (!confirmed.every((checksum) => checksum !== undefined)) return {}
  const checksums = Buffer.concat(confirmed.map((checksum) => Buffer.from(checksum, "base64")))
  return { ChecksumSHA256: `${hash("sha256", checksums, "base64")}-${confirmed.length}` }
}

/**
 * The failure if the store reports a different checksum than the one sent. Not every store reports a checksum.
 * `mayReplace`: whether a retry would replace the stored object.
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

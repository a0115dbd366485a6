/** What goes with a body so that the store can tell whether it arrived whole, and what the answer must say of it. */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { IntegrityFailure } from "../../domain/Errors.ts"
import type { Checksum } from "../../domain/Learned.ts"

/** One of them. */
export interface ChecksumHeader {
  readonly ChecksumCRC32?: string
  readonly ContentMD5?: string
}

export const checksumHeader = (checksum: Checksum, bytes: Uint8Array): ChecksumHeader =>
  checksum === "CRC32"
    ? { ChecksumCRC32: crc32Base64(bytes) }
    : { ContentMD5: createHash("md5").update(bytes).digest("base64") }

/** As it goes over the wire. */
export const checksumFields = ({ ChecksumCRC32, ContentMD5 }: ChecksumHeader): Readonly<Record<string, string>> => ({
  ...(ChecksumCRC32 === undefined ? {} : { "x-amz-checksum-crc32": ChecksumCRC32 }),
  ...(ContentMD5 === undefined ? {} : { "content-md5": ContentMD5 })
})

/** CRC-32 as its header has it: big-endian, base64. */
const crc32Base64 = (bytes: Uint8Array): string => {
  const sum = Buffer.allocUnsafe(4)
  sum.writeUInt32BE(crc32(bytes))
  return sum.toString("base64")
}

/** The checksum of the parts' checksums. Source: "Checking object integrity" in the Amazon S3 User Guide. */
export const composite = (checksums: ReadonlyMap<number, string>): ChecksumHeader => {
  if (checksums.size === 0) return {}
  const inOrder = [...checksums].sort(([a], [b]) => a - b).map(([, checksum]) => Buffer.from(checksum, "base64"))
  return { ChecksumCRC32: `${crc32Base64(Buffer.concat(inOrder))}-${inOrder.length}` }
}

/**
 * Not every store answers with a checksum; one that does must have got what was sent. `mayReplace`: sending it again
 * would replace what is wrong.
 */
export const mismatch = (
  operation: string,
  { ChecksumCRC32: sent }: ChecksumHeader,
  answer: { readonly ChecksumCRC32?: string | undefined },
  mayReplace = true
): IntegrityFailure | undefined =>
  sent === undefined || answer.ChecksumCRC32 === undefined || answer.ChecksumCRC32 === sent
    ? undefined
    : new IntegrityFailure({
        operation,
        detail: `CRC-32 of what was sent is ${sent}, of what was stored ${answer.ChecksumCRC32}`,
        retryable: mayReplace
      })

export const sameChecksum = (...of: Parameters<typeof mismatch>): Effect.Effect<void, IntegrityFailure> => {
  const wrong = mismatch(...of)
  return wrong === undefined ? Effect.void : Effect.fail(wrong)
}

/** A digest of an object's content in the ledger: enough to tell whether a file still begins with that content. */
import type { ContentFacts } from "./ContentFacts.ts"

export interface ContentDigest {
  readonly sizeBytes: number
  /**
   * For content of up to `blockBytes`, its SHA-256 in hexadecimal. For longer content, the SHA-256 of the concatenated
   * SHA-256s of its blocks, then `-` and the number of blocks. A part of exactly one block is thus hashed only once,
   * for both its request and this digest. Older ledgers may have a SHA-256 of the whole content here.
   */
  readonly digest: string
  /**
   * SHA-256 of the first `headBytes`, or of all bytes if there are fewer. It detects most replaced files with one read.
   */
  readonly head: string
  /** Present only while the content is sent, and only if a manifest is wanted. */
  readonly facts?: ContentFacts | undefined
}

/** One memory page; longer than the first line of most files. */
export const headBytes = 4096

/** The number of bytes that `head` covers. */
export const headLength = (sizeBytes: number): number => Math.min(headBytes, sizeBytes)

/** The default part size. It must never change, because digests in ledgers depend on it. */
export const blockBytes = 8 * 1024 ** 2

/** The SHA-256 of the whole content in hexadecimal, or undefined if the digest is of blocks. */
export const sha256Of = ({ digest }: ContentDigest): string | undefined => (digest.includes("-") ? undefined : digest)

/**
 * Whether the digest is an older version's SHA-256 of the whole content, although this version would hash the content
 * in blocks.
 */
export const isOfOnePiece = ({ digest, sizeBytes }: ContentDigest): boolean =>
  sizeBytes > blockBytes && !digest.includes("-")

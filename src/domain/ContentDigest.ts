/** A digest of an object's content in the ledger: enough to tell whether a file still begins with that content. */

export interface ContentDigest {
  readonly sizeBytes: number
  /**
   * Up to `blockBytes`: SHA-256 of the content, in hexadecimal. Above: SHA-256 of the concatenated SHA-256s of its
   * blocks, then `-` and their number, so that a part that is a block is hashed once for its request and for this.
   * Older ledgers have a SHA-256 of the whole content for larger contents, too.
   */
  readonly digest: string
  /** SHA-256 of the first `headBytes`, or of a shorter content: detects most replaced files with a single read. */
  readonly head: string
}

/** One page of memory, and longer than the first line of most files. */
export const headBytes = 4096

/** How much of a content its head covers. */
export const headLength = (sizeBytes: number): number => Math.min(headBytes, sizeBytes)

/** The default part size. It must never change, because digests in ledgers depend on it. */
export const blockBytes = 8 * 1024 ** 2

/** The SHA-256 of the whole content in hexadecimal, or undefined if the digest is of blocks. */
export const sha256Of = ({ digest }: ContentDigest): string | undefined => (digest.includes("-") ? undefined : digest)

/** Whether an older version hashed this content in one piece; today it would be hashed in blocks. */
export const isOfOnePiece = ({ digest, sizeBytes }: ContentDigest): boolean =>
  sizeBytes > blockBytes && !digest.includes("-")

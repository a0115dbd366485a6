/** What an object holds, as the ledger remembers it: enough to tell whether a file still begins with it. */

export interface ContentDigest {
  readonly sizeBytes: number
  /**
   * Up to `blockBytes`: SHA-256 of all of it, in hexadecimal. Above: SHA-256 of the SHA-256s of its blocks, one behind
   * the other, with `-` and their number, so that a part that is a block needs one hash for its request and for this.
   * Ledgers of before have the former for larger contents, too.
   */
  readonly digest: string
  /** SHA-256 of its first `headBytes`, or of all where it is shorter: tells most replaced files by a single read. */
  readonly head: string
}

/** Bytes; one page of memory, and more than the first line of most files. */
export const headBytes = 4096

/** How much of a content its head covers. */
export const headLength = (sizeBytes: number): number => Math.min(headBytes, sizeBytes)

/** Bytes; the part size unless another is given. Never changed: digests in ledgers depend on it. */
export const blockBytes = 8 * 1024 ** 2

/** SHA-256 of all of it in hexadecimal, where the digest is that. */
export const sha256Of = ({ digest }: ContentDigest): string | undefined => (digest.includes("-") ? undefined : digest)

/** Whether it is of one piece though it would be of blocks today. */
export const isOfOnePiece = ({ digest, sizeBytes }: ContentDigest): boolean =>
  sizeBytes > blockBytes && !digest.includes("-")

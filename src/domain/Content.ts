/** What an object holds, as the ledger remembers it: enough to tell whether a file still begins with it. */

export interface Content {
  readonly sizeBytes: number
  /** SHA-256 of all of it, in hexadecimal. */
  readonly digest: string
  /** SHA-256 of its first `headBytes`, or of all where it is shorter: tells most replaced files by a single read. */
  readonly head: string
}

/** Bytes; one page of memory, and more than the first line of most files. */
export const headBytes = 4096

/** How much of a content its head covers. */
export const headLength = (sizeBytes: number): number => Math.min(headBytes, sizeBytes)

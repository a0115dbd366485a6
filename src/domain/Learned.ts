/** What a run learns of a store by talking to it. */
import { Duration } from "effect"
import * as Span from "./Span.ts"

/**
 * The checksum that goes with every body, besides the SHA-256 in its signature. A store that does not know the headers
 * of 2022 ("additional checksums") takes Content-MD5, which is as old as S3.
 */
export type Checksum = "CRC32" | "MD5"

export interface Learned {
  readonly checksum: Checksum
  /** Milliseconds that the store's clock has in advance of this host's. */
  readonly clockOffsetMillis: number
  /** That objects are encrypted was asked for, and an answer did not confirm it. */
  readonly unencrypted: boolean
}

/** For people. */
export const clocks = (offsetMillis: number): string => {
  const apart = Span.format(Duration.millis(Math.abs(offsetMillis)))
  return `this host's clock is ${apart} ${offsetMillis > 0 ? "behind" : "ahead of"} the store's`
}

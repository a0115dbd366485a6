/** What a run learns of a store by talking to it. */
import { Duration } from "effect"
import * as DurationText from "./DurationText.ts"

/**
 * The checksum that goes with every body, for the store to keep. SHA-256 is that of the signature, so it costs nothing. A
 * store that does not know the headers of 2022 ("additional checksums") takes Content-MD5, which is as old as S3.
 */
export type Checksum = "SHA256" | "MD5"

export interface StoreTraits {
  readonly checksum: Checksum
  /** Milliseconds that the store's clock has in advance of this host's. */
  readonly clockOffsetMillis: number
  /** That objects are encrypted was asked for, and an answer did not confirm it. */
  readonly unencrypted: boolean
}

/** For people. */
export const describeClockOffset = (offsetMillis: number): string => {
  const apart = DurationText.format(Duration.millis(Math.abs(offsetMillis)))
  return `this host's clock is ${apart} ${offsetMillis > 0 ? "behind" : "ahead of"} the store's`
}

/** What a run learns about its store from the responses. */
import { Duration } from "effect"
import * as DurationText from "./DurationText.ts"

/**
 * The checksum that is sent with every body and that the store keeps. SHA-256 adds no cost, because the signature needs
 * it anyway. Stores without the "additional checksums" that S3 introduced in 2022 get Content-MD5, which is as old as
 * S3, or no checksum.
 */
export type Checksum = "SHA256" | "MD5" | "none"

export interface StoreTraits {
  readonly checksum: Checksum
  /** How far the store's clock is ahead of this host's, in milliseconds. */
  readonly clockOffsetMillis: number
  /** Whether encryption was requested but a response did not confirm it. */
  readonly unencrypted: boolean
}

export const describeClockOffset = (offsetMillis: number): string => {
  const apart = DurationText.format(Duration.millis(Math.abs(offsetMillis)))
  return `this host's clock is ${apart} ${offsetMillis > 0 ? "behind" : "ahead of"} the store's`
}

/** Traits of a store, which a run learns from its responses. */
import { Duration } from "effect"
import * as DurationText from "./DurationText.ts"

/**
 * The checksum sent with every body, which the store keeps. SHA-256 costs nothing, because the signature needs it, too.
 * Stores without the "additional checksums" that S3 introduced in 2022 get Content-MD5, which is as old as S3, or none.
 */
export type Checksum = "SHA256" | "MD5" | "none"

export interface StoreTraits {
  readonly checksum: Checksum
  /** How far the store's clock is ahead of this host's, in milliseconds. */
  readonly clockOffsetMillis: number
  /** Whether encryption was requested, and a response did not confirm it. */
  readonly unencrypted: boolean
}

export const describeClockOffset = (offsetMillis: number): string => {
  const apart = DurationText.format(Duration.millis(Math.abs(offsetMillis)))
  return `this host's clock is ${apart} ${offsetMillis > 0 ? "behind" : "ahead of"} the store's`
}

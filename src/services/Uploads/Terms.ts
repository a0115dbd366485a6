import type { Effect } from "effect"
import type { Mode } from "../../domain/Compression.ts"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { StateUnusable } from "../../domain/Errors.ts"
import type { StoredObject } from "../ObjectStore.ts"
import type { UploadRecord } from "./UploadRecord.ts"

/** The conditions for sending a file's content. */
export interface Terms {
  readonly compression: Mode
  /** The content must begin with this. Otherwise nothing is stored, and `isReplaced` is true for the error. */
  readonly former: ContentDigest | undefined
  /** Completes before any request that may make the object visible is sent. */
  readonly announce: (content: ContentDigest) => Effect.Effect<void, StateUnusable>
  /**
   * Runs after a failure if the object is certainly unchanged: no such request was sent, or the store refused all of
   * them.
   */
  readonly withdraw: Effect.Effect<void, StateUnusable>
  /** Records a multipart upload, so that the next run can resume it. */
  readonly record: UploadRecord
}

export interface Sent {
  /** Digest of the file's bytes before any compression. */
  readonly content: ContentDigest
  /** Bytes of the object. */
  readonly objectBytes: number
  readonly stored: StoredObject
}

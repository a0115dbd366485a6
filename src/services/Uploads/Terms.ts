import type { Effect } from "effect"
import type { Mode } from "../../domain/Compression.ts"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { StateUnusable } from "../../domain/Errors.ts"
import type { StoredObject } from "../ObjectStore.ts"
import type { UploadRecord } from "./UploadRecord.ts"

/** The conditions under which a content is sent. */
export interface Terms {
  readonly compression: Mode
  /** The content must begin with this. If it does not, nothing becomes visible, and `ContentHash.isReplaced` is true. */
  readonly former: ContentDigest | undefined
  /** Completes before a request is sent that may make the object visible. */
  readonly announce: (content: ContentDigest) => Effect.Effect<void, StateUnusable>
  /** Runs after a failure if no such request was sent or the store refused each: the object is unchanged. */
  readonly withdraw: Effect.Effect<void, StateUnusable>
  /** For the next run, if this one cannot finish a multipart upload. */
  readonly record: UploadRecord
}

export interface Sent {
  /** Of the file's own bytes, compressed or not. */
  readonly content: ContentDigest
  /** Bytes of the object. */
  readonly objectBytes: number
  readonly stored: StoredObject
}

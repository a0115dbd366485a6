import type { Effect } from "effect"
import type { StateUnusable } from "../../domain/Errors.ts"
import type { KeptPart, KeptUpload } from "../../domain/Resumption.ts"
import type { Checksum } from "../../domain/StoreTraits.ts"
import type { OpenLedger, StartedUpload } from "../Ledger.ts"

/** What the ledger remembers about the multipart upload of one file. */
export interface UploadRecord {
  /** Of the object that the upload becomes. */
  readonly generation: number
  /** The kind that the store is known to accept. */
  readonly checksum: Checksum
  readonly kept: Effect.Effect<KeptUpload | undefined, StateUnusable>
  readonly started: (upload: StartedUpload) => Effect.Effect<void, StateUnusable>
  readonly resumed: (sizeBytes: number) => Effect.Effect<void, StateUnusable>
  readonly partStored: (part: KeptPart) => Effect.Effect<void, StateUnusable>
  /** Forgets the upload. */
  readonly end: Effect.Effect<void, StateUnusable>
}

export const of = (ledger: OpenLedger, path: string, generation: number): UploadRecord => ({
  generation,
  checksum: ledger.checksum,
  kept: ledger.keptUpload(path),
  started: (upload) => ledger.uploadStarted(path, upload),
  resumed: (sizeBytes) => ledger.uploadResumed(path, sizeBytes),
  partStored: (part) => ledger.partStored(path, part),
  end: ledger.uploadEnded(path)
})

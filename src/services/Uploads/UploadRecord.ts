import type { Effect } from "effect"
import type { StateUnusable } from "../../domain/Errors.ts"
import type { Checksum } from "../../domain/StoreTraits.ts"
import type { KeptPart, KeptUpload } from "../../domain/Resumption.ts"
import type { StartedUpload, OpenLedger } from "../Ledger.ts"

/** What the ledger remembers of the upload of one file. */
export interface UploadRecord {
  /** Of the object that it becomes. */
  readonly generation: number
  /** What the store is known to take. */
  readonly checksum: Checksum
  readonly kept: Effect.Effect<KeptUpload | undefined, StateUnusable>
  readonly started: (upload: StartedUpload) => Effect.Effect<void, StateUnusable>
  readonly resumed: (sizeBytes: number) => Effect.Effect<void, StateUnusable>
  readonly partStored: (part: KeptPart) => Effect.Effect<void, StateUnusable>
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

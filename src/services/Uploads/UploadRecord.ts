import type { KeptPart } from "../../domain/Resumption.ts"
import type { OpenLedger, StartedUpload } from "../Ledger.ts"

/** The part of the ledger that is about the multipart upload of one file. */
export type UploadRecord = ReturnType<typeof of>

/** `generation`: of the object that the upload becomes. */
export const of = (ledger: OpenLedger, path: string, generation: number) => ({
  generation,
  /** The kind that the store is known to accept. */
  checksum: ledger.checksum,
  kept: ledger.keptUpload(path),
  started: (upload: StartedUpload) => ledger.uploadStarted(path, upload),
  resumed: (sizeBytes: number) => ledger.uploadResumed(path, sizeBytes),
  partStored: (part: KeptPart) => ledger.partStored(path, part),
  /** Forgets the upload. */
  end: ledger.uploadEnded(path)
})

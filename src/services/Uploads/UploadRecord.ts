import type { KeptPart } from "../../domain/Resumption.ts"
import type { OpenLedger, StartedUpload } from "../Ledger.ts"

/** The ledger's record of one file's multipart upload. */
export type UploadRecord = ReturnType<typeof of>

/** `generation`: the generation of the object that the upload creates. */
export const of = (ledger: OpenLedger, path: string, generation: number) => ({
  generation,
  /** The algorithm that the store is known to accept. */
  checksum: ledger.checksum,
  kept: ledger.keptUpload(path),
  started: (upload: StartedUpload) => ledger.uploadStarted(path, upload),
  resumed: (sizeBytes: number) => ledger.uploadResumed(path, sizeBytes),
  partStored: (part: KeptPart) => ledger.partStored(path, part),
  lostCompletions: ledger.lostCompletions(path),
  completionLost: ledger.completionLost(path),
  completionAnswered: ledger.completionAnswered(path),
  /** Forgets the upload. */
  end: ledger.uploadEnded(path)
})

/** The result of an upload, for both upload paths: the ledger's record of the object, and the outcome of the file. */
import { Effect } from "effect"
import { InternalError } from "../../domain/Errors.ts"
import { Outcome } from "../../domain/Outcome.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import type { AcknowledgedObject } from "../Ledger.ts"
import type { FileOutcome } from "../Reporter.ts"
import type { SourceInfo } from "../Source/FileStat.ts"
import type { Destination } from "./Destination.ts"
import type { Sent } from "./Terms.ts"

/** Reports outcomes as soon as they are known. */
export type Report = (outcomes: ReadonlyArray<FileOutcome>) => Effect.Effect<void>

export const acknowledged = (
  { stat, state }: SourceInfo,
  { generation, key }: Pick<Destination, "generation" | "key">,
  { content, objectBytes, stored }: Sent
): AcknowledgedObject => ({ ...stored, key, generation, content, objectBytes, state, stat })

/**
 * Records the object in the ledger, and returns the file's outcome. `replaces`: the new key, if an older object keeps
 * the previous content.
 */
export const uploaded = (
  { relativePath }: SourceFile,
  { sizeBytes, torn }: SourceInfo,
  objectBytes: number,
  replaces?: string
): Outcome => Outcome.Uploaded({ relativePath, sizeBytes, objectBytes, torn, replaces })

/** Reports a defect as a failure of these files, so that the run continues with the others. */
export const defectAsFailure = <A, E>(upload: Effect.Effect<A, E>): Effect.Effect<A, E | InternalError> =>
  Effect.catchAllDefect(upload, (cause) => Effect.fail(new InternalError({ detail: String(cause), cause })))

/** The outcome of one file in a run. */
import { Data } from "effect"
import type { Mode } from "./Compression.ts"
import type { FileError, Interrupted } from "./Errors.ts"
import type { SkipReason, SourceFile } from "./SourceFile.ts"

export type Outcome = Data.TaggedEnum<{
  Uploaded: {
    readonly relativePath: string
    /** The size of the file. */
    readonly sizeBytes: number
    /** The size of the object: smaller than the file if it is compressed. */
    readonly objectBytes: number
    /** Whether the file is final, but ends in an incomplete line. */
    readonly torn: boolean
    /** The new key, if the file got one because its older object must stay unchanged. */
    readonly replaces: string | undefined
  }
  /** An earlier run stored all of the file. */
  Unchanged: {}
  /** Would be uploaded without `--dry-run`. */
  Planned: {
    readonly relativePath: string
    readonly key: string
    readonly sizeBytes: number
    readonly compression: Mode
    /** An upper bound if the object is compressed. */
    readonly parts: number
  }
  Failed: {
    readonly relativePath: string
    readonly key: string | undefined
    readonly error: FileError
  }
  Skipped: { readonly why: SkipReason }
  /** Matches no `--include` pattern, or matches an `--exclude` pattern. */
  Excluded: {}
  /** A `.jsonl` file that does not have a complete line yet. */
  NotReady: {}
  /** May still grow, and `--final-only` was given. */
  Live: {}
  /** Rotated away before it could be opened. */
  Vanished: {}
  /** A signal or the deadline interrupted the upload. The object may be stored. */
  Interrupted: {}
  /** The run ended before it reached the file. */
  NotTried: {}
}>
export const Outcome = Data.taggedEnum<Outcome>()

/**
 * The outcome of a file that failed only because the ledger had failed before. If no key was chosen, nothing was sent.
 */
export const afterLedgerFailure = ({ key }: Extract<Outcome, { _tag: "Failed" }>): Outcome =>
  key === undefined ? Outcome.NotTried() : Outcome.Interrupted()

/** The outcome of a file that could not be stored; `key` is undefined if none was chosen yet. */
export const fromError = (
  { relativePath }: Pick<SourceFile, "relativePath">,
  error: FileError | Interrupted,
  key?: string
): Outcome => (error._tag === "Interrupted" ? Outcome.Interrupted() : Outcome.Failed({ relativePath, key, error }))

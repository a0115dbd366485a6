/** What became of one file, and the sums over all. */
import { Data } from "effect"
import type { Mode } from "./Compression.ts"
import type { ExportError, FileError } from "./Errors.ts"
import type { SkipReason, SourceFile } from "./SourceFile.ts"

export type Outcome = Data.TaggedEnum<{
  /** Stored. */
  Uploaded: {
    readonly relativePath: string
    readonly sizeBytes: number
    /** Of the object: less, if it is compressed. */
    readonly objectBytes: number
    /** It is final, and yet ends in half a line. */
    readonly torn: boolean
    /** The key it got because the file no longer begins with what was stored before, which stays where it is. */
    readonly replaces: string | undefined
  }
  /** All of it is stored, by an earlier run. */
  Unchanged: {}
  /** With `--dry-run`: would be uploaded. */
  Planned: {
    readonly relativePath: string
    readonly key: string
    readonly sizeBytes: number
    readonly compression: Mode
    /** At most, if it is compressed. */
    readonly parts: number
  }
  Failed: {
    readonly relativePath: string
    readonly key: string | undefined
    readonly error: FileError
  }
  Skipped: { readonly why: SkipReason }
  /** Matches no `--include`, or an `--exclude`. */
  Excluded: {}
  /** A file of lines without even one whole line yet. */
  NotReady: {}
  /** May still grow, with `--final-only`. */
  Live: {}
  /** Rotated away before it could be opened. */
  Vanished: {}
  /** Begun, and cut off by a signal or the deadline; whether it is stored is open. */
  Interrupted: {}
  /** The run ended before its turn. */
  NotTried: {}
}>
export const Outcome = Data.taggedEnum<Outcome>()

/** A file that failed before anything was sent for it. */
export const failed = ({ relativePath }: Pick<SourceFile, "relativePath">, error: FileError): Outcome =>
  Outcome.Failed({ relativePath, key: undefined, error })

/** Failures told one by one; the rest is only counted, so that memory does not grow with a million of them. */
export const maxFailures = 100

/** Files by outcome. Mutable: it is added to once per file, a million times in a run. */
export interface Tally {
  uploaded: number
  uploadedBytes: number
  objectBytes: number
  unchanged: number
  /** Requests sent once more; counted as they are sent, whatever becomes of the file. */
  retries: number
  failed: number
  skipped: number
  readonly skippedBy: Record<SkipReason, number>
  excluded: number
  notReady: number
  live: number
  vanished: number
  interrupted: number
  notTried: number
  /** Of those failed. */
  denied: number
  readonly failedClasses: Set<ExportError["_tag"]>
  /** The first `maxFailures`. */
  readonly failures: Array<Extract<Outcome, { _tag: "Failed" }>>
  /** Final files that end in half a line; the first `maxFailures`. */
  readonly torn: Array<string>
  /** Files whose content went to a new key; the first `maxFailures`. */
  readonly replaced: Array<{ readonly file: string; readonly key: string }>
  /** Rotated away without having been stored, since the run before this one. */
  lost: number
  /** The first `maxFailures`. */
  readonly lostFiles: Array<string>
  /** Not stored, and to be rotated away before the next run: path and time, the first `maxFailures`. */
  readonly atRisk: Array<{ readonly file: string; readonly rotatedAt: number }>
  readonly plan: Array<Extract<Outcome, { _tag: "Planned" }>>
  /** Uploads that an earlier run had begun and this one has completed, and the bytes of them that it had sent. */
  resumed: number
  resumedBytes: number
  /** Uploads in parts that are left for the next run; the first `maxFailures`. */
  kept: number
  readonly keptUploads: Array<KeptUpload>
}

/** An upload in parts that the next run goes on with. */
export interface KeptUpload {
  readonly key: string
  readonly uploadId: string
  /** Of `sizeBytes`, what the store has. */
  readonly storedBytes: number
  readonly sizeBytes: number
}

export const emptyTally = (): Tally => ({
  uploaded: 0,
  uploadedBytes: 0,
  objectBytes: 0,
  unchanged: 0,
  retries: 0,
  failed: 0,
  denied: 0,
  skipped: 0,
  skippedBy: { symlink: 0, "dead-link": 0, special: 0 },
  excluded: 0,
  notReady: 0,
  live: 0,
  vanished: 0,
  interrupted: 0,
  notTried: 0,
  failedClasses: new Set(),
  failures: [],
  torn: [],
  replaced: [],
  lost: 0,
  lostFiles: [],
  atRisk: [],
  plan: [],
  resumed: 0,
  resumedBytes: 0,
  kept: 0,
  keptUploads: []
})

/** Somebody on the way, or at its end, does not let this through, and will not. */
export const isDenial = (error: ExportError): boolean =>
  error._tag === "AccessDenied" || (error._tag === "NetworkFailure" && !error.retryable)

/** Once for all files: a table made anew for each of a million takes longer than counting it. */
const counting: {
  readonly [Tag in Outcome["_tag"]]: (tally: Tally, outcome: Extract<Outcome, { _tag: Tag }>) => void
} = {
  Uploaded: (tally, { objectBytes, relativePath, replaces, sizeBytes, torn }) => {
    if (torn && tally.torn.length < maxFailures) tally.torn.push(relativePath)
    if (replaces !== undefined && tally.replaced.length < maxFailures) {
      tally.replaced.push({ file: relativePath, key: replaces })
    }
    tally.uploaded++
    tally.uploadedBytes += sizeBytes
    tally.objectBytes += objectBytes
  },
  Unchanged: (tally) => {
    tally.unchanged++
  },
  Planned: (tally, planned) => {
    tally.plan.push(planned)
  },
  Failed: (tally, failure) => {
    tally.failed++
    tally.failedClasses.add(failure.error._tag)
    if (isDenial(failure.error)) tally.denied++
    if (tally.failures.length < maxFailures) tally.failures.push(failure)
  },
  Skipped: (tally, { why }) => {
    tally.skipped++
    tally.skippedBy[why]++
  },
  Excluded: (tally) => {
    tally.excluded++
  },
  NotReady: (tally) => {
    tally.notReady++
  },
  Live: (tally) => {
    tally.live++
  },
  Vanished: (tally) => {
    tally.vanished++
  },
  Interrupted: (tally) => {
    tally.interrupted++
  },
  NotTried: (tally) => {
    tally.notTried++
  }
}

/** Counts one more file. */
export const add = <Tag extends Outcome["_tag"]>(tally: Tally, outcome: Extract<Outcome, { _tag: Tag }>): void =>
  counting[outcome._tag as Tag](tally, outcome)

/** Counts a file that was rotated away without having been stored; it was not among those of this run. */
export const addLost = (tally: Tally, file: string): void => {
  tally.lost++
  tally.failedClasses.add("SourceUnreadable")
  if (tally.lostFiles.length < maxFailures) tally.lostFiles.push(file)
}

/** Counts an upload that was gone on with; `sparedBytes` were not sent again. */
export const addResumed = (tally: Tally, sparedBytes: number): void => {
  tally.resumed++
  tally.resumedBytes += sparedBytes
}

export const addKept = (tally: Tally, upload: KeptUpload): void => {
  tally.kept++
  if (tally.keptUploads.length < maxFailures) tally.keptUploads.push(upload)
}

export const addAtRisk = (tally: Tally, risk: Tally["atRisk"][number]): void => {
  if (tally.atRisk.length < maxFailures) tally.atRisk.push(risk)
}

/** Files that `--include` and `--exclude` let through, whatever became of them. */
export const selected = (tally: Tally): number =>
  tally.uploaded +
  tally.unchanged +
  tally.plan.length +
  tally.failed +
  tally.notReady +
  tally.live +
  tally.vanished +
  tally.interrupted +
  tally.notTried

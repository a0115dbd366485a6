/** Counts over all files of a run. This module is long because every outcome has a counter. */
import type { ExportError } from "./Errors.ts"
import * as FailureClass from "./FailureClass.ts"
import type { Outcome } from "./Outcome.ts"
import type { SkipReason } from "./SourceFile.ts"

/** The maximum length of a list. Further entries are only counted, so that a million failures need no more memory. */
export const maxListed = 100

/**
 * The counts of files by outcome. Mutable, because a run may add a million files. All lists except the plan are limited
 * to `maxListed`.
 */
export interface Tally {
  uploaded: number
  uploadedBytes: number
  objectBytes: number
  unchanged: number
  /** Retried requests, counted when they are sent, whatever the file's outcome. */
  retries: number
  /** Why a request was last retried. */
  lastRetry: string | undefined
  failed: number
  skipped: number
  readonly skippedBy: Record<SkipReason, number>
  excluded: number
  notReady: number
  live: number
  vanished: number
  interrupted: number
  notTried: number
  /** Failed files that `FailureClass.isDenial` accepts. */
  denied: number
  /** The failure classes of this run, by the tag of their errors. */
  readonly failedClasses: Map<ExportError["_tag"], FailedClass>
  readonly failures: Array<Failed>
  /** Final files that end in an incomplete line. */
  readonly torn: Array<string>
  /** Files whose content was stored under a new key, because the older object had to stay. */
  readonly replaced: Array<{ readonly file: string; readonly key: string }>
  /** Files rotated away before they were stored, unless an earlier run counted them. */
  lost: number
  readonly lostFiles: Array<string>
  /** How the operator can prevent further losses. */
  lossHint: string | undefined
  /** Files deleted after every line that a run saw had been stored. */
  endNotSeen: number
  readonly endNotSeenFiles: Array<string>
  /** Files not completely stored that will be rotated away before the next run: `rotatedAt` in milliseconds since 1970. */
  readonly atRisk: Array<{ readonly file: string; readonly rotatedAt: number }>
  readonly plan: Array<Extract<Outcome, { _tag: "Planned" }>>
  /** Multipart uploads of earlier runs that this run completed, and the bytes that it did not have to send again. */
  resumed: number
  resumedBytes: number
  /** Unfinished multipart uploads that the next run can resume. */
  readonly keptUploads: Array<KeptUpload>
  /** When a selected file last changed, in milliseconds since 1970. Only known with `--stale-after`. */
  newestAt: number | undefined
  /** Multipart uploads in progress. */
  readonly activeUploads: Set<ActiveUpload>
}

/** A multipart upload in progress. Mutable. */
export interface ActiveUpload {
  /** The parts that the store has. */
  readonly stored: ReadonlyMap<number, { readonly sizeBytes: number }>
}

export type Failed = Extract<Outcome, { _tag: "Failed" }>

/** The files that failed in the same way. */
export interface FailedClass {
  files: number
  /** Undefined if all these files were lost, because a lost file has no error. */
  first: Failed | undefined
}

/** An unfinished multipart upload, for the report. */
export interface KeptUpload {
  readonly key: string
  readonly uploadId: string
  /** The number of bytes that the store has. */
  readonly storedBytes: number
  readonly sizeBytes: number
}

export const empty = (): Tally => ({
  uploaded: 0,
  uploadedBytes: 0,
  objectBytes: 0,
  unchanged: 0,
  retries: 0,
  lastRetry: undefined,
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
  failedClasses: new Map(),
  failures: [],
  torn: [],
  replaced: [],
  lost: 0,
  lostFiles: [],
  lossHint: undefined,
  endNotSeen: 0,
  endNotSeenFiles: [],
  atRisk: [],
  plan: [],
  resumed: 0,
  resumedBytes: 0,
  keptUploads: [],
  newestAt: undefined,
  activeUploads: new Set()
})

const countClass = ({ failedClasses }: Tally, tag: ExportError["_tag"], failure: FailedClass["first"]) => {
  const known = failedClasses.get(tag)
  if (known === undefined) failedClasses.set(tag, { files: 1, first: failure })
  else {
    known.files++
    known.first ??= failure
  }
}

/** A constant, because building this table for each of a million files takes longer than counting them. */
const counters: {
  readonly [Tag in Outcome["_tag"]]: (tally: Tally, outcome: Extract<Outcome, { _tag: Tag }>) => void
} = {
  Uploaded: (tally, { objectBytes, relativePath, replaces, sizeBytes, torn }) => {
    if (torn && tally.torn.length < maxListed) tally.torn.push(relativePath)
    if (replaces !== undefined && tally.replaced.length < maxListed) {
      tally.replaced.push({ file: relativePath, key: replaces })
    }
    tally.uploaded++
    tally.uploadedBytes += sizeBytes
    tally.objectBytes += objectBytes
  },
  Unchanged: (tally) => void tally.unchanged++,
  Planned: (tally, planned) => void tally.plan.push(planned),
  Failed: (tally, failure) => {
    tally.failed++
    countClass(tally, failure.error._tag, failure)
    if (FailureClass.isDenial(failure.error)) tally.denied++
    if (tally.failures.length < maxListed) tally.failures.push(failure)
  },
  Skipped: (tally, { why }) => {
    tally.skipped++
    tally.skippedBy[why]++
  },
  Excluded: (tally) => void tally.excluded++,
  NotReady: (tally) => void tally.notReady++,
  Live: (tally) => void tally.live++,
  Vanished: (tally) => void tally.vanished++,
  Interrupted: (tally) => void tally.interrupted++,
  NotTried: (tally) => void tally.notTried++
}

/** Counts a file. */
export const add = <Tag extends Outcome["_tag"]>(tally: Tally, outcome: Extract<Outcome, { _tag: Tag }>): void =>
  counters[outcome._tag as Tag](tally, outcome)

/** Counts a file that was rotated away before it was stored. It has no outcome. */
export const addLost = (tally: Tally, file: string, hint: string): void => {
  tally.lost++
  tally.lossHint = hint
  countClass(tally, "SourceUnreadable", undefined)
  if (tally.lostFiles.length < maxListed) tally.lostFiles.push(file)
}

/** Counts a file that was deleted after every line that a run saw had been stored. */
export const addEndNotSeen = (tally: Tally, file: string): void => {
  tally.endNotSeen++
  if (tally.endNotSeenFiles.length < maxListed) tally.endNotSeenFiles.push(file)
}

/** Counts a multipart upload that was resumed and completed without sending `sparedBytes` again. */
export const addResumed = (tally: Tally, sparedBytes: number): void => {
  tally.resumed++
  tally.resumedBytes += sparedBytes
}

export const addKept = (tally: Tally, upload: KeptUpload): void => {
  if (tally.keptUploads.length < maxListed) tally.keptUploads.push(upload)
}

export const addAtRisk = (tally: Tally, file: Tally["atRisk"][number]): void => {
  if (tally.atRisk.length < maxListed) tally.atRisk.push(file)
}

/**
 * Counts interrupted files as not tried. Call it if a failure ended the run: only a signal or the deadline interrupts
 * files.
 */
export const countInterruptedAsNotTried = (tally: Tally): void => {
  tally.notTried += tally.interrupted
  tally.interrupted = 0
}

/** Files that match `--include` and `--exclude`, whatever their outcome. */
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

/** What must hold after each run, and at the end of a week. */
import { Duration, Effect } from "effect"
import { hash } from "node:crypto"
import type { DatabaseSync } from "node:sqlite"
import * as FailureClass from "../../src/domain/FailureClass.ts"
import type { ExportError } from "../../src/domain/Errors.ts"
import { manifestName } from "../../src/domain/ManifestDirectory.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import * as Snapshot from "../../src/domain/Snapshot.ts"
import type { Manifest } from "../../src/report/Manifest.ts"
import type { Report } from "../../src/report/Report.ts"
import { LedgerStatus } from "../../src/services/Ledger.ts"
import * as SqliteStatus from "../../src/services/Ledger/SqliteStatus.ts"
import type { Exchange } from "./Store.ts"
import type { Fate, Truth } from "./Truth.ts"
import { check } from "./Violation.ts"

/** A run, and what was true when it started. */
export interface Observed {
  readonly report: Report
  readonly exchange: Exchange
  /** The files that existed when the run started, and how much of each the run must store. */
  readonly present: ReadonlyMap<Fate, number>
  /** Whether the ledger could not be written for a while. */
  readonly isDiskFull: boolean
}

/** Failures that do not come from the store. */
const ownClasses: ReadonlyArray<ExportError["_tag"]> = [
  "SourceUnreadable",
  "ObjectExists",
  "DeadlineExceeded",
  "UploadFailed"
]

export const afterRun = (observed: Observed, truth: Truth): void => {
  const { exchange, isDiskFull, present, report } = observed
  const { failures, lostFiles, result, totals } = report
  const { signal } = exchange.process
  if (truth.violation !== undefined) throw truth.violation

  // the exit code must name failures that occurred
  const possible = new Set<ExportError["_tag"]>([...exchange.failures, ...ownClasses])
  if (isDiskFull) possible.add("StateUnusable")
  const possibleNames = new Set([...possible].map((tag) => FailureClass.table[tag].name))
  const problems = [...failures, ...(result.endedBy === null ? [] : [result.endedBy])]
  for (const { class: name, message } of problems)
    check(possibleNames.has(name), () => `the run failed with ${name} (${message}), but nothing failed in this way`)
  const classes = new Set(failures.map(({ class: name }) => name))
  if (totals.lost > 0) classes.add("source-unreadable")
  const names = new Set([...classes, ...(result.endedBy === null ? [] : [result.endedBy.class])])
  const isMixed = result.endedBy === null && classes.size > 1
  const [only = "ok"] = result.endedBy === null ? classes : [result.endedBy.class]
  const first = ["state", "integrity"].find((name) => names.has(name))
  const expected = first ?? (isMixed ? "mixed" : only)
  const isSignalled = signal !== undefined && result.signal === signal
  check(
    isSignalled ? result.name === "interrupted" : totals.failed > failures.length || result.name === expected,
    () => `exit code ${result.exitCode} (${result.name}) instead of ${isSignalled ? signal : expected}`
  )
  const isSuccess = result.exitCode === 0
  const unfinished = totals.failed + totals.interrupted + totals.notTried + totals.lost
  check(!isSuccess || (unfinished === 0 && report.complete), () => "exit code 0, but the run did not finish its work")
  check(report.failuresOmitted > 0 || totals.failed === failures.length, () => "the report does not list all failures")

  // the report's counts must match the bucket
  check(totals.uploaded <= exchange.acknowledged, () => "the report counts more uploads than the store acknowledged")
  const isUndisturbed = signal === undefined && !isDiskFull && result.endedBy === null && !exchange.isDoubtful
  check(
    !isUndisturbed || totals.uploaded === exchange.acknowledged,
    () => `the report counts ${totals.uploaded} uploads, the store acknowledged ${exchange.acknowledged}`
  )
  const held = truth.fates.filter(
    (fate) =>
      ((fate.version.exists || present.has(fate)) && fate.stored >= (present.get(fate) ?? 1)) ||
      wasEmpty(fate, observed, truth)
  )
  check(
    totals.uploaded + totals.unchanged <= held.length,
    () => `${totals.uploaded + totals.unchanged} files count as stored, but the bucket has ${held.length}`
  )
  for (const [{ stored, version }, required] of present)
    check(!isSuccess || !version.exists || stored >= required, () => {
      return `exit code 0, but the bucket has ${stored} of the ${required} bytes of ${version.name}`
    })

  // files that are reported as lost must be gone
  for (const name of lostFiles) {
    const isGone = truth.of(name).some(({ version }) => !version.exists)
    check(isGone, () => `${name} is reported as lost, but exists`)
    truth.mark(name, "isLost")
  }
  for (const name of report.endNotSeenFiles) truth.mark(name, "isEndUnseen")
}

/** Whether the run may have found the file empty and stored an empty object. */
const wasEmpty = (fate: Fate, { present }: Observed, truth: Truth): boolean => {
  const versions = truth.of(fate.version.name)
  const lastEmptied = versions.findLast(({ version }) => version.emptied === true)
  return fate === lastEmptied && !versions.some((other) => other !== fate && present.has(other))
}

/** How many bytes of a file a run that starts now must store. */
export const required = ({ version: { name, text } }: Fate, settings: Settings, now: number): number => {
  const hour = Snapshot.hourOf(name)
  const isFinal = hour !== undefined && hour.end + Duration.toMillis(settings.finalAfter) <= now
  if (isFinal) return text.length
  return settings.finalOnly ? 0 : text.lastIndexOf("\n") + 1
}

/**
 * The ledger never claims more than the bucket holds, except where it has announced that the object may change. `bodyOf`: the
 * latest object of a key.
 */
export const ledgerMatches = (ledger: DatabaseSync, bodyOf: (key: string) => Buffer | undefined): void => {
  const rows = ledger
    .prepare(
      `SELECT key, files.size AS size FROM files LEFT JOIN attempts USING (target, path)
       WHERE files.size IS NOT NULL AND attempts.size IS NULL AND run = (SELECT max(run) FROM files)`
    )
    .all()
  for (const { key, size } of rows) {
    const length = bodyOf(String(key))?.length ?? 0
    check(Number(size) <= length, () => `the ledger knows ${size} bytes of ${key}, the bucket has ${length}`)
  }
}

/** `status` shows how the last run ended, whatever the clock says. */
export const statusMatches = async (stateDir: string, { result }: Report): Promise<void> => {
  const status = await Effect.runPromise(
    Effect.provide(
      Effect.flatMap(LedgerStatus, ({ read }) => read),
      SqliteStatus.layer(stateDir)
    )
  )
  const { lastRun } = status.targets[0]!
  check(
    lastRun?.exitCode === result.exitCode,
    () => `the last run had exit code ${result.exitCode}, but status shows ${lastRun?.exitCode}`
  )
}

/**
 * The files that a run reported as at risk must be the files that were deleted before the next run. Call it only if
 * both runs started on the hour, the collector was not restarted, and the clock was not changed. Until a run has seen a
 * deletion, it cannot know how long the collector keeps files.
 */
export const predictionHolds = (report: Report, deleted: ReadonlyArray<string>, mayBeLearning: boolean): void => {
  const atRisk = report.filesAtRisk.map(({ file }) => file).toSorted()
  if (mayBeLearning && atRisk.length === 0) return
  const [predicted, real] = [atRisk, deleted.toSorted()].map((names) => names.join(", "))
  check(predicted === real, () => `at risk: ${predicted}; but deleted before they were stored: ${real}`)
}

/**
 * Records what the ledger says about deleted files, because a kill may have prevented a run's report, and a report
 * lists at most 100 files. The ledger calls an append-only file `gone` if its end was not seen.
 */
export const markFates = (ledger: DatabaseSync, truth: Truth): void => {
  for (const { fate, path } of ledger.prepare("SELECT path, fate FROM files WHERE fate IS NOT NULL").all())
    truth.mark(String(path), fate === "lost" ? "isLost" : "isEndUnseen")
}

/**
 * A file that is not reported must be completely stored. If only its end was not seen, every line that a run has seen
 * must be stored.
 */
export const atEnd = (truth: Truth, settings: Settings): void => {
  for (const { acknowledged, isEndUnseen, isLost, seen, stored, version } of truth.fates) {
    const { emptied, exists, name, text } = version
    if (exists || emptied === true || seen === 0 || isLost) continue
    const kept = settings.onReplace === "overwrite" ? acknowledged : stored
    const least = isEndUnseen ? seen : text.length
    check(kept >= least, () => `${name} was seen and deleted; ${kept} of ${least} bytes are stored`)
  }
}

/**
 * The manifests describe every file that exists, and objects that are in the bucket. An object may have grown since: the
 * store stored the file once more, and the answer was lost. An object that the store has corrupted since may differ.
 */
export const manifestsMatch = (truth: Truth, objects: ReadonlyMap<string, ReadonlyArray<Buffer>>): void => {
  const described = new Map<string, number>()
  for (const [manifestKey, bodies] of objects) {
    if (!manifestKey.endsWith(`/${manifestName}`)) continue
    const { files } = JSON.parse(String(bodies.at(-1))) as Manifest
    for (const { bytes, current, file, key, sha256 } of files) {
      const beginning = objects.get(key)?.at(-1)?.subarray(0, bytes)
      const isSame = sha256 === null || hash("sha256", beginning ?? "") === sha256
      check(
        (beginning?.length === bytes && isSame) || truth.isSpoilt(key),
        () => `${manifestKey} describes ${bytes} bytes of ${key}, which differ`
      )
      if (current) described.set(file, bytes)
    }
  }
  for (const { stored, version } of truth.fates) {
    if (!version.exists || stored === 0) continue
    const bytes = described.get(version.name) ?? 0
    check(bytes === stored, () => `the bucket has ${stored} bytes of ${version.name}, its manifest describes ${bytes}`)
  }
}

const writing = /^(PutObject|CreateMultipartUpload|UploadPart|CompleteMultipartUpload|AbortMultipartUpload) /

/** A host may only write: it must not read, list or delete. */
export const putOnly = (requests: ReadonlyArray<string>): void => {
  for (const request of requests) check(writing.test(request), () => `the program sent ${request}`)
}

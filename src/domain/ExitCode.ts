/** The exit codes of a run. The code says why a run failed; the report gives the details. */
import { Record } from "effect"
import type { ExportError } from "./Errors.ts"
import * as FailureClass from "./FailureClass.ts"

export type ExitCode = FailureClass.ExitCode

/** A signal that stops a run gracefully. */
export type StopSignal = "SIGHUP" | "SIGINT" | "SIGTERM"

const ok: ExitCode = {
  code: 0,
  name: "ok",
  retrySoon: false,
  meaning: "all selected files are stored, or none was selected"
}
const mixed: ExitCode = { code: 12, name: "mixed", retrySoon: true, meaning: "failures of several classes" }

/** One row per failure class. */
export const ofError: Readonly<Record<ExportError["_tag"], ExitCode>> = Record.map(
  FailureClass.table,
  ({ code, meaning, name, retrySoon }): ExitCode => ({ code, name, meaning, retrySoon })
)

/** One row for each signal. As in shells, the code is 128 plus the signal's number. */
export const ofSignal: Readonly<Record<StopSignal, ExitCode>> = {
  SIGHUP: { code: 129, name: "interrupted", retrySoon: true, meaning: "stopped by SIGHUP" },
  SIGINT: { code: 130, name: "interrupted", retrySoon: true, meaning: "stopped by SIGINT" },
  SIGTERM: { code: 143, name: "interrupted", retrySoon: true, meaning: "stopped by SIGTERM" }
}

/** All rows, sorted by code. `--help` prints them, and a test compares them with the README. */
export const table: ReadonlyArray<ExitCode> = [ok, mixed, ...Object.values(ofError), ...Object.values(ofSignal)].sort(
  (a, b) => a.code - b.code
)

/** Everything that decides the exit code of a run. */
export interface RunEnd {
  /** The signal that stopped the run. */
  readonly signal?: StopSignal | undefined
  /** The failure that ended the run before all files were tried. */
  readonly endedBy?: ExportError["_tag"] | undefined
  /** The classes of the files that failed. */
  readonly failed: ReadonlySet<ExportError["_tag"]>
}

/**
 * Returns the exit code of a run. The first of these that occurred decides: a defect; the signal; the ledger; an
 * integrity failure; the failure that ended the run; the class that all failures share; `mixed`. The number of stored
 * files does not matter.
 */
export const of = ({ endedBy, failed, signal }: RunEnd): ExitCode => {
  const has = (tag: ExportError["_tag"]) => endedBy === tag || failed.has(tag)
  if (has("InternalError")) return ofError.InternalError
  if (signal !== undefined) return ofSignal[signal]
  if (has("StateUnusable")) return ofError.StateUnusable
  if (has("IntegrityFailure")) return ofError.IntegrityFailure
  if (endedBy !== undefined) return ofError[endedBy]
  const [first, ...others] = failed
  if (first === undefined) return ok
  return others.length === 0 ? ofError[first] : mixed
}

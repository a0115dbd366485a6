/**
 * The exit codes: one table, from which `--help` is rendered and which a test compares with the README.
 *
 * The code says why a run failed, the report says how much. Gaps are on purpose: 1 is what Node exits with when it
 * crashes, 2-7 and 64-78 get misleading labels from systemd, 126 and above belong to shells.
 */
import type { ExportError } from "./Errors.ts"

/** A row of the table. */
export interface ExitCode {
  readonly code: number
  /** Stable name, in reports and monitoring. */
  readonly name: string
  readonly meaning: string
  /** Whether starting the same command again soon can help. */
  readonly retrySoon: boolean
}

const row = (code: number, name: string, retrySoon: boolean, meaning: string): ExitCode => ({
  code,
  name,
  meaning,
  retrySoon
})

/** A signal that ends a run in good order. */
export type StopSignal = "SIGHUP" | "SIGINT" | "SIGTERM"

const ok = row(0, "ok", false, "everything selected is stored, also when there was nothing to do")
const mixed = row(12, "mixed", true, "failures of several classes")

/** One row per failure class. */
export const ofError = {
  UploadFailed: row(10, "upload-failed", true, "the store refused for a reason that has no class of its own"),
  ObjectExists: row(11, "object-exists", false, "--no-overwrite or --on-replace fail, and the key exists"),
  CredentialsMissing: row(20, "credentials-missing", false, "the credential chain found none"),
  CredentialsRejected: row(21, "credentials-rejected", false, "expired, invalid, wrong signature, clock skew"),
  AccessDenied: row(22, "access-denied", false, "403 for any other reason"),
  BucketUnusable: row(23, "bucket", false, "no such bucket, wrong region, invalid bucket name"),
  NetworkFailure: row(30, "network", true, "DNS, refused, unreachable, reset, time-out"),
  TlsFailure: row(31, "tls", false, "certificate or protocol"),
  StoreUnavailable: row(32, "unavailable", true, "throttled or 5xx after all retries"),
  DeadlineExceeded: row(33, "deadline", true, "--deadline passed with work left"),
  IntegrityFailure: row(40, "integrity", false, "checksum mismatch after a retry"),
  SourceUnreadable: row(
    41,
    "source-unreadable",
    false,
    "a file cannot be read, cannot be a key, or was rotated away before it was stored"
  ),
  NothingSelected: row(42, "nothing-selected", false, "no file was selected, with --fail-if-empty"),
  Locked: row(50, "locked", true, "another run is at work with this ledger"),
  StateUnusable: row(51, "state", false, "the ledger cannot be written or read, disk full"),
  InputUnusable: row(52, "input", false, "--input is missing, not a directory, or unreadable"),
  UsageError: row(60, "usage", false, "bad flag or value"),
  ConfigError: row(61, "config", false, "no region, unknown profile, bad endpoint"),
  InternalError: row(70, "internal", false, "a defect")
} satisfies Record<ExportError["_tag"], ExitCode>

/** One row per signal: 128 and its number, as shells have it. */
export const ofSignal = {
  SIGHUP: row(129, "interrupted", true, "stopped by SIGHUP"),
  SIGINT: row(130, "interrupted", true, "stopped by SIGINT"),
  SIGTERM: row(143, "interrupted", true, "stopped by SIGTERM")
} satisfies Record<StopSignal, ExitCode>

/** The whole table, by code. */
export const table: ReadonlyArray<ExitCode> = [ok, mixed, ...Object.values(ofError), ...Object.values(ofSignal)].sort(
  (a, b) => a.code - b.code
)

/** What a run came to, as far as its exit code is concerned. */
export interface RunEnd {
  /** The signal that stopped the run. */
  readonly signal?: StopSignal | undefined
  /** The failure that ended the run before all files were tried. */
  readonly endedBy?: ExportError["_tag"] | undefined
  /** The classes of the files that failed. */
  readonly failed: ReadonlySet<ExportError["_tag"]>
}

/**
 * The code of a run. The first that holds: a defect; the signal; the ledger or bytes in doubt; what ended the run; the
 * one class if all failures share it, also when other files went through; `mixed`.
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

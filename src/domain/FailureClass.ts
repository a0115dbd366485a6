/**
 * Everything that is decided about a failure class, in one table. A new class in `Errors.ts` does not compile until it
 * has a row here. Decisions by S3 error code stay in the adapter.
 */
import type { ExportError, FileError, Interrupted, StoreError } from "./Errors.ts"

/** A row of the table of exit codes. */
export interface ExitCode {
  /**
   * Avoids the codes that mean something else: 1 (a crash of Node), 2-7 and 64-78 (systemd's labels), 126 and above
   * (shells).
   */
  readonly code: number
  /** Never changes, because reports and monitoring use the name. */
  readonly name: string
  readonly meaning: string
  /** Whether starting the same command again soon can help. */
  readonly retrySoon: boolean
}

/** Whether a rule applies to an error. `if-4xx`: the HTTP status of the store's response is from 400 to 499. */
type Applies = "always" | "never" | "if-retryable" | "if-permanent" | "if-4xx"

export interface FailureClass extends ExitCode {
  /** Whether a failure of this class ends the run. A failure that is not about a single file always does. */
  readonly endsRun: "always" | "never" | "after-denials"
  /** Whether an unfinished multipart upload is kept for the next run. */
  readonly keepsUpload: Applies
  /** Whether the store, or a proxy in front of it, permanently denies access. */
  readonly denied: Applies
  /** Whether the failure shows that the store is up. */
  readonly alive: boolean
  /** Whether the store has certainly not stored the object. */
  readonly refused: Applies
}

const row = (
  code: number,
  retrySoon: boolean,
  endsRun: FailureClass["endsRun"],
  keepsUpload: Applies,
  denied: Applies,
  alive: boolean,
  refused: Applies,
  name: string,
  meaning: string
): FailureClass => ({ code, name, meaning, retrySoon, endsRun, keepsUpload, denied, alive, refused })

/**
 * - Credentials, the bucket, TLS and the ledger end the run at once, because every file would fail in the same way. A
 *   denial ends it only when it repeats: a single key may be locked or reserved, and must not hold up the other files.
 * - An upload is kept after a failure that it did not cause: of the network, the credentials or the ledger. It is not
 *   kept after an integrity failure, because the stored parts may be corrupt.
 */
// prettier-ignore
export const table = {
  //                   code    retry  endsRun          keepsUpload     denied          alive  refused
  UploadFailed:        row(10, true,  "never",         "if-retryable", "never",        true,  "if-4xx",
    "upload-failed", "the store refused the request, and no other class applies"),
  ObjectExists:        row(11, false, "never",         "if-retryable", "never",        true,  "if-4xx",
    "object-exists", "the object exists; --no-overwrite or --on-replace fail forbids replacing it"),
  CredentialsMissing:  row(20, false, "always",        "always",       "never",        false, "never",
    "credentials-missing", "no credentials in the AWS chain"),
  CredentialsRejected: row(21, false, "always",        "always",       "never",        true,  "if-4xx",
    "credentials-rejected", "expired, invalid, wrong signature, clock skew"),
  AccessDenied:        row(22, false, "after-denials", "if-retryable", "always",       true,  "if-4xx",
    "access-denied", "403 for any other reason"),
  BucketUnusable:      row(23, false, "always",        "if-retryable", "never",        true,  "if-4xx",
    "bucket", "no such bucket, wrong region, invalid bucket name"),
  NetworkFailure:      row(30, true,  "after-denials", "always",       "if-permanent", false, "if-4xx",
    "network", "DNS, refused, unreachable, reset, timeout"),
  TlsFailure:          row(31, false, "always",        "always",       "never",        false, "if-4xx",
    "tls", "unacceptable certificate or protocol"),
  StoreUnavailable:    row(32, true,  "never",         "if-retryable", "never",        true,  "if-4xx",
    "unavailable", "throttled, or 5xx after all retries"),
  DeadlineExceeded:    row(33, true,  "always",        "always",       "never",        false, "never",
    "deadline", "--deadline passed with work left"),
  IntegrityFailure:    row(40, false, "never",         "never",        "never",        true,  "if-4xx",
    "integrity", "checksum mismatch after a retry"),
  SourceUnreadable:    row(41, false, "never",         "never",        "never",        false, "never",
    "source-unreadable", "a file is unreadable, was lost, or has no valid key"),
  NothingSelected:     row(42, false, "always",        "always",       "never",        false, "never",
    "nothing-selected", "no file was selected, with --fail-if-empty"),
  Incomplete:          row(43, false, "always",        "always",       "never",        false, "never",
    "incomplete", "verify: something is missing, or nothing proves that nothing is"),
  Corrupt:             row(44, false, "always",        "always",       "never",        false, "never",
    "corrupt", "verify: an object differs from its manifest, or is damaged"),
  Stale:               row(45, false, "always",        "always",       "never",        false, "never",
    "stale", "nothing new was written for --stale-after; all else succeeded"),
  Locked:              row(50, true,  "always",        "always",       "never",        false, "never",
    "locked", "another run is using this ledger"),
  StateUnusable:       row(51, false, "always",        "always",       "never",        false, "never",
    "state", "the ledger cannot be read or written, e.g. disk full"),
  InputUnusable:       row(52, false, "always",        "always",       "never",        false, "never",
    "input", "--input is missing, not a directory, or unreadable"),
  UsageError:          row(60, false, "always",        "always",       "never",        false, "never",
    "usage", "bad flag or value"),
  ConfigError:         row(61, false, "never",         "never",        "never",        false, "never",
    "config", "no region, unknown profile, bad endpoint"),
  InternalError:       row(70, false, "never",         "never",        "never",        false, "never",
    "internal", "a defect in ibsr-export")
} satisfies Record<ExportError["_tag"], FailureClass>

const of = ({ _tag }: ExportError): FailureClass => table[_tag]

const isRetryable = (error: ExportError) => "retryable" in error && error.retryable

const holds: Record<Applies, (error: ExportError) => boolean> = {
  always: () => true,
  never: () => false,
  "if-retryable": isRetryable,
  "if-permanent": (error) => !isRetryable(error),
  "if-4xx": (error) => "status" in error && error.status !== undefined && error.status >= 400 && error.status < 500
}

/** After this many denials and no success, the cause is not a single key. */
const denials = 3

/** Whether the failure of a file ends the run. `tally` counts the run so far, including this failure. */
export const endsRun = (error: FileError, tally: { readonly uploaded: number; readonly denied: number }): boolean =>
  of(error).endsRun === "after-denials"
    ? isDenial(error) && tally.uploaded === 0 && tally.denied >= denials
    : of(error).endsRun === "always"

/** Whether an unfinished multipart upload is kept for the next run. A signal or the deadline always keeps it. */
export const keepsUpload = (error: FileError | Interrupted): boolean =>
  error._tag === "Interrupted" || holds[of(error).keepsUpload](error)

export const isDenial = (error: ExportError): boolean => holds[of(error).denied](error)

export const showsStoreAlive = (error: StoreError): boolean => of(error).alive

export const isRefusal = (error: StoreError): boolean => holds[of(error).refused](error)

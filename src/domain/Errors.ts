/**
 * Failures of a run, or of one file. `FailureClass.ts` has a row for each class; the compiler requires it. This module
 * is long because it is one list of classes.
 *
 * An error is data. The message is computed from its fields; the hint tells the operator what to do next.
 */
import { Data, type Duration } from "effect"

/** The failure of one request, as the store or the network reports it. */
export interface StoreAnswer {
  /** The S3 operation, such as `PutObject`. */
  readonly operation: string
  /** The store's message, or the system's if there was no response. */
  readonly detail: string
  /** The S3 error code, such as `SlowDown`, or the system's, such as `ECONNREFUSED`. */
  readonly code?: string | undefined
  /** The HTTP status. */
  readonly status?: number | undefined
  /** The store's id of the request. Its support team asks for it. */
  readonly requestId?: string | undefined
  /** Whether the same request may succeed a little later. */
  readonly retryable: boolean
  /** Whether the store or the network is overloaded, so that fewer requests at once may succeed. */
  readonly overload?: boolean | undefined
  /** The store's time according to the response, in milliseconds since 1970. */
  readonly storeTime?: number | undefined
  /** How long the store asked its clients to wait. */
  readonly retryAfter?: Duration.Duration | undefined
  /** Whether the request to complete a multipart upload got no response. The store may then hold the object. */
  readonly isCompletionLost?: boolean | undefined
  /** A hint that replaces the general hint of the class. */
  readonly advice?: string | undefined
  readonly cause?: unknown
}

const sentence = (answer: StoreAnswer) => {
  const origin = [answer.status, answer.code].filter((part) => part !== undefined).join(" ")
  return `${answer.operation}: ${answer.detail}${origin === "" ? "" : ` (${origin})`}`
}

/** The store refused the request, and no other class applies. */
export class UploadFailed extends Data.TaggedError("UploadFailed")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "look up the code in the store's documentation; its support can use the request id"
}

/** The key exists, and `--no-overwrite` or `--on-replace fail` forbids replacing the object. */
export class ObjectExists extends Data.TaggedError("ObjectExists")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint =
    this.advice ??
    "remove --no-overwrite to replace it; if a response was lost, this run may have stored it itself, and the next run uses a new key"
}

/** No credential source of the AWS chain has credentials. */
export class CredentialsMissing extends Data.TaggedError("CredentialsMissing")<{
  readonly detail: string
  readonly advice?: string | undefined
  readonly cause?: unknown
}> {
  override readonly message = `no credentials: ${this.detail}`
  readonly hint =
    this.advice ??
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a --profile, or give the host a role that it can assume"
}

/** The store does not accept the credentials or the signature. */
export class CredentialsRejected extends Data.TaggedError("CredentialsRejected")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "check the access key, its secret and its session token; they may have expired"
}

/** HTTP status 403 for any other reason. */
export class AccessDenied extends Data.TaggedError("AccessDenied")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "allow s3:PutObject on this bucket and prefix"
}

/** There is no such bucket, it is in another region, or its name is invalid. */
export class BucketUnusable extends Data.TaggedError("BucketUnusable")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "check --bucket, --region and --endpoint"
}

/** DNS failure, connection refused or reset, host unreachable, or no response in time. */
export class NetworkFailure extends Data.TaggedError("NetworkFailure")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "check the network path to the store: --endpoint, DNS, firewall, proxy"
}

/** The certificate or the protocol is not acceptable. */
export class TlsFailure extends Data.TaggedError("TlsFailure")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "check the endpoint's certificate; for a private CA, set AWS_CA_BUNDLE"
}

/** Throttling, or HTTP status 5xx, after all retries. */
export class StoreUnavailable extends Data.TaggedError("StoreUnavailable")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint =
    this.advice ??
    "the store is overloaded or down: if that lasts, ask its operator; the next run sends what is missing"
}

/** The store's checksum differs from that of the bytes that were sent. */
export class IntegrityFailure extends Data.TaggedError("IntegrityFailure")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "memory, a proxy or the store changes bytes between this program and the store's disk"
}

/** `--deadline` passed before the work was done. */
export class DeadlineExceeded extends Data.TaggedError("DeadlineExceeded")<{ readonly deadline: string }> {
  override readonly message = `the deadline of ${this.deadline} passed with work left`
  readonly hint = "raise --deadline, or start runs more often; the next run continues"
}

const rights = "allow the user that runs ibsr-export to read it"

/** Source: open(2), read(2). */
const fileHints: Readonly<Record<string, string>> = {
  EACCES: rights,
  EPERM: rights,
  EIO: "check the disk, and the kernel's log",
  EUCLEAN: "check the file system: its structure is damaged",
  ENAMETOOLONG: "the path or a name in it is too long for the system: shorten it, or --exclude it",
  ELOOP: "its symbolic links form a loop: correct them, or --exclude it",
  ESTALE: "the file server no longer knows it: mount the file system again",
  ETIMEDOUT: "check the file server and the network path to it",
  EHOSTDOWN: "check the file server and the network path to it",
  ENOTCONN: "the program that serves this file system has ended: mount it again"
}

/** A selected file cannot be read, or has no valid key. */
export class SourceUnreadable extends Data.TaggedError("SourceUnreadable")<{
  readonly path: string
  readonly detail: string
  /** The name of the errno, such as `EACCES`. */
  readonly code?: string | undefined
  readonly advice?: string | undefined
  readonly cause?: unknown
}> {
  override readonly message = `${this.path}: ${this.detail}`
  readonly hint = this.advice ?? fileHints[this.code ?? ""] ?? "check the file system"
}

/** `--fail-if-empty` was given, and no file was selected. */
export class NothingSelected extends Data.TaggedError("NothingSelected")<{ readonly input: string }> {
  override readonly message = `${this.input}: no file was selected`
  readonly hint = "check --input, --include and --exclude, and whether the collector runs"
}

/** `--stale-after` was given, and no selected file has changed for that long. Everything else succeeded. */
export class Stale extends Data.TaggedError("Stale")<{ readonly input: string; readonly detail: string }> {
  override readonly message = `${this.input}: ${this.detail}`
  readonly hint = "check whether the collector runs and writes to --input"
}

/** Another run is using the same ledger. */
export class Locked extends Data.TaggedError("Locked")<{ readonly path: string }> {
  override readonly message = `${this.path}: another run is using this ledger`
  readonly hint = "wait for it to end, or set --lock-wait; jobs for different targets can have a --state-dir each"
}

/** Source: open(2), and sqlite.org/rescode.html. */
const noRights =
  "give the directory to the user that runs ibsr-export (chown), or set --state-dir to one that this user may write to"
const noSpace = "free some space on its disk, or set --state-dir to a directory on another disk"
const stateHints: Readonly<Record<string, string>> = {
  EACCES: noRights,
  EPERM: noRights,
  EROFS:
    "its file system is read-only: mount it for writing (in a systemd service, StateDirectory= or ReadWritePaths= allow it), or set --state-dir to another one",
  ENOSPC: noSpace,
  EDQUOT: noSpace,
  SQLITE_FULL: noSpace
}

/** The ledger cannot be read or written: no permission, a full disk, an I/O error. */
export class StateUnusable extends Data.TaggedError("StateUnusable")<{
  readonly path: string
  readonly detail: string
  /** The system's or SQLite's error code, such as `EACCES` or `SQLITE_FULL`. */
  readonly code?: string | undefined
  readonly advice?: string | undefined
  readonly cause?: unknown
}> {
  override readonly message = `${this.path}: ${this.detail}`
  readonly hint =
    this.advice ??
    stateHints[this.code ?? ""] ??
    "set --state-dir to a directory on a local disk with free space that this user may write to"
}

/** `--input` is missing, not a directory, or unreadable. */
export class InputUnusable extends Data.TaggedError("InputUnusable")<{
  readonly input: string
  readonly detail: string
  /** errno name, such as `EACCES`. */
  readonly code?: string | undefined
  readonly advice?: string | undefined
  readonly cause?: unknown
}> {
  override readonly message = `${this.input}: ${this.detail}`
  readonly hint =
    this.advice ??
    (this.code === "EACCES" || this.code === "EPERM"
      ? "give the user that runs ibsr-export the right to read this directory and to enter those above it, for example by its group"
      : "set --input to the directory that the collector writes to")
}

/** Bad flags or values. It reports all of them at once. */
export class UsageError extends Data.TaggedError("UsageError")<{
  readonly problems: ReadonlyArray<string>
  /** The command that the flags belong to. */
  readonly command?: string | undefined
}> {
  override readonly message = this.problems.join("\n")
  readonly hint = `see 'ibsr-export ${this.command === undefined ? "" : `${this.command} `}--help'`
}

/** Each flag is valid, but the flags and the environment together cannot work. */
export class ConfigError extends Data.TaggedError("ConfigError")<{
  readonly detail: string
  readonly advice: string
  readonly cause?: unknown
}> {
  override readonly message = this.detail
  readonly hint = this.advice
}

/** `verify` found that something is missing, or could not prove that nothing is missing. */
export class Incomplete extends Data.TaggedError("Incomplete")<{ readonly detail: string; readonly advice: string }> {
  override readonly message = this.detail
  readonly hint = this.advice
}

/** `verify` found an object whose content differs from the content that was stored. */
export class Corrupt extends Data.TaggedError("Corrupt")<{ readonly detail: string; readonly advice: string }> {
  override readonly message = this.detail
  readonly hint = this.advice
}

/** A defect in this program. */
export class InternalError extends Data.TaggedError("InternalError")<{
  readonly detail: string
  readonly cause?: unknown
}> {
  override readonly message = this.detail
  readonly hint = "this is a defect in ibsr-export: please report it with this message"
}

/**
 * The run was stopped before this work was done. This is not a failure: the signal or the deadline decides the exit
 * code.
 */
export class Interrupted extends Data.TaggedError("Interrupted") {}

/** One request to a store failed. */
export type StoreError =
  | UploadFailed
  | ObjectExists
  | CredentialsMissing
  | CredentialsRejected
  | AccessDenied
  | BucketUnusable
  | NetworkFailure
  | TlsFailure
  | StoreUnavailable
  | IntegrityFailure

/** A copy with more specific fields. */
export const revised = <E extends Exclude<StoreError, CredentialsMissing>>(
  error: E,
  more: Partial<Pick<StoreAnswer, "advice" | "detail" | "retryable">>
): E =>
  // `cause` is passed explicitly, because a spread leaves it out
  new (error.constructor as new (answer: StoreAnswer) => E)({ ...error, cause: error.cause, ...more })

/** One file failed. */
export type FileError = StoreError | SourceUnreadable | StateUnusable | ConfigError | InternalError

/** Every way in which the program can fail. */
export type ExportError =
  FileError | DeadlineExceeded | NothingSelected | Stale | Incomplete | Corrupt | Locked | InputUnusable | UsageError

/**
 * Why a run, or one file of it, failed. One class per failure class: its exit code stands in `ExitCode.ts`, and the
 * compiler refuses a class that has none.
 *
 * An error is data. The message is computed from the fields; the hint tells the operator what to do next.
 */
import { Data, type Duration } from "effect"

/** What a store, or the way to it, answered to one request. */
export interface StoreAnswer {
  /** S3 operation, such as `PutObject`. */
  readonly operation: string
  /** The store's sentence, or the system's when no answer came. */
  readonly detail: string
  /** The S3 error code (`SlowDown`), or the system's (`ECONNREFUSED`). */
  readonly code?: string | undefined
  /** HTTP status. */
  readonly status?: number | undefined
  /** The store's name for this request, which its support will ask for. */
  readonly requestId?: string | undefined
  /** The same request may succeed a little later. */
  readonly retryable: boolean
  /** The store, or the line, has too much to do: fewer requests at once may fare better. */
  readonly overload?: boolean | undefined
  /** The store asked to be left alone this long. */
  readonly retryAfter?: Duration.Duration | undefined
  /** A better hint than the class has. */
  readonly advice?: string | undefined
  readonly cause?: unknown
}

const sentence = (answer: StoreAnswer) => {
  const origin = [answer.status, answer.code].filter((part) => part !== undefined).join(" ")
  return `${answer.operation}: ${answer.detail}${origin === "" ? "" : ` (${origin})`}`
}

/** The store refused for a reason that has no class of its own. */
export class UploadFailed extends Data.TaggedError("UploadFailed")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "look the store's code up in its documentation; the request id helps its support"
}

/** `--no-overwrite` or `--on-replace fail`, and the key is taken. */
export class ObjectExists extends Data.TaggedError("ObjectExists")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint =
    this.advice ?? "drop --no-overwrite to replace it; if an answer was lost before, this run may have stored it itself"
}

/** No source of the credential chain had any. */
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

/** The store knows who asks, or what was signed, and does not accept it. */
export class CredentialsRejected extends Data.TaggedError("CredentialsRejected")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "check the access key, its secret and its session token; they may have expired"
}

/** 403 for any other reason. */
export class AccessDenied extends Data.TaggedError("AccessDenied")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "allow s3:PutObject on this bucket and prefix"
}

/** No such bucket, a bucket of another region, or a name that no bucket can have. */
export class BucketUnusable extends Data.TaggedError("BucketUnusable")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "check --bucket, --region and --endpoint"
}

/** DNS, connection refused, reset, unreachable, or no answer in time. */
export class NetworkFailure extends Data.TaggedError("NetworkFailure")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "check the way to the store: --endpoint, DNS, firewall, proxy"
}

/** The certificate or the protocol is not acceptable. */
export class TlsFailure extends Data.TaggedError("TlsFailure")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "check the endpoint's certificate; a private CA goes into NODE_EXTRA_CA_CERTS"
}

/** Throttled or 5xx, still after all retries. */
export class StoreUnavailable extends Data.TaggedError("StoreUnavailable")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "the store is overloaded or down; the next run sends what is missing"
}

/** What the store says it stored is not what was sent. */
export class IntegrityFailure extends Data.TaggedError("IntegrityFailure")<StoreAnswer> {
  override readonly message = sentence(this)
  readonly hint = this.advice ?? "something between here and the disk of the store changes bytes: memory, proxy, store"
}

/** `--deadline` passed with work left. */
export class DeadlineExceeded extends Data.TaggedError("DeadlineExceeded")<{ readonly deadline: string }> {
  override readonly message = `the deadline of ${this.deadline} passed with work left`
  readonly hint = "raise --deadline, or start the run more often; the next run goes on"
}

/** A selected file cannot be read, or its name cannot be a key. */
export class SourceUnreadable extends Data.TaggedError("SourceUnreadable")<{
  readonly path: string
  readonly detail: string
  /** errno name, such as `EACCES`. */
  readonly code?: string | undefined
  readonly advice?: string | undefined
  readonly cause?: unknown
}> {
  override readonly message = `${this.path}: ${this.detail}`
  readonly hint = this.advice ?? "give the user that runs ibsr-export the right to read it"
}

/** `--fail-if-empty`, and no file was selected. */
export class NothingSelected extends Data.TaggedError("NothingSelected")<{ readonly input: string }> {
  override readonly message = `${this.input}: no file was selected`
  readonly hint = "check --input, --include and --exclude, and whether the collector runs"
}

/** Another run works with the same ledger. */
export class Locked extends Data.TaggedError("Locked")<{ readonly path: string }> {
  override readonly message = `${this.path}: another run is at work with this ledger`
  readonly hint = "let it end, or give --lock-wait; jobs for different targets may have a --state-dir each"
}

/** The ledger cannot be written or read: no permission, a full disk, an I/O error. */
export class StateUnusable extends Data.TaggedError("StateUnusable")<{
  readonly path: string
  readonly detail: string
  /** The system's or SQLite's name for it, such as `EACCES` or `SQLITE_FULL`. */
  readonly code?: string | undefined
  readonly advice?: string | undefined
  readonly cause?: unknown
}> {
  override readonly message = `${this.path}: ${this.detail}`
  readonly hint =
    this.advice ?? "--state-dir names a directory on a local disk that this user may write to, with room left"
}

/** `--input` is missing, not a directory, or unreadable. */
export class InputUnusable extends Data.TaggedError("InputUnusable")<{
  readonly input: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override readonly message = `${this.input}: ${this.detail}`
  readonly hint = "--input names the directory that the collector writes to"
}

/** Bad flags or values, all of them at once. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly problems: ReadonlyArray<string> }> {
  override readonly message = this.problems.join("\n")
  readonly hint = "--help behind a command lists all of its flags"
}

/** The flags are well-formed, but what they and the environment say together cannot work. */
export class ConfigError extends Data.TaggedError("ConfigError")<{
  readonly detail: string
  readonly advice: string
  readonly cause?: unknown
}> {
  override readonly message = this.detail
  readonly hint = this.advice
}

/** A defect of this program. */
export class InternalError extends Data.TaggedError("InternalError")<{
  readonly detail: string
  readonly cause?: unknown
}> {
  override readonly message = this.detail
  readonly hint = "this is a defect of ibsr-export: please report it with this message"
}

/** The run was told to stop before this was done. Not a failure: the signal or the deadline has the exit code. */
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

/** The same answer, about which something more is known. */
export const revised = <E extends Exclude<StoreError, CredentialsMissing>>(
  error: E,
  more: Partial<Pick<StoreAnswer, "advice" | "detail" | "retryable">>
): E => new (error.constructor as new (answer: StoreAnswer) => E)({ ...error, ...more })

/** One file failed. */
export type FileError = StoreError | SourceUnreadable | StateUnusable | ConfigError | InternalError

/** Every way in which a run can fail. */
export type ExportError = FileError | DeadlineExceeded | NothingSelected | Locked | InputUnusable | UsageError

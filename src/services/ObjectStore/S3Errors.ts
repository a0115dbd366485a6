/**
 * What can be observed of a failed request, and which class it is. One table; nothing here reads a message.
 *
 * Sources: "Error responses" in the Amazon S3 API Reference; errno(3); Node's documentation of TLS errors; and what
 * the SDK's client 3.1169 was seen to throw.
 */
import { Duration } from "effect"
import {
  AccessDenied,
  BucketUnusable,
  CredentialsMissing,
  CredentialsRejected,
  IntegrityFailure,
  NetworkFailure,
  ObjectExists,
  type StoreAnswer,
  StoreUnavailable,
  type StoreError,
  TlsFailure,
  UploadFailed
} from "../../domain/Errors.ts"

type Classify = (answer: StoreAnswer) => StoreError

const permanent =
  (Class: new (answer: StoreAnswer) => StoreError, advice?: string): Classify =>
  (answer) =>
    new Class({ ...answer, retryable: false, advice: advice ?? answer.advice })

const passing =
  (Class: new (answer: StoreAnswer) => StoreError): Classify =>
  (answer) =>
    new Class({ ...answer, retryable: true })

const skewed = permanent(
  CredentialsRejected,
  "set the host's clock: the store refuses signatures more than 15 minutes off"
)
const expired = permanent(CredentialsRejected, "the session has expired: renew the credentials")
const wrongSecret = permanent(CredentialsRejected, "check the secret access key")

/** By the store's error code. */
const byCode: Readonly<Record<string, Classify>> = {
  AccessDenied: permanent(AccessDenied),
  AllAccessDisabled: permanent(AccessDenied),
  AccountProblem: permanent(AccessDenied),
  ExpiredToken: expired,
  TokenRefreshRequired: expired,
  InvalidToken: permanent(CredentialsRejected, "check the session token: it does not belong to this access key"),
  InvalidAccessKeyId: permanent(CredentialsRejected, "check the access key id: the store does not know it"),
  SignatureDoesNotMatch: wrongSecret,
  InvalidSecurity: permanent(CredentialsRejected),
  RequestTimeTooSkewed: skewed,
  RequestExpired: skewed,
  NoSuchBucket: permanent(BucketUnusable, "create the bucket, or check --bucket and --endpoint"),
  InvalidBucketName: permanent(BucketUnusable, "check --bucket: no bucket can have this name"),
  PermanentRedirect: permanent(BucketUnusable),
  TemporaryRedirect: passing(StoreUnavailable),
  AuthorizationHeaderMalformed: permanent(BucketUnusable),
  IllegalLocationConstraintException: permanent(BucketUnusable),
  PreconditionFailed: permanent(ObjectExists),
  NoSuchUpload: permanent(
    UploadFailed,
    "somebody aborted the upload, or an earlier try completed it and its answer was lost; the next run sends it again"
  ),
  // somebody writes to the same key at the same time
  ConditionalRequestConflict: passing(UploadFailed),
  OperationAborted: passing(UploadFailed),
  // the body came too slowly, or not at all
  RequestTimeout: passing(NetworkFailure),
  IncompleteBody: passing(NetworkFailure),
  BadDigest: passing(IntegrityFailure),
  InvalidDigest: passing(IntegrityFailure),
  XAmzContentSHA256Mismatch: passing(IntegrityFailure),
  XAmzContentChecksumMismatch: passing(IntegrityFailure),
  SlowDown: passing(StoreUnavailable),
  Throttling: passing(StoreUnavailable),
  ThrottlingException: passing(StoreUnavailable),
  RequestLimitExceeded: passing(StoreUnavailable),
  TooManyRequests: passing(StoreUnavailable),
  ServiceUnavailable: passing(StoreUnavailable),
  InternalError: passing(StoreUnavailable)
}

/** By HTTP status, where the code says nothing: an empty body, a proxy's page, a store of its own words. */
const byStatus: Readonly<Record<number, Classify>> = {
  301: permanent(BucketUnusable),
  307: passing(StoreUnavailable),
  401: permanent(CredentialsRejected),
  403: permanent(AccessDenied),
  407: permanent(NetworkFailure, "the proxy wants a login"),
  408: passing(NetworkFailure),
  412: permanent(ObjectExists),
  429: passing(StoreUnavailable),
  500: passing(StoreUnavailable),
  501: permanent(UploadFailed, "the store does not implement something that a flag asks for"),
  502: passing(StoreUnavailable),
  503: passing(StoreUnavailable),
  504: passing(StoreUnavailable)
}

const dns = (answer: StoreAnswer) =>
  new NetworkFailure({ ...answer, retryable: true, advice: "check the host's DNS and the spelling of --endpoint" })

/** By the system's error code, where no answer came. */
const bySystem: Readonly<Record<string, Classify>> = {
  ENOTFOUND: dns,
  EAI_AGAIN: dns,
  ECONNREFUSED: passing(NetworkFailure),
  ECONNRESET: passing(NetworkFailure),
  ECONNABORTED: passing(NetworkFailure),
  EPIPE: passing(NetworkFailure),
  ETIMEDOUT: passing(NetworkFailure),
  EHOSTUNREACH: passing(NetworkFailure),
  ENETUNREACH: passing(NetworkFailure),
  ENETDOWN: passing(NetworkFailure),
  EADDRNOTAVAIL: passing(NetworkFailure),
  ENOBUFS: passing(NetworkFailure),
  EMFILE: passing(NetworkFailure),
  ENFILE: passing(NetworkFailure),
  // a firewall on this host says so
  EPERM: passing(NetworkFailure),
  EACCES: passing(NetworkFailure),
  EAI_FAIL: dns,
  EPROTO: permanent(
    TlsFailure,
    "the two sides speak no common protocol: is it https on one side and http on the other?"
  ),
  HPE_INVALID_CONSTANT: permanent(NetworkFailure, "the other side does not speak HTTP: check --endpoint")
}

/** OpenSSL's and Node's names for a certificate or a handshake that is not acceptable. */
const tlsCode = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE))/

/** What the SDK throws, as far as it is looked at. All of it may be missing. */
interface Thrown {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
  readonly Region?: string
}

export const storeError = (operation: string, cause: unknown): StoreError => {
  const thrown: Thrown = typeof cause === "object" && cause !== null ? cause : {}
  const status = thrown.$metadata?.httpStatusCode
  const headers = thrown.$response?.headers ?? {}
  // the SDK gives a connection that was reset the name of a time-out; the code is the truth
  const code = status === undefined ? (thrown.code ?? thrown.name) : thrown.name
  const answer: StoreAnswer = {
    operation,
    detail: isForeign(status, headers)
      ? `answered with ${headers["content-type"]}, as no store does`
      : detail(thrown, cause),
    code: code === "Unknown" || code === "Error" ? undefined : code,
    status,
    requestId: thrown.$metadata?.requestId,
    retryable: false,
    retryAfter: retryAfter(headers),
    advice: status === 301 || status === 307 || status === 400 ? region(headers, thrown) : undefined,
    cause
  }
  if (isProviderError(thrown)) return new CredentialsMissing({ detail: answer.detail, cause })
  const classify =
    operation === "credentials" && status !== undefined && status < 500
      ? roleRefused
      : status === undefined
        ? (own(bySystem, code) ?? (tlsCode.test(code ?? "") ? permanent(TlsFailure) : fallback(code)))
        : (own(byCode, code) ??
          byStatus[status] ??
          (status >= 500 ? passing(StoreUnavailable) : permanent(UploadFailed)))
  return classify(answer)
}

/** A row of a table, and nothing that every object has. */
const own = (table: Readonly<Record<string, Classify>>, key: string | undefined) =>
  key !== undefined && Object.hasOwn(table, key) ? table[key] : undefined

/** What the SDK throws by name alone. */
const byName: Readonly<Record<string, Classify>> = {
  TimeoutError: passing(NetworkFailure),
  // the bucket's name or ARN makes no endpoint
  EndpointError: permanent(BucketUnusable)
}

const fallback = (code: string | undefined) => own(byName, code) ?? permanent(UploadFailed)

/** What STS answers is about who we are, whatever its code. */
const roleRefused = permanent(
  CredentialsRejected,
  "check --assume-role-arn or the profile's role: its trust policy, and whether sts:AssumeRole is allowed"
)

/** Thrown by the credential chain and each of its sources. */
const isProviderError = ({ name }: Thrown) =>
  name === "CredentialsProviderError" || name === "ProviderError" || name === "TokenProviderError"

/** A page of a proxy; the SDK only says that it is not XML. */
const isForeign = (status: number | undefined, headers: Readonly<Record<string, string>>) =>
  status !== undefined && headers["content-type"] !== undefined && !/xml|json/.test(headers["content-type"])

const detail = ({ message, name }: Thrown, cause: unknown) =>
  message === undefined || message === "" || message === "UnknownError" ? (name ?? String(cause)) : message

/** A store that is asked in the wrong region says which is the right one. */
const region = (headers: Readonly<Record<string, string>>, { Region }: Thrown) => {
  const right = headers["x-amz-bucket-region"] ?? Region
  return right === undefined ? undefined : `the bucket is in ${right}: give --region ${right}`
}

/** Seconds, or a date. Source: RFC 9110, section 10.2.3. */
const retryAfter = (headers: Readonly<Record<string, string>>): Duration.Duration | undefined => {
  const text = headers["retry-after"]
  if (text === undefined) return undefined
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000
  return seconds > 0 ? Duration.seconds(seconds) : undefined
}

/**
 * Which class a failed request belongs to, by what can be observed of it. Nothing here reads a message.
 *
 * Sources: "Error responses" in the Amazon S3 API Reference; errno(3); Node's documentation of TLS errors; and what
 * the SDK's client 3.1169 was seen to throw.
 */
import {
  AccessDenied,
  BucketUnusable,
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

/** By the system's error code, or the SDK's name, where no answer came. */
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
  // the bucket's name or ARN makes no endpoint
  EndpointError: permanent(BucketUnusable),
  TimeoutError: passing(NetworkFailure),
  HPE_INVALID_CONSTANT: permanent(NetworkFailure, "the other side does not speak HTTP: check --endpoint")
}

/** OpenSSL's and Node's names for a certificate or a handshake that is not acceptable. */
const tlsCode = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE))/

/** What STS answers is about who we are, whatever its code. */
const roleRefused = permanent(
  CredentialsRejected,
  "check --assume-role-arn or the profile's role: its trust policy, and whether sts:AssumeRole is allowed"
)

/** A row of a table, and nothing that every object has. */
const row = (table: Readonly<Record<string, Classify>>, key: string) =>
  Object.hasOwn(table, key) ? table[key] : undefined

export const classify: Classify = (answer) => of(answer)(answer)

const of = ({ code = "", operation, status }: StoreAnswer): Classify => {
  if (status === undefined) return row(bySystem, code) ?? permanent(tlsCode.test(code) ? TlsFailure : UploadFailed)
  if (operation === "credentials" && status < 500) return roleRefused
  return row(byCode, code) ?? byStatus[status] ?? (status >= 500 ? passing(StoreUnavailable) : permanent(UploadFailed))
}

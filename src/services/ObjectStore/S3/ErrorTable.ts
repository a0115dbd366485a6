/**
 * Which class a failed request belongs to, by what can be observed of it. Nothing here reads a message. One table, so
 * that whoever looks a failure up looks in one place; as long as there are ways to fail.
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
} from "../../../domain/Errors.ts"

type Classify = (answer: StoreAnswer) => StoreError

/** An answer, and whether it is a page for people, which no store sends. */
export type Seen = StoreAnswer & { readonly isPage: boolean }

const permanent =
  (Class: new (answer: StoreAnswer) => StoreError, advice?: string): Classify =>
  (answer) =>
    new Class({ ...answer, retryable: false, advice: advice ?? answer.advice })

const passing =
  (Class: new (answer: StoreAnswer) => StoreError, advice?: string): Classify =>
  (answer) =>
    new Class({ ...answer, retryable: true, advice: advice ?? answer.advice })

/** Of those, what fewer requests at once may spare. */
const overloaded =
  (Class: new (answer: StoreAnswer) => StoreError): Classify =>
  (answer) =>
    new Class({ ...answer, retryable: true, overload: true })

const skewed = permanent(
  CredentialsRejected,
  "set the host's clock: the store refuses signatures more than 15 minutes off"
)
const expired = permanent(CredentialsRejected, "the session has expired: renew the credentials")
const wrongSecret = permanent(
  CredentialsRejected,
  "check the secret access key; a proxy that changes headers has the same effect"
)

/** By the store's error code. */
const byCode: Readonly<Record<string, Classify>> = {
  AccessDenied: permanent(AccessDenied),
  AllAccessDisabled: permanent(AccessDenied, "all access to this bucket is switched off: ask its owner"),
  AccountProblem: permanent(AccessDenied, "something is wrong with the account of the bucket's owner: ask there"),
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
  RequestTimeout: overloaded(NetworkFailure),
  IncompleteBody: passing(NetworkFailure),
  BadDigest: passing(IntegrityFailure),
  InvalidDigest: passing(IntegrityFailure),
  XAmzContentSHA256Mismatch: passing(IntegrityFailure),
  XAmzContentChecksumMismatch: passing(IntegrityFailure),
  SlowDown: overloaded(StoreUnavailable),
  Throttling: overloaded(StoreUnavailable),
  ThrottlingException: overloaded(StoreUnavailable),
  RequestLimitExceeded: overloaded(StoreUnavailable),
  TooManyRequests: overloaded(StoreUnavailable),
  ServiceUnavailable: overloaded(StoreUnavailable),
  InternalError: passing(StoreUnavailable),
  // MinIO, Ceph and others, whose disks are their owner's
  XMinioStorageFull: passing(StoreUnavailable, "the store's disks are full"),
  InsufficientStorage: passing(StoreUnavailable, "the store's disks are full"),
  QuotaExceeded: permanent(UploadFailed, "the quota of the bucket or of its owner is used up"),
  XMinioAdminBucketQuotaExceeded: permanent(UploadFailed, "the quota of the bucket is used up"),
  "KMS.DisabledException": permanent(UploadFailed, "the KMS key is disabled: enable it, or see --kms-key-id"),
  "KMS.NotFoundException": permanent(UploadFailed, "there is no such KMS key: see --kms-key-id"),
  "KMS.KMSInvalidStateException": permanent(UploadFailed, "the KMS key is about to be deleted: see --kms-key-id"),
  EntityTooLarge: permanent(UploadFailed, "the store takes no body of this size: lower --part-size"),
  AccessControlListNotSupported: permanent(UploadFailed, "the bucket takes no ACLs, as most do today: drop --acl"),
  InvalidStorageClass: permanent(UploadFailed, "the store has no such --storage-class"),
  MethodNotAllowed: permanent(UploadFailed, "this is not where the store takes objects: check --endpoint and --bucket")
}

/** By HTTP status, where the code says nothing: an empty body, a proxy's page, a store of its own words. */
const byStatus: Readonly<Record<number, Classify>> = {
  301: permanent(BucketUnusable),
  307: passing(StoreUnavailable),
  401: permanent(CredentialsRejected),
  403: permanent(AccessDenied),
  404: permanent(BucketUnusable, "check --bucket and --endpoint: there is no such place"),
  407: permanent(NetworkFailure, "the proxy wants a login: put it into HTTP_PROXY"),
  408: passing(NetworkFailure),
  412: permanent(ObjectExists),
  413: permanent(UploadFailed, "the store, or a proxy before it, takes no body of this size: lower --part-size"),
  // meant for another server; over a new connection it may reach the right one (RFC 9110, section 15.5.20)
  421: passing(NetworkFailure),
  429: overloaded(StoreUnavailable),
  500: passing(StoreUnavailable),
  501: permanent(UploadFailed, "the store does not implement something that a flag asks for"),
  502: passing(StoreUnavailable),
  503: overloaded(StoreUnavailable),
  504: overloaded(StoreUnavailable),
  507: passing(StoreUnavailable, "the store's disks are full")
}

const dns = passing(NetworkFailure, "check the host's DNS and the spelling of --endpoint")

const noProtocol = permanent(
  TlsFailure,
  "the two sides speak no common protocol: is it https on one side and http on the other?"
)

/** By the system's error code, or the SDK's name, where no answer came. */
const bySystem: Readonly<Record<string, Classify>> = {
  ENOTFOUND: dns,
  EAI_AGAIN: dns,
  ECONNREFUSED: passing(NetworkFailure),
  ECONNRESET: passing(NetworkFailure),
  ECONNABORTED: passing(NetworkFailure),
  EPIPE: passing(NetworkFailure),
  ETIMEDOUT: overloaded(NetworkFailure),
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
  ERR_PROXY_INVALID_CONFIG: permanent(NetworkFailure, "check HTTP_PROXY and HTTPS_PROXY"),
  EPROTO: noProtocol,
  ERR_SSL_WRONG_VERSION_NUMBER: noProtocol,
  // the bucket's name or ARN makes no endpoint
  EndpointError: permanent(BucketUnusable),
  TimeoutError: overloaded(NetworkFailure)
}

/** OpenSSL's and Node's names for a certificate or a handshake that is not acceptable. */
const tlsCode = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE))/

/** What STS and SSO answer is about who we are, whatever its code, unless they have too much to do. */
const issued = (code: string, status: number): Classify =>
  status >= 500 || status === 429 || code.startsWith("Throttling")
    ? passing(StoreUnavailable, "the service that issues credentials is overloaded or down")
    : permanent(
        CredentialsRejected,
        "check --assume-role-arn or the profile's role: its trust policy, and whether sts:AssumeRole is allowed"
      )

const inPlace = "a proxy or a login page answers in place of the store: check --endpoint, HTTPS_PROXY and NO_PROXY"

/** What a page says by its status, which is meant for people; undefined where the status says more. */
const byPage = (status: number): Classify | undefined => {
  if (status < 300) return passing(NetworkFailure, inPlace)
  return status >= 500 || [407, 408, 413, 421, 429].includes(status) ? undefined : permanent(NetworkFailure, inPlace)
}

/** As our own client calls it, and Node's, which asks for credentials. */
const isGarbled = (code: string) => code === "ERR_HTTP_GARBLED" || code.startsWith("HPE_")
const garbled = permanent(NetworkFailure, "the other side does not speak HTTP as it should: check --endpoint")

const unnamed = (code: string) => permanent(tlsCode.test(code) ? TlsFailure : UploadFailed)

/** A proxy that opens no tunnel, by its HTTP status. */
const byProxy = (status = 0): Classify => {
  if (status === 407) return permanent(NetworkFailure, "the proxy wants a login: put it into HTTPS_PROXY")
  // without a status, what it said was no HTTP
  return status >= 400 && status < 500
    ? permanent(
        NetworkFailure,
        "the proxy does not let this host through to the store: ask who runs it, or see NO_PROXY"
      )
    : passing(NetworkFailure, "the proxy cannot reach the store: check HTTPS_PROXY and --endpoint")
}

/** A row of a table, and nothing that every object has. */
const row = (table: Readonly<Record<string, Classify>>, key: string) =>
  Object.hasOwn(table, key) ? table[key] : undefined

export const classify = ({ isPage, ...answer }: Seen): StoreError => of(answer, isPage)(answer)

const of = ({ code = "", operation, status }: StoreAnswer, isPage: boolean): Classify => {
  if (code === "ERR_PROXY_TUNNEL") return byProxy(status)
  if (status === undefined) return row(bySystem, code) ?? (isGarbled(code) ? garbled : unnamed(code))
  if (operation.startsWith("credentials")) return issued(code, status)
  return (
    (isPage ? byPage(status) : row(byCode, code)) ??
    byStatus[status] ??
    (status >= 500 ? passing(StoreUnavailable) : permanent(UploadFailed))
  )
}

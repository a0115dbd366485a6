/**
 * The failure class of a request, by code and status. No row depends on the text of a message. This module is long
 * because every failure is in one table.
 *
 * Sources: "Error responses" in the Amazon S3 API Reference; errno(3); Node's documentation of TLS errors; and errors
 * observed from the SDK's client 3.1169.
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
import * as Descriptors from "../../Descriptors.ts"
import * as TlsTable from "./TlsTable.ts"

type Classify = (answer: StoreAnswer) => StoreError

/** `isPage`: the response is an HTML page, which no store sends. */
export type ObservedAnswer = StoreAnswer & { readonly isPage: boolean }

const permanent =
  (Class: new (answer: StoreAnswer) => StoreError, advice?: string): Classify =>
  (answer) =>
    new Class({ ...answer, retryable: false, advice: advice ?? answer.advice })

const transient =
  (Class: new (answer: StoreAnswer) => StoreError, advice?: string): Classify =>
  (answer) =>
    new Class({ ...answer, retryable: true, advice: advice ?? answer.advice })

/** Transient, and fewer concurrent requests may avoid it. */
const overloaded =
  (Class: new (answer: StoreAnswer) => StoreError, advice?: string): Classify =>
  (answer) =>
    new Class({ ...answer, retryable: true, overload: true, advice: advice ?? answer.advice })

const skewed = permanent(
  CredentialsRejected,
  "set the host's clock, for example with timedatectl set-ntp true: the store refuses signatures that are more than 15 minutes off"
)
const expired = permanent(CredentialsRejected, "the session has expired: renew the credentials")
const wrongSecret = permanent(
  CredentialsRejected,
  "check the secret access key; a proxy that changes headers has the same effect"
)

const throttled = overloaded(
  StoreUnavailable,
  "the store limits the rate of requests: lower --concurrency, or ask for a higher limit; the next run sends what is missing"
)
const full = transient(
  StoreUnavailable,
  "the store's disks are full: its operator must free or add space; the next run sends what is missing"
)

const pageHint = "a proxy or a login page answers in place of the store: check --endpoint, HTTPS_PROXY and NO_PROXY"

/** By the store's error code. */
const byCode: Readonly<Record<string, Classify>> = {
  AccessDenied: permanent(AccessDenied),
  NotSignedUp: permanent(AccessDenied, "the account has not signed up for this service: ask its owner"),
  AllAccessDisabled: permanent(AccessDenied, "all access to this bucket is disabled: ask its owner"),
  AccountProblem: permanent(AccessDenied, "the account of the bucket's owner has a problem: ask the owner"),
  ExpiredToken: expired,
  TokenRefreshRequired: expired,
  InvalidToken: permanent(CredentialsRejected, "check the session token: it does not belong to this access key"),
  InvalidAccessKeyId: permanent(CredentialsRejected, "check the access key id: the store does not know it"),
  SignatureDoesNotMatch: wrongSecret,
  InvalidSecurity: permanent(CredentialsRejected),
  RequestTimeTooSkewed: skewed,
  RequestExpired: skewed,
  NoSuchBucket: permanent(BucketUnusable, "create the bucket, or check --bucket and --endpoint"),
  InvalidBucketName: permanent(BucketUnusable, "check --bucket: this is not a valid bucket name"),
  PermanentRedirect: permanent(BucketUnusable),
  TemporaryRedirect: transient(StoreUnavailable),
  AuthorizationHeaderMalformed: permanent(BucketUnusable),
  IllegalLocationConstraintException: permanent(BucketUnusable),
  InvalidRegionName: permanent(BucketUnusable),
  InvalidRegion: permanent(BucketUnusable),
  IncorrectEndpoint: permanent(BucketUnusable),
  // codes of Alibaba Cloud OSS and Tencent Cloud COS, for which `Advice.ts` has the hints
  SecondLevelDomainForbidden: permanent(BucketUnusable),
  PathStyleDomainForbidden: permanent(BucketUnusable),
  PreconditionFailed: permanent(ObjectExists),
  NoSuchUpload: permanent(UploadFailed, "someone aborted the upload; the next run sends the file again"),
  // a concurrent write to the same key
  ConditionalRequestConflict: transient(UploadFailed),
  OperationAborted: transient(UploadFailed),
  // the body arrived too slowly or not at all
  RequestTimeout: overloaded(NetworkFailure),
  IncompleteBody: transient(NetworkFailure),
  BadDigest: transient(IntegrityFailure),
  InvalidDigest: transient(IntegrityFailure),
  XAmzContentSHA256Mismatch: transient(IntegrityFailure),
  XAmzContentChecksumMismatch: transient(IntegrityFailure),
  SlowDown: throttled,
  Throttling: throttled,
  ThrottlingException: throttled,
  RequestLimitExceeded: throttled,
  TooManyRequests: throttled,
  ServiceUnavailable: overloaded(StoreUnavailable),
  InternalError: transient(StoreUnavailable),
  // codes of MinIO, Ceph and other stores on their owner's disks
  XMinioStorageFull: full,
  InsufficientStorage: full,
  QuotaExceeded: permanent(
    UploadFailed,
    "the quota of the bucket or of its owner is used up: raise it, or remove objects"
  ),
  XMinioAdminBucketQuotaExceeded: permanent(
    UploadFailed,
    "the quota of the bucket is used up: raise it, or remove objects"
  ),
  "KMS.DisabledException": permanent(UploadFailed, "the KMS key is disabled: enable it, or check --kms-key-id"),
  "KMS.NotFoundException": permanent(UploadFailed, "the KMS key does not exist: check --kms-key-id"),
  "KMS.KMSInvalidStateException": permanent(UploadFailed, "the KMS key is about to be deleted: check --kms-key-id"),
  // `Advice.ts` has the hints for these codes
  EntityTooLarge: permanent(UploadFailed),
  EntityTooSmall: permanent(UploadFailed, "the store requires larger parts: raise --part-size"),
  KeyTooLongError: permanent(UploadFailed, "the store accepts no key of this length: shorten --prefix"),
  InvalidTag: permanent(UploadFailed, "the store does not accept a tag: check the characters and the length of --tag"),
  MetadataTooLarge: permanent(UploadFailed, "the store accepts less metadata: shorten --metadata"),
  InvalidEncryptionAlgorithmError: permanent(UploadFailed, "the store does not know this encryption: check --sse"),
  AccessControlListNotSupported: permanent(UploadFailed, "the bucket accepts no ACLs, like most today: drop --acl"),
  InvalidStorageClass: permanent(UploadFailed, "the store has no such storage class: check --storage-class"),
  MethodNotAllowed: permanent(UploadFailed, "objects cannot be stored at this address: check --endpoint and --bucket")
}

/**
 * By HTTP status, if the code is unknown. The body is then empty or a proxy's page, or only this store uses the code.
 */
const byStatus: Readonly<Record<number, Classify>> = {
  301: permanent(BucketUnusable),
  302: permanent(NetworkFailure, pageHint),
  303: permanent(NetworkFailure, pageHint),
  307: transient(StoreUnavailable),
  308: permanent(NetworkFailure, pageHint),
  401: permanent(CredentialsRejected),
  403: permanent(AccessDenied),
  404: permanent(BucketUnusable, "check --bucket and --endpoint: nothing exists at this address"),
  407: permanent(NetworkFailure, "the proxy requires a login: put it into HTTP_PROXY"),
  408: transient(NetworkFailure),
  412: permanent(ObjectExists),
  413: permanent(UploadFailed),
  // the wrong server responded; a new connection may reach the right one (RFC 9110, section 15.5.20)
  421: transient(NetworkFailure),
  429: throttled,
  500: transient(StoreUnavailable),
  501: permanent(UploadFailed, "the store does not implement what a flag asks for"),
  502: transient(StoreUnavailable),
  503: overloaded(StoreUnavailable),
  504: overloaded(StoreUnavailable),
  507: full
}

const dns = transient(NetworkFailure, "check the host's DNS and the spelling of --endpoint")

/** By the system's error code or the SDK's name of the error, if there was no response. */
const bySystem: Readonly<Record<string, Classify>> = {
  ENOTFOUND: dns,
  EAI_AGAIN: dns,
  ECONNREFUSED: transient(
    NetworkFailure,
    "nothing accepts connections at this address and port: check --endpoint, the firewall, and whether the store runs"
  ),
  ECONNRESET: transient(NetworkFailure),
  ECONNABORTED: transient(NetworkFailure),
  EPIPE: transient(NetworkFailure),
  ETIMEDOUT: overloaded(NetworkFailure),
  EHOSTUNREACH: transient(NetworkFailure),
  ENETUNREACH: transient(NetworkFailure),
  ENETDOWN: transient(NetworkFailure),
  EADDRNOTAVAIL: transient(NetworkFailure),
  ENOBUFS: transient(NetworkFailure),
  EMFILE: overloaded(NetworkFailure, Descriptors.advice),
  ENFILE: overloaded(NetworkFailure, Descriptors.advice),
  // a firewall on this host causes these codes
  EPERM: transient(NetworkFailure),
  EACCES: transient(NetworkFailure),
  EAI_FAIL: dns,
  ERR_PROXY_INVALID_CONFIG: permanent(NetworkFailure, "check HTTP_PROXY and HTTPS_PROXY"),
  ERR_HTTP_PREMATURE_RESPONSE: transient(NetworkFailure, pageHint),
  // the SDK cannot derive an endpoint from the bucket's name or ARN
  EndpointError: permanent(BucketUnusable),
  TimeoutError: overloaded(NetworkFailure),
  StalledError: overloaded(
    NetworkFailure,
    "raise --timeout if the store needs longer to respond, or lower --concurrency for a slow line"
  ),
  // the store sent an upload id that no URL can contain
  URIError: permanent(
    UploadFailed,
    "the store, or a proxy in front of it, is defective; a lifecycle rule of the bucket removes the upload that stays open"
  )
}

/** A refusal by STS or SSO is about the credentials, whatever its code, unless the service is overloaded. */
const byCredentialService = (code: string, status: number): Classify =>
  status >= 500 || status === 429 || code.startsWith("Throttling")
    ? transient(StoreUnavailable, "the service that issues credentials is overloaded or down")
    : permanent(
        CredentialsRejected,
        "check --assume-role-arn or the profile's role: its trust policy, and whether sts:AssumeRole is allowed"
      )

const gatewayHint =
  "a proxy in front of the store answers that the store is down or out of reach; the next run continues"

/** The class of an HTML page. Undefined if the status alone is more specific. */
const byPage = (status: number): Classify | undefined => {
  if (status === 502 || status === 503 || status === 504) return overloaded(StoreUnavailable, gatewayHint)
  return status < 300 || status >= 500 || [407, 408, 413, 421, 429].includes(status)
    ? undefined
    : permanent(NetworkFailure, pageHint)
}

/** Codes of this HTTP client, and of Node's, which requests credentials. */
const isMalformedCode = (code: string) => code === "ERR_HTTP_MALFORMED_RESPONSE" || code.startsWith("HPE_")
const malformed = permanent(NetworkFailure, "the server does not speak HTTP correctly: check --endpoint")

const otherCode = (code: string) =>
  TlsTable.isTlsCode(code) ? permanent(TlsFailure, TlsTable.row(code)?.advice) : permanent(UploadFailed)

/** Class of a proxy's refusal to open a tunnel, by its HTTP status. */
const byProxy = (status = 0): Classify => {
  if (status === 407) return permanent(NetworkFailure, "the proxy requires a login: put it into HTTPS_PROXY")
  // if there is no status, the proxy's response was not HTTP
  return status >= 400 && status < 500
    ? permanent(
        NetworkFailure,
        "the proxy does not let this host reach the store: ask its administrator, or check NO_PROXY"
      )
    : transient(NetworkFailure, "the proxy cannot reach the store: check HTTPS_PROXY and --endpoint")
}

/** Returns a row of a table, but no property that every object inherits. */
const row = (table: Readonly<Record<string, Classify>>, key: string) =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** Whether the error code alone says what is wrong. */
export const isListed = (code: string | undefined): boolean => code !== undefined && Object.hasOwn(byCode, code)

export const classify = ({ isPage, ...answer }: ObservedAnswer): StoreError => rowFor(answer, isPage)(answer)

const rowFor = ({ code = "", operation, status }: StoreAnswer, isPage: boolean): Classify => {
  if (code === "ERR_PROXY_TUNNEL") return byProxy(status)
  if (status === undefined) return row(bySystem, code) ?? (isMalformedCode(code) ? malformed : otherCode(code))
  if (operation.startsWith("credentials")) return byCredentialService(code, status)
  return (
    (isPage ? byPage(status) : row(byCode, code)) ??
    // `Proof` has found that the response is not from a store
    (status < 300 ? transient(NetworkFailure, pageHint) : undefined) ??
    // a store would have sent an error code
    (status === 400 && code === "" ? permanent(NetworkFailure, pageHint) : undefined) ??
    byStatus[status] ??
    (status >= 500 ? transient(StoreUnavailable) : permanent(UploadFailed))
  )
}

/**
 * Hints that depend on the settings of this run and on its earlier responses. The first rule that applies replaces the
 * hint of `ErrorTable.ts`. This module is long because it has all of these rules.
 */
import { revised, type StoreError, UploadFailed } from "../../../domain/Errors.ts"
import * as Providers from "../../../domain/Providers.ts"
import type { ObjectAttributes, Target } from "../../../domain/Settings.ts"
import * as Size from "../../../domain/Size.ts"
import { minPartBytes } from "../../../domain/UploadPlan.ts"
import type { NamedProxy } from "../Http/NamedProxy.ts"
import * as RedirectAdvice from "./RedirectAdvice.ts"
import * as Thrown from "./Thrown.ts"
import * as TlsTable from "./TlsTable.ts"

/** A setting, and the flag, variable or file that it comes from. */
export interface Setting {
  readonly value: string
  readonly source: string
}

export interface Circumstances {
  readonly settings: ObjectAttributes & Target
  /** Undefined if the SDK chose the region. */
  readonly region: Setting | undefined
  /** The file that replaces the default CA certificates. */
  readonly caBundle: Setting | undefined
  /** The proxy that forwards unencrypted requests to the store; undefined if there is none. */
  readonly forwardingProxy: NamedProxy | undefined
  /** Returns the name of a variable in lower or upper case, as it is set. */
  readonly nameOf: (variable: NamedProxy["variable"]) => string
  /** Whether the store has accepted a request of this run. */
  readonly hasSucceeded: () => boolean
  /** Whether the latest credentials are those of a session. */
  readonly hasSession: () => boolean
  /** Where the latest credentials come from. */
  readonly credentialOrigin: () => string | undefined
}

/** What is known about the request that failed. */
export interface SentRequest {
  readonly bodyBytes?: number
  readonly partNumber?: number
  /** Whether the request has `If-None-Match`. */
  readonly isConditional?: boolean
}

type Failure = Exclude<StoreError, { readonly _tag: "CredentialsMissing" }>

export const withAdvice =
  (circumstances: Circumstances) =>
  (error: StoreError, request: SentRequest = {}): StoreError => {
    if (error._tag === "CredentialsMissing") return error
    if (error._tag === "ObjectExists" && request.isConditional !== true) return unaskedCondition(error)
    const advice = adviceFor(error, request, circumstances)
    return advice === undefined ? error : revised(error, { advice })
  }

const adviceFor = (error: Failure, request: SentRequest, circumstances: Circumstances): string | undefined => {
  const thrown = Thrown.read(error.cause)
  if (thrown.proxy !== undefined) {
    if (error._tag === "NetworkFailure") return proxyAdvice(error, thrown.proxy, circumstances)
    if (error._tag === "TlsFailure") return secureProxyAdvice(error.code ?? "", thrown.proxy, circumstances)
  }
  if (error.operation.startsWith("credentials")) return credentialServiceAdvice(error)
  const redirect = RedirectAdvice.of(error, circumstances)
  if (redirect !== undefined) return redirect
  switch (error._tag) {
    case "AccessDenied":
      return error.advice ?? permissions(circumstances)
    case "CredentialsRejected":
      return credentialsAdvice(error, circumstances)
    case "BucketUnusable":
      return bucketAdvice(error, thrown, circumstances)
    case "NetworkFailure":
      return networkAdvice(error, thrown, circumstances)
    case "TlsFailure":
      return tlsAdvice(error.code ?? "", thrown, circumstances)
    case "StoreUnavailable":
      return unavailableAdvice(error, circumstances)
    case "UploadFailed":
      return refusalAdvice(error, request, circumstances)
    default:
      return undefined
  }
}

const credentialsAdvice = (error: Failure, { credentialOrigin, hasSession }: Circumstances) => {
  if (error.code !== undefined && skewCodes.has(error.code)) return undefined
  const hint =
    error.code === "InvalidAccessKeyId" && hasSession()
      ? "the session has expired, or its access key is unknown to this store: renew the credentials"
      : error.hint
  const origin = credentialOrigin()
  return origin === undefined ? hint : `${hint}; the credentials come from ${origin}`
}

/** The clock is wrong, and not the credentials. */
const skewCodes: ReadonlySet<string> = new Set(["RequestTimeTooSkewed", "RequestExpired"])

/** The general hints of these classes concern the store. */
const credentialServiceAdvice = ({ _tag, advice }: Failure) => {
  if (advice !== undefined) return undefined
  switch (_tag) {
    case "NetworkFailure":
      return "the service that issues credentials cannot be reached: check DNS, firewall and HTTPS_PROXY, and the endpoint of the service if one is configured"
    case "TlsFailure":
      return "check the certificate of the service that issues credentials; for a private CA, set AWS_CA_BUNDLE"
    default:
      return undefined
  }
}

/**
 * The failure if the store reports a failed condition although the request had none. Google Cloud Storage does so, even
 * if the object does not exist.
 */
const unaskedCondition = (error: Failure) =>
  new UploadFailed({
    ...error,
    cause: error.cause,
    advice:
      "the request had no condition, so a rule of the bucket refuses it, such as retention: ask the bucket's owner"
  })

/** Sources: "Required permissions for Amazon S3 API operations" in the User Guide, and "Key policies" of AWS KMS. */
const permissions = ({ hasSucceeded, settings }: Circumstances): string => {
  const { acl, bucket, noOverwrite, sse, tags } = settings
  const needed = [
    `allow s3:PutObject on the bucket ${bucket} below its prefix (see --bucket and --prefix)`,
    ...(Object.keys(tags).length > 0 ? ["s3:PutObjectTagging for --tag"] : []),
    ...(acl === undefined ? [] : ["s3:PutObjectAcl for --acl"]),
    ...(sse === "kms" ? ["kms:GenerateDataKey and kms:Decrypt on the key of --sse kms"] : [])
  ]
  const required = [...(noOverwrite ? [] : ["--no-overwrite"]), ...(sse === "none" ? ["--sse"] : [])]
  return [
    needed.join(", "),
    ...(required.length === 0 ? [] : [`or the bucket's policy requires ${required.join(" or ")}`]),
    // a store does not tell a put-only key that a bucket is missing; Garage also sends this response for a wrong secret
    ...(hasSucceeded()
      ? []
      : [
          `no request has succeeded yet, so check also that the bucket ${bucket} exists and that the secret access key is right`
        ])
  ].join("; ")
}

const bucketAdvice = (error: Failure, { BucketName }: Thrown.Thrown, { region, settings }: Circumstances) => {
  if (error.code === "NoSuchBucket" && (BucketName ?? settings.bucket) === settings.bucket)
    return `create the bucket ${settings.bucket}, or check --bucket and --endpoint`
  if (error.code === "NoSuchBucket")
    return `the store took ${BucketName} for the bucket: ${pathStyleRemedy(settings) ?? "check --endpoint"}`
  if (/^(SecondLevelDomain|PathStyleDomain)Forbidden$/.test(error.code ?? ""))
    return `the store wants the bucket in the host name: ${
      settings.forcePathStyle === true ? "remove --force-path-style" : "give --force-path-style=no"
    }`
  if (!RedirectAdvice.concernsRegion(error)) return undefined
  const usual = Providers.of(settings.endpoint).region
  const today = region === undefined ? "" : `; it does not accept ${region.value}, from ${region.source}`
  return usual === undefined || usual === region?.value
    ? `give --region the region of the bucket${today}`
    : `give --region ${usual}${today}`
}

/** Undefined if the bucket is in the path. */
const pathStyleRemedy = ({ endpoint, forcePathStyle }: Target): string | undefined => {
  if (endpoint === undefined || Providers.usesPathStyle(endpoint, forcePathStyle)) return undefined
  return forcePathStyle === false
    ? "remove --force-path-style=no"
    : "a store without a host name per bucket needs --force-path-style"
}

/** Of an error in the TLS connection to the proxy itself. `AWS_CA_BUNDLE` concerns the store only. */
const secureProxyAdvice = (code: string, { host, variable }: NamedProxy, { nameOf }: Circumstances) => {
  const proxy = `the proxy ${host} (${nameOf(variable)})`
  if (TlsTable.isUnknownIssuer(code))
    return `the issuer of the certificate of ${proxy} is unknown: add that issuer to the system's CA certificates, or set NODE_EXTRA_CA_CERTS to its file`
  return TlsTable.isNotTls(code)
    ? `${proxy} does not speak TLS: write http:// instead of https:// into ${nameOf(variable)}`
    : `check the certificate of ${proxy}, and the name of the proxy in ${nameOf(variable)}`
}

const proxyAdvice = ({ code, status }: Failure, { host, variable }: NamedProxy, { nameOf }: Circumstances) => {
  const name = nameOf(variable)
  if (status === 407) return `the proxy ${host} requires a login: put it into ${name}`
  if (code !== "ERR_PROXY_TUNNEL") return `check ${name}: the proxy ${host} cannot be reached; NO_PROXY exempts hosts`
  return status !== undefined && status >= 400 && status < 500
    ? `the proxy ${host} (${name}) does not let this host reach the store: ask its administrator, or check NO_PROXY`
    : `the proxy ${host} (${name}) cannot reach the store: check --endpoint and the proxy`
}

const networkAdvice = (error: Failure, { hostname }: Thrown.Thrown, circumstances: Circumstances) => {
  const { forwardingProxy, hasSucceeded, nameOf, settings } = circumstances
  const { bucket, endpoint } = settings
  if (error.status === 407 && forwardingProxy !== undefined)
    return `the proxy ${forwardingProxy.host} requires a login: put it into ${nameOf(forwardingProxy.variable)}`
  if (endpoint === undefined) return undefined
  const remedy = pathStyleRemedy(settings)
  if (hostname?.startsWith(`${bucket}.`) === true && remedy !== undefined)
    return `check the host's DNS and --endpoint; ${remedy}`
  const mayNeedTls =
    endpoint.protocol === "http:" &&
    forwardingProxy === undefined &&
    !hasSucceeded() &&
    (error.status === 400 || /^(ECONNRESET|EPIPE|ERR_HTTP_MALFORMED_RESPONSE)$/.test(error.code ?? ""))
  if (!mayNeedTls) return undefined
  const other = error.status === 400 ? "check --endpoint" : error.hint
  return `if the store speaks TLS at this port, give --endpoint https://${endpoint.host}; otherwise ${other}`
}

const tlsAdvice = (code: string, { cert }: Thrown.Thrown, { caBundle, settings }: Circumstances) => {
  if (TlsTable.isUnknownIssuer(code))
    return caBundle === undefined
      ? "the issuer of the certificate is unknown: add the certificate of a private CA to those of the system, or set AWS_CA_BUNDLE to its file"
      : `the issuer of the certificate is not in ${caBundle.value} (${caBundle.source}), the only CA certificates that count: add it there`
  if (code !== "ERR_TLS_CERT_ALTNAME_INVALID") return undefined
  const names = cert?.subjectaltname?.replaceAll(/\b(DNS|IP Address):/g, "") ?? ""
  const check = `the certificate is for ${names === "" ? "another name" : names}: check --endpoint`
  const remedy = pathStyleRemedy(settings)
  return remedy === undefined ? check : `${check}; ${remedy}`
}

const unavailableAdvice = (error: Failure, circumstances: Circumstances) => {
  const { forwardingProxy, hasSucceeded, nameOf, settings } = circumstances
  const isGateway = error.status === 502 || error.status === 503 || error.status === 504
  if (isGateway && error.code === undefined && forwardingProxy !== undefined)
    return `the proxy ${forwardingProxy.host} (${nameOf(forwardingProxy.variable)}) cannot reach the store: check --endpoint, and NO_PROXY if it needs no proxy`
  const flags = flagsOf(settings)
  return error.status === 500 && flags.length > 0 && !hasSucceeded()
    ? `the store is down, or cannot do what ${joined(flags)} asks for: try without`
    : undefined
}

const refusalAdvice = (
  error: Failure,
  { bodyBytes = 0, partNumber = 1 }: SentRequest,
  { settings }: Circumstances
): string | undefined => {
  const { code = "", status } = error
  if (status === 413 || code === "EntityTooLarge" || code === "MaxMessageLengthExceeded") return sizeAdvice(bodyBytes)
  // the part's number is the cause, because the store accepted parts with smaller numbers
  if (partNumber > 1 && /^(InvalidArgument|InvalidPartNumber|TooManyParts)$/.test(code))
    return `the store does not accept part ${partNumber}: raise --part-size, so that the file has fewer parts`
  const flags = flagsOf(settings)
  if (status === 501 || code === "NotImplemented") {
    if (flags.length > 0) return unimplementedAdvice(flags, settings)
    return error.operation === "PutObject"
      ? "the store does not implement uploads as S3 defines them: check --endpoint"
      : "the store does not implement multipart uploads: raise --part-size above the size of the files"
  }
  return error.advice === undefined && flags.length > 0
    ? `try without ${joined(flags)}; otherwise ${error.hint}`
    : undefined
}

/** Names the given flags that the provider is known to refuse. If there are none, names all of `flags`. */
const unimplementedAdvice = (flags: ReadonlyArray<string>, { endpoint }: Target) => {
  const { name, unsupported = [] } = Providers.of(endpoint)
  const known = flags.filter((flag) => unsupported.some((prefix) => flag.startsWith(prefix)))
  return known.length === 0
    ? `the store does not implement what ${joined(flags)} asks for: leave it out`
    : `${name} does not implement ${joined(known)}: leave it out`
}

const sizeAdvice = (bodyBytes: number) =>
  bodyBytes > minPartBytes
    ? "give a smaller --part-size (at least 5MiB), or raise the limit of the store or of the proxy in front of it"
    : `raise the limit of the store or of the proxy in front of it, such as client_max_body_size in nginx: it refuses ${Size.format(bodyBytes)}, and parts cannot be smaller than 5MiB`

/** The given flags that not every store supports. */
const flagsOf = ({ acl, metadata, noOverwrite, sse, storageClass, tags }: ObjectAttributes): ReadonlyArray<string> => [
  ...(sse === "none" ? [] : [`--sse ${sse}`]),
  ...(Object.keys(tags).length === 0 ? [] : ["--tag"]),
  ...(acl === undefined ? [] : ["--acl"]),
  ...(storageClass === undefined ? [] : ["--storage-class"]),
  ...(Object.keys(metadata).length === 0 ? [] : ["--metadata"]),
  ...(noOverwrite ? ["--no-overwrite"] : [])
]

const joined = (flags: ReadonlyArray<string>) => flags.join(" or ")

/** What the SDK throws, read for what it says of a request. */
import { Duration } from "effect"
import { CredentialsMissing, revised, type StoreError } from "../../../domain/Errors.ts"
import * as DurationText from "../../../domain/DurationText.ts"
import { NoSource, SourceFailed } from "./Credentials.ts"
import { classify, type Seen } from "./ErrorTable.ts"

/** What the SDK and Node throw, as far as it is looked at. All of it may be missing. */
interface Thrown {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  /** Of a host with several addresses, one for each. */
  readonly errors?: ReadonlyArray<{ readonly message: string }>
  /** Of a call to the system, such as `connect`. */
  readonly syscall?: string
  /** Of a proxy that was asked for a tunnel. */
  readonly statusCode?: number
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly headers?: Headers }
  readonly Region?: string
}

type Headers = Readonly<Record<string, string>>

const read = (cause: unknown): Thrown => (typeof cause === "object" && cause !== null ? cause : {})

export const storeError = (operation: string, cause: unknown): StoreError => {
  if (cause instanceof NoSource) return new CredentialsMissing({ detail: cause.message, cause })
  if (cause instanceof SourceFailed) return sourceError(cause)
  if (isOfSources(read(cause))) return new CredentialsMissing({ detail: withoutContent(cause), cause })
  return classify(answer(operation, cause))
}

const answer = (operation: string, cause: unknown): Seen => {
  const thrown = read(cause)
  const status = thrown.$metadata?.httpStatusCode
  const headers = thrown.$response?.headers ?? {}
  // the SDK gives a connection that was reset the name of a time-out; the code is the truth
  const code = status === undefined ? (thrown.code ?? thrown.name) : thrown.name
  const type = headers["content-type"] ?? "xml"
  const isForeign = status !== undefined && !/xml|json/.test(type)
  return {
    operation,
    detail: isForeign ? `answered with ${type}, as no store does` : detail(thrown, cause),
    code: isForeign || code === "Unknown" || code === "Error" ? undefined : code,
    status: status ?? thrown.statusCode,
    requestId: thrown.$metadata?.requestId,
    retryable: false,
    retryAfter: retryAfter(headers),
    advice: status === 301 || status === 307 || status === 400 ? region(headers, thrown) : undefined,
    cause,
    isPage: isForeign && /\bhtml\b/.test(type)
  }
}

/**
 * A source of credentials that is set up, and fails: by what STS, SSO, or the network on the way to them say; else by
 * what it says itself.
 */
const sourceError = ({ cause, source }: SourceFailed): StoreError => {
  const thrown = read(cause)
  const isAnswer = thrown.$metadata?.httpStatusCode !== undefined
  const isNetwork = thrown.name === "TimeoutError" || (thrown.code !== undefined && thrown.syscall !== "open")
  return isAnswer || (isNetwork && !isOfSources(thrown))
    ? classify(answer(`credentials (${source})`, cause))
    : new CredentialsMissing({ detail: `${source}: ${withoutContent(cause)}`, advice: mendSource, cause })
}

const mendSource =
  "this source is set up, so no other is asked: mend it (an SSO session, by aws sso login), or take it away"

/** Thrown by the SDK's own sources. */
const isOfSources = ({ name }: Thrown) =>
  name === "CredentialsProviderError" || name === "ProviderError" || name === "TokenProviderError"

/** Some of these quote what they read, or a command line, and that may hold a secret. */
const withoutContent = (cause: unknown) => {
  const { message = String(cause) } = read(cause)
  if (/JSON/.test(message)) return "what it gave is not what credentials look like"
  return message.startsWith("Command failed") ? "credential_process failed: run its command by hand" : message
}

const detail = ({ errors = [], message, name }: Thrown, cause: unknown) => {
  if (errors.length > 0) return errors.map(({ message }) => message).join(", ")
  // these are for who debugs the SDK
  if (message?.includes("Deserialization error") === true) return "the answer is cut off, or not XML"
  if (message?.startsWith("@smithy/") === true) return timeOut(message)
  return message === undefined || message === "" || message === "UnknownError" ? (name ?? String(cause)) : message
}

const timeOut = (message: string) => {
  const after = DurationText.format(Duration.millis(Number(/(\d+) ms/.exec(message)?.[1] ?? 0)))
  if (message.includes("establish a connection")) return `no connection within ${after}`
  return message.includes("inactivity") ? `nothing moved for ${after}` : `no complete answer within ${after}`
}

/** Characters; AWS gives 40. A shorter text may stand in a message for other reasons. */
const leastSecret = 8

/** A store may repeat what it was sent, and the report repeats what it says. */
export const withoutSecrets = (
  error: StoreError,
  identity: { readonly secretAccessKey: string; readonly sessionToken?: string | undefined } | undefined
): StoreError => {
  if (error._tag === "CredentialsMissing") return error
  const detail = [identity?.sessionToken, identity?.secretAccessKey]
    .filter((secret) => secret !== undefined && secret.length >= leastSecret)
    .reduce<string>((text, secret = "") => text.replaceAll(secret, "…"), error.detail)
    .replaceAll(/(AWS4-HMAC-SHA256|Signature=).*/gs, "…")
  return detail === error.detail ? error : revised(error, { detail })
}

/** A store that is asked in the wrong region says which is the right one. */
const region = (headers: Headers, { Region }: Thrown) => {
  const right = headers["x-amz-bucket-region"] ?? Region
  return right === undefined ? undefined : `the bucket is in ${right}: give --region ${right}`
}

/** Sources: RFC 9110, section 10.2.3 (seconds, or a date), and AWS's own header, in milliseconds. */
const retryAfter = (headers: Headers): Duration.Duration | undefined => {
  const text = headers["retry-after"]
  const millis =
    text === undefined
      ? Number(headers["x-amz-retry-after"])
      : /^\d+$/.test(text)
        ? Number(text) * 1000
        : Date.parse(text) - Date.now()
  return millis > 0 ? Duration.millis(millis) : undefined
}

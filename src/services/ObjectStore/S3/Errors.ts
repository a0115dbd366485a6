/** Translates errors of the SDK and Node into errors of the store. */
import { Duration } from "effect"
import * as DurationText from "../../../domain/DurationText.ts"
import { ConfigError, CredentialsMissing, revised, type StoreError } from "../../../domain/Errors.ts"
import * as CredentialProcess from "./CredentialProcess.ts"
import { NoSource, SourceFailed } from "./Credentials.ts"
import { classify, type ObservedAnswer } from "./ErrorTable.ts"
import * as StoreClock from "./StoreClock.ts"

/** The fields of an error that are used. Each of them may be missing. */
interface Thrown {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  /** One for each address of the host. */
  readonly errors?: ReadonlyArray<{ readonly message: string }>
  /** The system call that failed, such as `connect`. */
  readonly syscall?: string
  /** Status of a proxy's response that refuses a tunnel. */
  readonly statusCode?: number
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $response?: { readonly headers?: Headers }
  readonly Region?: string
  /** In a refusal for clock skew. */
  readonly ServerTime?: unknown
}

type Headers = Readonly<Record<string, string>>

const read = (cause: unknown): Thrown => (typeof cause === "object" && cause !== null ? cause : {})

export const storeError = (operation: string, cause: unknown): StoreError => {
  if (cause instanceof NoSource) return new CredentialsMissing({ detail: cause.message, cause })
  if (cause instanceof SourceFailed) return sourceError(cause)
  if (isSourceError(read(cause))) return new CredentialsMissing({ detail: withoutContent(cause), cause })
  return classify(answer(operation, cause))
}

const answer = (operation: string, cause: unknown): ObservedAnswer => {
  const thrown = read(cause)
  const status = thrown.$metadata?.httpStatusCode
  const { $response, ServerTime } = thrown
  const headers = $response?.headers ?? {}
  // the SDK names a reset connection a timeout, but keeps its code
  const code = status === undefined ? (thrown.code ?? thrown.name) : thrown.name
  const type = headers["content-type"] ?? "xml"
  const isForeign = status !== undefined && !/xml|json/.test(type)
  return {
    operation,
    detail: isForeign ? `answered with ${type}, which no store does` : detailOf(thrown, cause),
    code: isForeign || code === "Unknown" || code === "Error" ? undefined : code,
    status: status ?? thrown.statusCode,
    requestId: thrown.$metadata?.requestId,
    retryable: false,
    storeTime: StoreClock.timeOf(typeof ServerTime === "string" ? ServerTime : headers["date"]),
    retryAfter: retryAfter(headers),
    advice: status === 301 || status === 307 || status === 400 ? regionHint(headers, thrown) : undefined,
    cause,
    isPage: isForeign && /\bhtml\b/.test(type)
  }
}

/** The error of a credential source: from a response of STS or SSO, from the network, or the source's own message. */
const sourceError = ({ cause, source }: SourceFailed): StoreError => {
  const thrown = read(cause)
  const isAnswer = thrown.$metadata?.httpStatusCode !== undefined
  const isNetwork = thrown.name === "TimeoutError" || (thrown.code !== undefined && thrown.syscall !== "open")
  return isAnswer || (isNetwork && !isSourceError(thrown))
    ? classify(answer(`credentials (${source})`, cause))
    : new CredentialsMissing({
        detail: `${source}: ${withoutContent(cause)}`,
        advice: cause instanceof ConfigError ? cause.hint : repairSource,
        cause
      })
}

const repairSource =
  "this source is set up, so no other is asked: repair it (an SSO session with aws sso login) or remove it"

/** Whether the error comes from one of the SDK's own credential sources. */
const isSourceError = ({ name }: Thrown) =>
  name === "CredentialsProviderError" || name === "ProviderError" || name === "TokenProviderError"

/** Some messages quote the input, which may contain a secret. */
const withoutContent = (cause: unknown) => {
  const { message = String(cause) } = read(cause)
  if (message.startsWith(CredentialProcess.failure)) return message
  return /JSON/.test(message) ? "its output is not in the format of credentials" : message
}

const detailOf = ({ errors = [], message, name }: Thrown, cause: unknown) => {
  if (errors.length > 0) return errors.map((error) => error.message).join(", ")
  // the SDK's own messages are for developers
  if (message?.includes("Deserialization error") === true) return "the answer is incomplete or not XML"
  if (message?.startsWith("@smithy/") === true) return describeTimeout(message)
  return message === undefined || message === "" || message === "UnknownError" ? (name ?? String(cause)) : message
}

const describeTimeout = (message: string) => {
  const after = DurationText.format(Duration.millis(Number(/(\d+) ms/.exec(message)?.[1] ?? 0)))
  if (message.includes("establish a connection")) return `no connection within ${after}`
  return message.includes("inactivity") ? `no traffic for ${after}` : `no complete answer within ${after}`
}

/** Characters. AWS issues 40; a shorter text may occur in a message by chance. */
const minSecretLength = 8

/** Removes secrets: the store's message may repeat parts of the request, and the report repeats that message. */
export const withoutSecrets = (
  error: StoreError,
  identity: { readonly secretAccessKey: string; readonly sessionToken?: string | undefined } | undefined
): StoreError => {
  if (error._tag === "CredentialsMissing") return error
  const detail = [identity?.sessionToken, identity?.secretAccessKey]
    .filter((secret) => secret !== undefined && secret.length >= minSecretLength)
    .reduce<string>((text, secret = "") => text.replaceAll(secret, "…"), error.detail)
    .replaceAll(/(AWS4-HMAC-SHA256|Signature=).*/gs, "…")
  return detail === error.detail ? error : revised(error, { detail })
}

/** A store in another region names that region. */
const regionHint = (headers: Headers, { Region }: Thrown) => {
  const actual = headers["x-amz-bucket-region"] ?? Region
  return actual === undefined ? undefined : `the bucket is in ${actual}: give --region ${actual}`
}

/**
 * A date counts from the response's own. Sources: RFC 9110, section 10.2.3 (seconds or a date), and the header of AWS
 * (milliseconds).
 */
const retryAfter = (headers: Headers): Duration.Duration | undefined => {
  const text = headers["retry-after"]
  const millis =
    text === undefined
      ? Number(headers["x-amz-retry-after"])
      : /^\d+$/.test(text)
        ? Number(text) * 1000
        : Date.parse(text) - (StoreClock.timeOf(headers["date"]) ?? Date.now())
  return millis > 0 ? Duration.millis(millis) : undefined
}

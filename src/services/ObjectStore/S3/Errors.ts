/** Translates errors of the SDK and Node into errors of the store. */
import { Duration } from "effect"
import * as DurationText from "../../../domain/DurationText.ts"
import { ConfigError, CredentialsMissing, revised, type StoreError } from "../../../domain/Errors.ts"
import * as CredentialProcess from "./CredentialProcess.ts"
import { NoSource, SourceFailed } from "./Credentials.ts"
import { classify, type ObservedAnswer } from "./ErrorTable.ts"
import * as StoreClock from "./StoreClock.ts"
import { codeOf, type Headers, headersOf, read, type Thrown } from "./Thrown.ts"
import * as TlsTable from "./TlsTable.ts"

export const storeError = (operation: string, cause: unknown): StoreError => {
  if (cause instanceof NoSource) return new CredentialsMissing({ detail: cause.message, cause })
  if (cause instanceof SourceFailed) return sourceError(cause)
  if (isSourceError(read(cause))) return new CredentialsMissing({ detail: withoutContent(cause), cause })
  return classify(answer(operation, cause))
}

const answer = (operation: string, cause: unknown): ObservedAnswer => {
  const thrown = read(cause)
  const status = thrown.$metadata?.httpStatusCode
  const { ServerTime } = thrown
  const headers = headersOf(thrown)
  // the code decides, because the SDK calls a reset connection a timeout
  const code = status === undefined ? (codeOf(thrown) ?? thrown.name) : thrown.name
  const type = headers["content-type"] ?? "xml"
  // Node's own message already names the proxy that refuses a tunnel
  const proxy = thrown.proxy === undefined || code === "ERR_PROXY_TUNNEL" ? "" : `proxy ${thrown.proxy.host}: `
  const isForeign = status !== undefined && !/xml|json/.test(type)
  return {
    operation,
    detail: isForeign ? `answered with ${type}, which no store does` : `${proxy}${detailOf(thrown, cause)}`,
    code: isForeign || isUnreadable(thrown) || noCode.test(code ?? "") ? undefined : code,
    status: status ?? thrown.statusCode,
    requestId: thrown.$metadata?.requestId,
    retryable: false,
    storeTime: StoreClock.timeOf(typeof ServerTime === "string" ? ServerTime : headers["date"]),
    retryAfter: retryAfter(headers),
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
        advice: cause instanceof ConfigError ? cause.hint : repair(source, thrown),
        cause
      })
}

const repair = (source: string, { message = "" }: Thrown) =>
  message.startsWith(CredentialProcess.failure)
    ? `run the command of credential_process in the ${source} as the user of ibsr-export, and correct what it reports`
    : "this source is set up, so no other is asked: repair it (an SSO session with aws sso login) or remove it"

/** Whether the error comes from one of the SDK's own credential sources. */
const isSourceError = ({ name }: Thrown) =>
  name === "CredentialsProviderError" || name === "ProviderError" || name === "TokenProviderError"

/** Returns the message of an error. Replaces a message that may quote the command's output, which contains secrets. */
const withoutContent = (cause: unknown) => {
  const { message = String(cause) } = read(cause)
  if (message.startsWith(CredentialProcess.failure)) return message
  return /JSON/.test(message) ? "its output is not in the format of credentials" : message
}

/** Matches the names and messages that the SDK makes up if the response has none. */
const noCode = /^\s*$|^(Unknown|UnknownError|Error)$/

/** Whether the SDK could not parse the response. The error then has the name of the parser's error. */
const isUnreadable = ({ message }: Thrown) => message?.includes("Deserialization error") === true

const detailOf = (thrown: Thrown, cause: unknown) => {
  const { errors = [], message, name } = thrown
  const status = thrown.$metadata?.httpStatusCode
  const tls = TlsTable.row(codeOf(thrown) ?? "")?.detail
  if (tls !== undefined) return tls
  if (errors.length > 0) return errors.map((error) => error.message).join(", ")
  // replaces the SDK's own messages, which are for developers
  if (isUnreadable(thrown)) return "the answer is incomplete or not XML"
  if (message?.startsWith("@smithy/") === true) return describeTimeout(message)
  if (message === undefined || noCode.test(message)) {
    if (name !== undefined && !noCode.test(name)) return name
    return status === undefined ? String(cause) : "the answer has no explanation"
  }
  return message.replace(nodeAdvice, "")
}

/** Matches the advice about Node's flags that Node adds to some messages. */
const nodeAdvice = /; if the root CA is installed locally, try running Node\.js with --use-system-ca/

const describeTimeout = (message: string) => {
  const after = DurationText.format(Duration.millis(Number(/(\d+) ms/.exec(message)?.[1] ?? 0)))
  if (message.includes("establish a connection")) return `no connection within ${after}`
  return message.includes("inactivity") ? `no traffic for ${after}` : `no complete answer within ${after}`
}

/** In characters. Secrets of AWS have 40; a short text may occur in a message by chance. */
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

/**
 * The pause that the response asks for. If it is a date, it is compared with the date of the response. Sources: RFC
 * 9110, section 10.2.3 (seconds or a date), and the header of AWS (milliseconds).
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

/** What the SDK throws, read for what it says of a request. */
import { Duration } from "effect"
import { CredentialsMissing, type StoreAnswer, type StoreError } from "../../domain/Errors.ts"
import { classify } from "./S3ErrorClass.ts"

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
  return classify(answer)
}

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

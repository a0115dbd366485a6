/** Makes hints from responses that name another region or another address. */
import type { StoreAnswer } from "../../../domain/Errors.ts"
import type { Target } from "../../../domain/Settings.ts"
import * as Thrown from "./Thrown.ts"

interface Present {
  readonly settings: Pick<Target, "endpoint">
  readonly region: { readonly value: string; readonly source: string } | undefined
}

/** MinIO names its region in every error, so the name alone does not mean that the region is wrong. */
const regionCodes = new Set([
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
  "InvalidRegionName",
  "InvalidRegion",
  "IncorrectEndpoint",
  "PermanentRedirect",
  "TemporaryRedirect"
])

export const concernsRegion = ({ code, status }: Pick<StoreAnswer, "code" | "status">): boolean =>
  (code !== undefined && regionCodes.has(code)) || (code === undefined && (status === 301 || status === 307))

/** Undefined unless the response names a region or an address that differs from the current one. */
export const of = (error: StoreAnswer, { region, settings }: Present): string | undefined => {
  const { status = 0 } = error
  const thrown = Thrown.read(error.cause)
  const headers = Thrown.headersOf(thrown)
  const target = status >= 300 && status < 400 ? headers["location"] : undefined
  const location = target === undefined ? null : URL.parse(target, settings.endpoint?.href)
  if (location?.protocol === "https:" && settings.endpoint?.protocol === "http:" && isSameHost(location, settings))
    return `the store redirects to https: give --endpoint https://${location.host}`
  if (!concernsRegion(error))
    return location === null
      ? undefined
      : `a proxy or a login page answers in place of the store, and redirects to ${location.origin}: check --endpoint, HTTPS_PROXY and NO_PROXY`
  const named = headers["x-amz-bucket-region"] ?? thrown.Region ?? awsRegion(thrown.Endpoint)
  if (named !== undefined && named !== region?.value) {
    const today = region === undefined ? "" : `, not in ${region.value}, which comes from ${region.source}`
    return `the bucket is in ${named}${today}: give --region ${named}`
  }
  const address = thrown.Endpoint ?? location?.host
  return address === undefined || address === settings.endpoint?.host
    ? undefined
    : `the store answers for this bucket at ${address}: check --endpoint`
}

const isSameHost = ({ hostname }: URL, { endpoint }: Present["settings"]) =>
  endpoint !== undefined && `.${hostname}`.endsWith(`.${endpoint.hostname}`)

/** The region in a host name of AWS, such as `bucket.s3.eu-west-1.amazonaws.com`. */
const awsRegion = (host: string | undefined) => /(?:^|\.)s3[.-]([a-z]{2}[a-z-]*-\d)\.amazonaws\./.exec(host ?? "")?.[1]

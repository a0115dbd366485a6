/**
 * Gets values from the instance metadata service of EC2, version 2 only: first a token, then the value.
 *
 * Source: "Use the Instance Metadata Service to access instance metadata" in the Amazon EC2 User Guide.
 */
import { Data, Duration, Effect } from "effect"
import http from "node:http"
import type { Env } from "../../domain/Env.ts"

/** The time limit of both requests together. On an instance they take milliseconds; elsewhere, nothing responds. */
const timeout = Duration.seconds(2)

/** Longer than the value of any item that is requested. */
const maxCharacters = 1024

/** Never uses a proxy, unlike Node's global agent. */
const agent = new http.Agent()

/** The service does not have the item, or does not respond. */
export class MetadataUnavailable extends Data.TaggedError("MetadataUnavailable")<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** Gets an item below `/latest/meta-data/`. */
export const get = (item: string, env: Env): Effect.Effect<string, MetadataUnavailable> =>
  Effect.tryPromise({
    try: async (signal) => {
      if (!/^(?:|false)$/i.test(env["AWS_EC2_METADATA_DISABLED"] ?? ""))
        throw new MetadataUnavailable({ message: "AWS_EC2_METADATA_DISABLED is set" })
      const endpoint = endpointOf(env)
      const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60" }
      const token = await request("PUT", new URL("/latest/api/token", endpoint), ttl, signal)
      const header = { "x-aws-ec2-metadata-token": token }
      return request("GET", new URL(`/latest/meta-data/${item}`, endpoint), header, signal)
    },
    catch: (cause) =>
      new MetadataUnavailable({ message: cause instanceof Error ? cause.message : String(cause), cause })
  }).pipe(
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () => new MetadataUnavailable({ message: `no answer within ${Duration.toSeconds(timeout)} s` })
    })
  )

/** The variables are those of the AWS SDKs. */
const endpointOf = (env: Env) =>
  env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ||
  (/^ipv6$/i.test(env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] ?? "")
    ? "http://[fd00:ec2::254]"
    : "http://169.254.169.254")

const request = (method: string, url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal) =>
  new Promise<string>((resolve, reject) => {
    const sent = http.request(url, { method, headers, agent, signal }, (response) => {
      let text = ""
      response
        .setEncoding("utf8")
        .on("data", (piece: string) => {
          text += piece
          if (text.length > maxCharacters) sent.destroy(new Error("the answer is too long"))
        })
        .on("error", reject)
        .on("end", () =>
          response.statusCode === 200 ? resolve(text) : reject(new Error(`it answered ${response.statusCode}`))
        )
    })
    sent.on("error", reject).end()
  })

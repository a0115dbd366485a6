/** Sends the requests of the SDK's client, or responds in place of the store. */
import type { S3Client, ServiceInputTypes, ServiceOutputTypes } from "@aws-sdk/client-s3"
import { buildQueryString, type HttpRequest, HttpResponse } from "@smithy/core/protocols"
import { Cause, Effect, Exit } from "effect"
import { Readable } from "node:stream"
import type { HttpClient, Origin, Request } from "../Http/Client.ts"
import type { Command } from "./Commands.ts"
import * as Proof from "./Proof.ts"
import type { StoreClock } from "./StoreClock.ts"

/** Options of `S3Client.send`, which it passes on to the request handler. */
export interface Options {
  readonly abortSignal?: AbortSignal
  /** Returns the response instead of sending the request. */
  readonly answer?: (request: HttpRequest) => Proof.Answer
}

/** Makes the SDK's request handler. */
export const make = (http: HttpClient, clock: StoreClock) => ({
  metadata: { handlerProtocol: "http/1.1" },
  destroy: () => {},
  handle: async (request: HttpRequest, { abortSignal, answer }: Options = {}) => {
    const given = await (answer === undefined
      ? Effect.runPromiseExit(http.exchange(asRequest(request)), abortSignal && { signal: abortSignal }).then(
          Exit.getOrElse((cause) => {
            throw Cause.squash(cause)
          })
        )
      : answer(request))
    clock.observe(given.headers)
    const { body, headers, status } = Proof.checked(asked(request), given)
    return { response: new HttpResponse({ statusCode: status, headers: { ...headers }, body: Readable.from([body]) }) }
  }
})

const asked = ({ method, query }: HttpRequest): Proof.Asked => ({
  method,
  root:
    method === "POST"
      ? `${"uploads" in query ? "InitiateMultipartUpload" : "CompleteMultipartUpload"}Result`
      : undefined
})

const asRequest = (request: HttpRequest): Request => {
  const { "content-length": _, ...headers } = request.headers
  const body: unknown = request.body ?? ""
  return {
    origin: originOf(request),
    method: request.method,
    target: targetOf(request),
    headers,
    body: typeof body === "string" ? Buffer.from(body) : (body as Uint8Array)
  }
}

export const originOf = ({ hostname, port, protocol }: HttpRequest): Origin => {
  const isSecure = protocol === "https:"
  return { protocol: isSecure ? "https:" : "http:", hostname, port: port ?? (isSecure ? 443 : 80) }
}

export const targetOf = ({ path, query }: HttpRequest): string => {
  const text = buildQueryString(query)
  return text === "" ? path : `${path}?${text}`
}

/** The signed request that the SDK builds for a command. Sends nothing. */
export const draft = async <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  client: S3Client,
  command: Command<Input, Output>
): Promise<HttpRequest> => {
  let built: HttpRequest | undefined
  const options: Options = {
    answer: (request) => {
      built = request
      return { status: 200, headers: {}, body: Buffer.alloc(0) }
    }
  }
  await client.send(command, options)
  if (built === undefined) throw new Error("the SDK made no request of a command")
  return built
}

/** The SDK's result for a response to a command. Rejects if the response is a failure. */
export const interpret = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  client: S3Client,
  command: Command<Input, Output>,
  answer: Proof.Answer
): Promise<Output> => {
  const options: Options = { answer: () => answer }
  return client.send(command, options)
}

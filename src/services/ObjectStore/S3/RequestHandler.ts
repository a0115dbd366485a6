/** How the SDK's client sends what it has made of a command; and how something else than the store can answer it. */
import type { S3Client, ServiceInputTypes, ServiceOutputTypes } from "@aws-sdk/client-s3"
import { buildQueryString, type HttpRequest, HttpResponse } from "@smithy/core/protocols"
import { Cause, Effect, Exit } from "effect"
import { Readable } from "node:stream"
import type { Response } from "../Http/ResponseReader.ts"
import type { HttpClient, Origin, Request } from "../Http/Client.ts"
import type { Command } from "./Commands.ts"

/** What `S3Client.send` takes besides a command, and hands on. */
export interface Options {
  readonly abortSignal?: AbortSignal
  /** Answers in place of the store. */
  readonly instead?: (request: HttpRequest) => Pick<Response, "status" | "headers" | "body">
}

/** A request handler of the SDK. */
export const make = (http: HttpClient) => ({
  metadata: { handlerProtocol: "http/1.1" },
  destroy: () => {},
  handle: async (request: HttpRequest, { abortSignal, instead }: Options = {}) => {
    const { body, headers, status } = await (instead === undefined
      ? Effect.runPromiseExit(http.exchange(asRequest(request)), abortSignal && { signal: abortSignal }).then(
          Exit.getOrElse((cause) => {
            throw Cause.squash(cause)
          })
        )
      : instead(request))
    return { response: new HttpResponse({ statusCode: status, headers: { ...headers }, body: Readable.from([body]) }) }
  }
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

/** What the SDK makes of a command, signed, and not sent. */
export const draft = async <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  client: S3Client,
  command: Command<Input, Output>
): Promise<HttpRequest> => {
  let draft: HttpRequest | undefined
  const options: Options = {
    instead: (request) => {
      draft = request
      return { status: 200, headers: {}, body: Buffer.alloc(0) }
    }
  }
  await client.send(command, options)
  if (draft === undefined) throw new Error("the SDK made no request of a command")
  return draft
}

/** What the SDK makes of an answer to a command: for those that are failures, it throws. */
export const interpret = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  client: S3Client,
  command: Command<Input, Output>,
  answer: Pick<Response, "status" | "headers" | "body">
): Promise<Output> => {
  const options: Options = { instead: () => answer }
  return client.send(command, options)
}

import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse
} from "node:http"
import { createServer as createHttpsServer } from "node:https"
import type { Server } from "node:net"
import { text } from "node:stream/consumers"
import { setTimeout as sleep } from "node:timers/promises"
import { Loopback } from "../Loopback.ts"

/** The misbehaviour of a credential source. A test may change it at any time. */
export interface Behaviour {
  /** The wait before each response. */
  latencyMs: number
  /** Whether it accepts requests, but never answers them. */
  hang: boolean
  /** The number of requests to answer with 503. Each such response decrements it. */
  failures: number
  /** The URL to redirect to with 307. A client then repeats the request with its headers and its body. */
  redirect: string | undefined
}

/** A request whose body has arrived. */
export interface ReceivedRequest {
  method: string
  /** As sent, including the query. */
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** Undefined until the request is answered; stays undefined if the service hangs or the client disconnects. */
  status?: number
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string
}

/** A certificate and its key (PEM). */
export interface Tls {
  key: string
  cert: string
}

export interface ServiceOptions extends Partial<Behaviour> {
  tls?: Tls
  /** A server that already listens. Default: a free port of 127.0.0.1. */
  listener?: Server
}

/** Answers a request. Undefined leaves it unanswered. */
export type Handler = (request: ReceivedRequest) => Answer | undefined

/** The response that the behaviour requires instead of the service's own, if any. */
const overrideBy = (behaviour: Behaviour, unavailable: Answer | undefined): Answer | undefined => {
  if (behaviour.redirect !== undefined) return { status: 307, headers: { location: behaviour.redirect } }
  if (behaviour.failures === 0) return undefined
  behaviour.failures -= 1
  return { status: 503, ...unavailable }
}

/** An HTTP service that answers with a handler, unless its behaviour overrides the handler. */
export class HttpService {
  /** All requests whose bodies have arrived. */
  readonly requests: ReceivedRequest[]
  readonly behaviour: Behaviour
  /** Such as `http://127.0.0.1:4711`. */
  readonly url: string
  readonly #loopback: Loopback

  private constructor(loopback: Loopback, requests: ReceivedRequest[], behaviour: Behaviour, scheme: string) {
    this.requests = requests
    this.behaviour = behaviour
    this.url = `${scheme}://127.0.0.1:${loopback.port}`
    this.#loopback = loopback
  }

  /** `unavailable` is the response to the requests in `failures`, for a service that has its own error format. */
  static async start(options: ServiceOptions, handler: Handler, unavailable?: Answer): Promise<HttpService> {
    const { failures = 0, hang = false, latencyMs = 0, redirect, tls } = options
    const behaviour: Behaviour = { failures, hang, latencyMs, redirect }
    const requests: ReceivedRequest[] = []
    const handle = async (message: IncomingMessage, response: ServerResponse) => {
      const { headers, method = "", url: path = "" } = message
      const request: ReceivedRequest = { method, path, headers, body: await text(message) }
      requests.push(request)
      if (behaviour.hang) return
      if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs)
      if (response.destroyed) return
      const answer = overrideBy(behaviour, unavailable) ?? handler(request)
      if (answer === undefined) return
      request.status = answer.status
      response.writeHead(answer.status, answer.headers).end(answer.body)
    }
    const listener = (message: IncomingMessage, response: ServerResponse) =>
      // the client disconnected in the middle of its request
      void handle(message, response).catch(() => response.destroy())
    const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener)
    return new HttpService(
      await Loopback.listen(server, options.listener),
      requests,
      behaviour,
      tls === undefined ? "http" : "https"
    )
  }

  stop(): Promise<void> {
    return this.#loopback.stop()
  }
}

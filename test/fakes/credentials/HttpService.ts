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

/** What every source of credentials may be told to do. All of it may be changed while it runs. */
export interface Behaviour {
  /** Wait so long before each answer. */
  latencyMs: number
  /** Accept requests, and never answer. */
  hang: boolean
  /** Answer 503 to so many requests; counted down. */
  failures: number
  /** Send everybody to this URL, with 307, which means: the same request, with its headers and its body. */
  redirect: string | undefined
}

/** A request, with its body. */
export interface ReceivedRequest {
  method: string
  /** As on the wire, with the query. */
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** Undefined while unanswered, and for ever when the service hangs or the client leaves. */
  status?: number
}

/** What the service says. */
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

/** How a service is started. */
export interface ServiceOptions extends Partial<Behaviour> {
  tls?: Tls
  /** What listens already, in place of a free port of 127.0.0.1. */
  listener?: Server
}

/** What a service answers; undefined is no answer at all. */
export type Handler = (asked: ReceivedRequest) => Answer | undefined

/** What a behaviour has answered in place of the service. */
const instead = (behaviour: Behaviour, unavailable: Answer | undefined): Answer | undefined => {
  if (behaviour.redirect !== undefined) return { status: 307, headers: { location: behaviour.redirect } }
  if (behaviour.failures === 0) return undefined
  behaviour.failures -= 1
  return { status: 503, ...unavailable }
}

/** An HTTP service that answers with what a function says, in the way that its behaviour says. */
export class HttpService {
  /** All requests, from when their bodies had arrived. */
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

  /** `unavailable` is what `failures` answer with, where this service has a form for it. */
  static async start(options: ServiceOptions, answerTo: Handler, unavailable?: Answer): Promise<HttpService> {
    const { failures = 0, hang = false, latencyMs = 0, listener: socket, redirect, tls } = options
    const behaviour: Behaviour = { failures, hang, latencyMs, redirect }
    const requests: ReceivedRequest[] = []
    const answering = async (message: IncomingMessage, response: ServerResponse) => {
      const { headers, method = "", url: path = "" } = message
      const asked: ReceivedRequest = { method, path, headers, body: await text(message) }
      requests.push(asked)
      if (behaviour.hang) return
      if (behaviour.latencyMs > 0) await sleep(behaviour.latencyMs)
      if (response.destroyed) return
      const answer = instead(behaviour, unavailable) ?? answerTo(asked)
      if (answer === undefined) return
      asked.status = answer.status
      response.writeHead(answer.status, answer.headers).end(answer.body)
    }
    const listener = (message: IncomingMessage, response: ServerResponse) =>
      // the client left in the middle of its request
      void answering(message, response).catch(() => response.destroy())
    const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener)
    return new HttpService(
      await Loopback.listen(server, socket),
      requests,
      behaviour,
      tls === undefined ? "http" : "https"
    )
  }

  stop(): Promise<void> {
    return this.#loopback.stop()
  }
}

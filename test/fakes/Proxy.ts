/**
 * An HTTP proxy: it forwards requests in absolute form, and tunnels what CONNECT asks for.
 *
 * Sources: RFC 9112, section 3.2.2; RFC 9110, sections 7.6.1, 9.3.6 and 11.7.
 */
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse
} from "node:http"
import { createServer as createHttpsServer } from "node:https"
import { connect, Socket } from "node:net"
import { type Duplex, pipeline } from "node:stream"
import { TLSSocket } from "node:tls"
import type { Tls } from "./credentials/HttpService.ts"
import { Loopback } from "./Loopback.ts"

/** Where a name leads to. */
export interface Address {
  host: string
  port: number
}

/** How to start it. */
export interface ProxyOptions {
  /** `user:password`, without which it answers 407. */
  login?: string
  /** Where a host and port really are; undefined: nowhere, which is answered with 502. Default: where they say. */
  resolve?: (host: string, port: number) => Address | undefined
  /** Speak TLS also to the client. */
  tls?: Tls
}

const page = (status: number) => `<html><body><h1>${status} by the proxy</h1></body></html>\n`

// which a proxy keeps to itself
const hopByHop = new Set(["connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "upgrade"])

const endToEnd = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)))

export class Proxy {
  /** What was asked for, refused or not: `CONNECT bucket.test:443`, `PUT http://store.test/key`. */
  readonly log: string[] = []
  /** What stood in Proxy-Authorization, if anything, line by line with `log`. */
  readonly logins: Array<string | undefined> = []
  /** Answered, with a page of its own, to everything while it is set. */
  refuse: number | undefined
  /** Accept requests, and do nothing about them. */
  hang = false
  /** Reset a tunnel when so many bytes have come from the client. */
  cutAfterBytes: number | undefined
  readonly #options: ProxyOptions
  #loopback: Loopback | undefined
  // to the servers, which know nothing of the proxy's end
  readonly #upstream = new Set<Socket>()

  private constructor(options: ProxyOptions) {
    this.#options = options
  }

  static async start(options: ProxyOptions = {}): Promise<Proxy> {
    const proxy = new Proxy(options)
    const listener = (message: IncomingMessage, response: ServerResponse) => proxy.#forward(message, response)
    const server = options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener)
    server.on("connect", (message: IncomingMessage, client: Duplex, head: Buffer) =>
      proxy.#tunnel(message, client, head)
    )
    proxy.#loopback = await Loopback.listen(server)
    return proxy
  }

  /** What HTTP_PROXY or HTTPS_PROXY is set to, with a login or without. */
  url(login?: string): string {
    const scheme = this.#options.tls === undefined ? "http" : "https"
    // a user has no colon in its name, a password may
    const [, user = "", password = ""] = /^([^:]*):(.*)$/.exec(login ?? "") ?? []
    const userinfo = login === undefined ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
    return `${scheme}://${userinfo}127.0.0.1:${this.#loopback?.port}`
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#loopback?.connections ?? 0
  }

  async stop(): Promise<void> {
    for (const socket of this.#upstream) socket.destroy()
    await this.#loopback?.stop()
  }

  /** The status of a refusal, if there is one. */
  #refusal({ headers, method, url }: IncomingMessage): number | undefined {
    this.log.push(`${method} ${url}`)
    const login = headers["proxy-authorization"]
    this.logins.push(login)
    const wanted = this.#options.login && `Basic ${Buffer.from(this.#options.login).toString("base64")}`
    return wanted === undefined || login === wanted ? this.refuse : 407
  }

  #place(host: string, port: number): Address | undefined {
    const plain = host.replace(/^\[|\]$/g, "")
    return this.#options.resolve === undefined ? { host: plain, port } : this.#options.resolve(plain, port)
  }

  #forward(message: IncomingMessage, response: ServerResponse): void {
    const answer = (status: number) => {
      const login = status === 407 ? { "proxy-authenticate": 'Basic realm="test"' } : {}
      response.writeHead(status, { "content-type": "text/html", ...login }).end(page(status))
    }
    const refusal = this.#refusal(message)
    if (this.hang) return
    if (refusal !== undefined) return answer(refusal)
    // not by URL, which would tidy the path up, and a signature covers the path
    const [, host, port = "80", path] = /^http:\/\/([^/]+?)(?::(\d+))?(\/.*)$/.exec(message.url ?? "") ?? []
    if (host === undefined) return answer(400)
    const place = this.#place(host, Number(port))
    if (place === undefined) return answer(502)
    const outgoing = request({
      ...place,
      method: message.method,
      path,
      headers: endToEnd(message.headers),
      agent: false
    })
    outgoing.on("socket", (socket) => this.#watch(socket))
    outgoing.on("error", () => (response.headersSent ? response.destroy() : answer(502)))
    outgoing.on("response", (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, endToEnd(incoming.headers))
      pipeline(incoming, response, () => {})
    })
    pipeline(message, outgoing, () => {})
  }

  #tunnel(message: IncomingMessage, client: Duplex, head: Buffer): void {
    client.on("error", () => {})
    const answer = (status: number) => {
      const login = status === 407 ? 'Proxy-Authenticate: Basic realm="test"\r\n' : ""
      const body = page(status)
      const head = `HTTP/1.1 ${status} No\r\n${login}Content-Type: text/html\r\nContent-Length: ${body.length}\r\n\r\n`
      client.end(head + body)
    }
    const refusal = this.#refusal(message)
    // reading on is what lets it notice that the client left
    if (this.hang) return void client.resume().once("end", () => client.destroy())
    if (refusal !== undefined) return answer(refusal)
    const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(message.url ?? "") ?? []
    const place = this.#place(host, Number(port))
    if (place === undefined) return answer(502)
    const upstream = connect(place)
    this.#watch(upstream)
    upstream.once("error", () => (upstream.bytesWritten === 0 ? answer(502) : client.destroy()))
    upstream.once("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n")
      if (head.length > 0) client.unshift(head)
      let bytes = 0
      client.on("data", (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > (this.cutAfterBytes ?? Infinity)) reset(client, upstream)
      })
      pipeline(client, upstream, client, () => {})
    })
  }

  #watch(socket: Socket): void {
    this.#upstream.add(socket)
    socket.once("close", () => this.#upstream.delete(socket))
  }
}

/** With a TCP reset where the socket is a plain one; over TLS it can only be closed. */
const reset = (...sockets: ReadonlyArray<Duplex>) => {
  for (const socket of sockets) {
    if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
    else socket.destroy()
  }
}

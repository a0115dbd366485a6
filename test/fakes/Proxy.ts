/**
 * An HTTP proxy: it forwards requests in absolute form, and opens a tunnel for CONNECT.
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

export interface Address {
  host: string
  port: number
}

export interface ProxyOptions {
  /** `user:password`. The proxy answers 407 to a request without these credentials. */
  login?: string
  /** Resolves a host and port. Undefined makes the proxy answer 502. Default: the host and port themselves. */
  resolve?: (host: string, port: number) => Address | undefined
  /** Whether it speaks TLS to the client as well. */
  tls?: Tls
}

const page = (status: number) => `<html><body><h1>${status} by the proxy</h1></body></html>\n`

// the headers that a proxy does not forward
const hopByHop = new Set(["connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "upgrade"])

const endToEnd = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)))

export class Proxy {
  /** All requests, including refused ones: `CONNECT bucket.test:443`, `PUT http://store.test/key`. */
  readonly log: string[] = []
  /** The Proxy-Authorization of each request in `log`, if it had one. */
  readonly logins: Array<string | undefined> = []
  /** If set, the proxy responds to every request with this status and a page. */
  refuse: number | undefined
  /** Whether it accepts requests, but never answers them. */
  hang = false
  /** The proxy resets a tunnel once the client has sent more than this many bytes. */
  cutAfterBytes: number | undefined
  readonly #options: ProxyOptions
  #loopback: Loopback | undefined
  // connections to servers, which do not close when the proxy stops listening
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

  /** The value for HTTP_PROXY or HTTPS_PROXY, with or without credentials. */
  url(login?: string): string {
    const scheme = this.#options.tls === undefined ? "http" : "https"
    // a user name cannot contain a colon, but a password can
    const [, user = "", password = ""] = /^([^:]*):(.*)$/.exec(login ?? "") ?? []
    const userinfo = login === undefined ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
    return `${scheme}://${userinfo}127.0.0.1:${this.#loopback?.port}`
  }

  /** The number of connected clients. */
  get connections(): number {
    return this.#loopback?.connections ?? 0
  }

  async stop(): Promise<void> {
    for (const socket of this.#upstream) socket.destroy()
    await this.#loopback?.stop()
  }

  /** Logs a request, and gives the status to refuse it with, if any. */
  #refusal({ headers, method, url }: IncomingMessage): number | undefined {
    this.log.push(`${method} ${url}`)
    const login = headers["proxy-authorization"]
    this.logins.push(login)
    const wanted = this.#options.login && `Basic ${Buffer.from(this.#options.login).toString("base64")}`
    return wanted === undefined || login === wanted ? this.refuse : 407
  }

  #resolve(host: string, port: number): Address | undefined {
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
    // not parsed with the class URL, which would normalise the path: the signature covers the path as it is sent
    const [, host, port = "80", path] = /^http:\/\/([^/]+?)(?::(\d+))?(\/.*)$/.exec(message.url ?? "") ?? []
    if (host === undefined) return answer(400)
    const address = this.#resolve(host, Number(port))
    if (address === undefined) return answer(502)
    const outgoing = request({
      ...address,
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
      const lines = `HTTP/1.1 ${status} No\r\n${login}Content-Type: text/html\r\nContent-Length: ${body.length}\r\n\r\n`
      client.end(lines + body)
    }
    const refusal = this.#refusal(message)
    // the proxy notices that the client disconnects only if it keeps reading
    if (this.hang) return void client.resume().once("end", () => client.destroy())
    if (refusal !== undefined) return answer(refusal)
    const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(message.url ?? "") ?? []
    const address = this.#resolve(host, Number(port))
    if (address === undefined) return answer(502)
    const upstream = connect(address)
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

/** Sends a TCP reset on a plain socket. A TLS socket can only be closed. */
const reset = (...sockets: ReadonlyArray<Duplex>) => {
  for (const socket of sockets) {
    if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
    else socket.destroy()
  }
}

/** How connections are made: directly or through a proxy, in the clear or by TLS. */
import { Duration } from "effect"
import http from "node:http"
import https from "node:https"
import { isIP, type Socket } from "node:net"
import * as Proxy from "../../domain/Proxy.ts"
import * as Span from "../../domain/Span.ts"
import { type Dial, TimedOut } from "./Connection.ts"
import type { Origin, Route } from "./Http.ts"

/**
 * Node's agents know how to open a tunnel through a proxy, and how to talk to a proxy by TLS; so they make the
 * connections, though no request ever goes through them. `trust`: options of TLS.
 */
export const make =
  (proxies: Proxy.Proxies, trust: { readonly ca?: Buffer }, connectMillis: number) =>
  (origin: Origin): Route => {
    const { port, protocol } = origin
    const hostname = origin.hostname.replace(/^\[(.*)\]$/, "$1")
    const isSecure = protocol === "https:"
    const proxy = Proxy.of(proxies, { ...origin, hostname })
    const variable = isSecure ? "HTTPS_PROXY" : "HTTP_PROXY"
    const agent = new (isSecure ? https : http).Agent({
      ...trust,
      keepAlive: true,
      ...(proxy === undefined ? {} : { proxyEnv: { [variable]: proxy } })
    })
    /** Of the connection made last: another one is half as much work with it. */
    let session: Buffer | undefined

    const options = () => ({
      ...trust,
      host: hostname,
      port,
      noDelay: true,
      keepAlive: true,
      // for the tunnel; what comes after it has its own
      timeout: connectMillis,
      ...(isSecure
        ? { ALPNProtocols: ["http/1.1"], session, ...(isIP(hostname) === 0 ? { servername: hostname } : {}) }
        : {})
    })

    const keeping = (secured: Socket) => secured.on("session", (ticket: Buffer) => (session = ticket))

    const dial: Dial = (done) => {
      let socket: Socket | undefined
      let limit: NodeJS.Timeout | undefined
      const fail = (error: Error) => {
        clearTimeout(limit)
        socket?.destroy()
        done(error)
      }
      const closed = () => fail(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }))
      const late = () => fail(new TimedOut(`no connection within ${Span.format(Duration.millis(connectMillis))}`))

      const establish = (begun: Socket) => {
        socket = begun
        limit = setTimeout(late, connectMillis)
        begun.once("error", fail)
        begun.once("close", closed)
        begun.once(isSecure ? "secureConnect" : "connect", () => {
          clearTimeout(limit)
          begun.off("error", fail)
          begun.off("close", closed)
          done(undefined, begun)
        })
        keeping(begun)
      }

      const isTunnelled = isSecure && proxy !== undefined
      const begun = agent.createConnection(options(), (error, tunnel) => {
        if (!isTunnelled) return
        // TLS is spoken through it by then
        if (error === null || error === undefined) done(undefined, keeping(tunnel as Socket))
        else fail(error)
      }) as Socket
      if (isTunnelled) socket = begun
      else establish(begun)

      return () => {
        clearTimeout(limit)
        socket?.destroy()
      }
    }
    return { dial, asProxy: proxy === undefined || isSecure ? undefined : authorization(proxy) }
  }

const authorization = (proxy: string): Readonly<Record<string, string>> => {
  const { password, username } = new URL(proxy)
  if (username === "" && password === "") return {}
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` }
}

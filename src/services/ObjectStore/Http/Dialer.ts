/** How connections are made: directly or through a proxy, in the clear or by TLS. */
import { Duration } from "effect"
import http from "node:http"
import https from "node:https"
import { isIP, type Socket } from "node:net"
import { createSecureContext, TLSSocket } from "node:tls"
import * as Proxy from "../../../domain/Proxy.ts"
import * as DurationText from "../../../domain/DurationText.ts"
import { cut, type Dial, TimedOut } from "./Connection.ts"
import type { Origin, Route } from "./Client.ts"

/**
 * Node's agents know how to open a tunnel through a proxy, and how to talk to a proxy by TLS; so they make the
 * connections, though no request ever goes through them. `trust`: options of TLS. `connectMillis`: for a connection,
 * and once more for a tunnel before it.
 */
export const make =
  (proxies: Proxy.Proxies, trust: { readonly ca?: Buffer }, connectMillis: number) =>
  (origin: Origin): Route => {
    const hostname = origin.hostname.replace(/^\[(.*)\]$/, "$1")
    const isSecure = origin.protocol === "https:"
    const proxy = Proxy.of(proxies, { ...origin, hostname })
    const isTunnelled = isSecure && proxy !== undefined
    const agent = new (isSecure ? https : http).Agent({
      keepAlive: true,
      ...(proxy === undefined ? {} : { proxyEnv: { [isSecure ? "HTTPS_PROXY" : "HTTP_PROXY"]: proxy } })
    })
    const way = {
      host: hostname,
      port: origin.port,
      noDelay: true,
      keepAlive: true,
      // looked at while a tunnel is opened, and at no other time
      timeout: connectMillis,
      // a bundle of authorities takes milliseconds to read, so not for each connection
      ...(isSecure ? { secureContext: createSecureContext(trust), ALPNProtocols: ["http/1.1"] } : {}),
      ...(isSecure && isIP(hostname) === 0 ? { servername: hostname } : {})
    }
    /** Of the connection made last: another one is half as much work with it. */
    let session: Buffer | undefined

    const dial: Dial = (done) => {
      let begun: Socket | undefined
      let isOver = false
      /** Whether it was not over yet. */
      const end = () => {
        const isFirst = !isOver
        isOver = true
        clearTimeout(limit)
        return isFirst
      }
      const settle = (error: unknown, connected?: Socket) => {
        if (!end()) return connected && drop(connected)
        if (connected === undefined) {
          session = undefined
          drop(begun)
        }
        done(error, connected)
      }
      const giveUp = () => {
        if (end()) drop(begun)
      }
      const limit = setTimeout(
        () => settle(new TimedOut(`no connection within ${DurationText.format(Duration.millis(connectMillis))}`)),
        isTunnelled ? 2 * connectMillis : connectMillis
      )
      const keepSession = (secured: Socket) => secured.on("session", (ticket: Buffer) => (session = ticket))

      try {
        // there is a callback for tunnels alone: TLS is spoken through it by then
        begun = agent.createConnection({ ...way, ...(isSecure ? { session } : {}) }, (error, connected) => {
          if (!isTunnelled) return
          if (error) settle(error)
          else settle(undefined, keepSession(connected as Socket))
        }) as Socket
      } catch (error) {
        settle(error)
        return giveUp
      }
      if (!isTunnelled) {
        const socket = isSecure ? keepSession(begun) : begun
        // who is there, and slow to shake hands, has as long as for an answer
        socket.once("connect", () => clearTimeout(limit))
        socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", () => settle(undefined, socket))
        socket.once("error", settle).once("close", () => settle(cut()))
      }
      return giveUp
    }
    return { dial, asProxy: proxy === undefined || isSecure ? undefined : authorization(proxy) }
  }

const drop = (socket: Socket | undefined) => {
  // until it is closed it may still find something to complain about
  socket?.on("error", () => {})
  // later, because Node crashes where a socket goes while the TLS that is spoken through it calls us
  setImmediate(() => socket?.destroy())
}

const authorization = (proxy: string): Readonly<Record<string, string>> => {
  const { password, username } = new URL(proxy)
  if (username === "" && password === "") return {}
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` }
}

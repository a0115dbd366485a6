/** Makes connections: directly or through a proxy, with or without TLS. */
import { Duration } from "effect"
import dns from "node:dns"
import http from "node:http"
import https from "node:https"
import { isIP, type LookupFunction, type Socket } from "node:net"
import { createSecureContext, TLSSocket } from "node:tls"
import * as DurationText from "../../../domain/DurationText.ts"
import * as Proxy from "../../../domain/Proxy.ts"
import type { Origin, Route } from "./Client.ts"
import * as Authorities from "./Authorities.ts"
import * as NamedProxy from "./NamedProxy.ts"
import { connectionReset, type Dial, StalledError, TimeoutError } from "./Connection.ts"

/**
 * Node's agents make the connections, because they can open a tunnel through a proxy and reach a proxy over TLS. They
 * send no requests. When a certificate of the store or of a proxy has an unknown authority, the system's CA
 * certificates are loaded. For the store, this happens only if `tls.ca` does not specify the authorities to trust.
 * `connectMillis`: timeout for a connection, and for a tunnel before it. `handshakeMillis`: for TLS without a tunnel.
 */
export const make =
  (proxies: Proxy.Proxies, tls: Authorities.Trust, connectMillis: number, handshakeMillis = connectMillis) =>
  (origin: Origin): Route => {
    const hostname = origin.hostname.replace(/^\[(.*)\]$/, "$1")
    const isSecure = origin.protocol === "https:"
    const proxy = Proxy.of(proxies, { ...origin, hostname })
    const isTunnelled = isSecure && proxy !== undefined
    const agent = new (isSecure ? https : http).Agent({
      keepAlive: true,
      ...(proxy === undefined ? {} : { proxyEnv: { [isSecure ? "HTTPS_PROXY" : "HTTP_PROXY"]: proxy } })
    })
    /** The address of the previous connection. */
    let reachable: string | undefined
    const options = {
      host: hostname,
      port: origin.port,
      lookup: preferring(() => reachable),
      noDelay: true,
      keepAlive: true,
      // this timeout has an effect only while a tunnel is being opened
      timeout: connectMillis,
      // NODE_TLS_REJECT_UNAUTHORIZED must have no effect
      rejectUnauthorized: true,
      ...(isSecure ? { ALPNProtocols: ["http/1.1"] } : {}),
      ...(isSecure && isIP(hostname) === 0 ? { servername: hostname } : {})
    }
    /** Made only once, because reading a CA bundle takes milliseconds. */
    let secureContext = isSecure ? createSecureContext(tls) : undefined
    let trustsSystem = false
    /** TLS session of the previous connection: resuming it halves the work of the next handshake. */
    let session: Buffer | undefined

    const open: Dial = (done) => {
      let opening: Socket | undefined
      let hasEnded = false
      /** Returns whether this is the first call. */
      const end = () => {
        const isFirst = !hasEnded
        hasEnded = true
        clearTimeout(timer)
        return isFirst
      }
      const complete = (error: unknown, connected?: Socket) => {
        if (!end()) return connected && destroySoon(connected)
        if (connected === undefined) {
          session = undefined
          destroySoon(opening)
        } else reachable = connected.remoteAddress
        done(error, connected)
      }
      /**
       * Adds the proxy to the error, because a connection that fails in this way is one to the proxy and not to the
       * store.
       */
      const failAtProxy = (error: unknown) =>
        complete(proxy === undefined ? error : NamedProxy.inError(error, proxy, isSecure))
      const cancel = () => {
        if (end()) destroySoon(opening)
      }
      let timer = setTimeout(
        () =>
          failAtProxy(new TimeoutError(`no connection within ${DurationText.format(Duration.millis(connectMillis))}`)),
        isTunnelled ? 2 * connectMillis : connectMillis
      )
      const keepSession = (secured: Socket) => secured.on("session", (ticket: Buffer) => (session = ticket))

      try {
        // for a tunnel, Node calls back only after the TLS handshake
        opening = agent.createConnection(
          { ...options, ...(isSecure ? { secureContext, session } : {}) },
          (error, connected) => {
            if (!isTunnelled) return
            // on an error before the tunnel was open, Node passes the socket of the proxy to this callback
            if (error) (connected === opening ? failAtProxy : complete)(error)
            else complete(undefined, keepSession(connected as Socket))
          }
        ) as Socket
      } catch (error) {
        failAtProxy(error)
        return cancel
      }
      if (!isTunnelled) {
        const socket = isSecure ? keepSession(opening) : opening
        // once the host is connected, its TLS handshake may take as long as a response
        socket.once("connect", () => {
          clearTimeout(timer)
          if (hasEnded) return
          timer = setTimeout(
            () => failAtProxy(new StalledError(`no TLS for ${DurationText.format(Duration.millis(handshakeMillis))}`)),
            handshakeMillis
          )
        })
        socket.once(socket instanceof TLSSocket ? "secureConnect" : "connect", () => complete(undefined, socket))
        socket.once("error", failAtProxy).once("close", () => failAtProxy(connectionReset()))
      }
      return cancel
    }

    const dial: Dial = (done) => {
      const isFinal = trustsSystem
      let cancel = open((error, connected) => {
        if (isFinal || !Authorities.isUnknown(error)) return done(error, connected)
        if (!trustsSystem) {
          trustsSystem = true
          Authorities.trustSystem(tls.extraAuthorities)
          secureContext &&= createSecureContext(tls)
        }
        cancel = open(done)
      })
      return () => cancel()
    }
    return {
      dial,
      proxyHeaders: proxy === undefined || isSecure ? undefined : authorization(proxy),
      proxy: proxy === undefined ? undefined : new URL(proxy).host
    }
  }

/**
 * Looks up the addresses of a host, and returns the preferred one first. Node tries one address after the other: without a
 * preference, each connection would wait for an address that never responds, such as an IPv6 address without a route.
 */
const preferring =
  (preferred: () => string | undefined): LookupFunction =>
  (hostname, request, done) =>
    dns.lookup(hostname, request, (error, found, family) => {
      const rank = ({ address }: dns.LookupAddress) => Number(address !== preferred())
      done(error, Array.isArray(found) ? found.toSorted((a, b) => rank(a) - rank(b)) : found, family)
    })

const destroySoon = (socket: Socket | undefined) => {
  // the socket may still emit errors until it is closed
  socket?.on("error", () => {})
  // destroyed later, because Node crashes if a callback of a TLS connection destroys the socket below it
  setImmediate(() => socket?.destroy())
}

const authorization = (proxy: string): Readonly<Record<string, string>> => {
  const { password, username } = new URL(proxy)
  if (username === "" && password === "") return {}
  const userInfo = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { "proxy-authorization": `Basic ${Buffer.from(userInfo).toString("base64")}` }
}

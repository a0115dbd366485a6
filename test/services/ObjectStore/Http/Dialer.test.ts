import { describe, expect, inject, it } from "@effect/vitest"
import dns from "node:dns"
import { once } from "node:events"
import { type AddressInfo, createServer, type LookupFunction, type Socket } from "node:net"
import type { TLSSocket, TlsOptions } from "node:tls"
import { onTestFinished, vi } from "vitest"
import type { Proxies } from "../../../../src/domain/Proxy.ts"
import type { Origin, Route } from "../../../../src/services/ObjectStore/Http/Client.ts"
import * as Dialer from "../../../../src/services/ObjectStore/Http/Dialer.ts"
import { Loopback } from "../../../fakes/Loopback.ts"
import { Proxy, type ProxyOptions } from "../../../fakes/Proxy.ts"
import { makeAuthority } from "../../../fixtures/Certificates.ts"
import { scriptedServer } from "../../../fixtures/ScriptedServer.ts"
import { unresponsivePort } from "../../../fixtures/UnresponsivePort.ts"

const authority = await makeAuthority()
const tls = { ca: Buffer.from(authority.cert) }

const to = (protocol: Origin["protocol"], hostname: string, port: number): Origin => ({ protocol, hostname, port })

/** Dials. Returns the outcome, how often the outcome was reported, and a function that cancels the dialling. */
const dialVia = (target: Route) => {
  const outcome = Promise.withResolvers<Socket>()
  outcome.promise.catch(() => {})
  const reports = { count: 0 }
  const cancel = target.dial((error, socket) => {
    reports.count++
    if (socket === undefined) outcome.reject(error)
    else outcome.resolve(socket.on("error", () => {}))
  })
  onTestFinished(() => {
    cancel()
    outcome.promise.then(
      (socket) => socket.destroy(),
      () => {}
    )
  })
  return { cancel, connected: outcome.promise, reports }
}

const route = (origin: Origin, proxies: Proxies = {}, connectMillis = 10_000) =>
  Dialer.make(proxies, tls, connectMillis)(origin)

const dial = (...given: Parameters<typeof route>) => dialVia(route(...given)).connected

/** A TLS server that sends one byte on each connection. */
const tlsServer = async (hosts: ReadonlyArray<string>, options: TlsOptions = {}) =>
  scriptedServer((socket) => socket.write("x"), { ...(await authority.issue(...hosts)), ...options })

const startProxy = async (options: ProxyOptions = {}) => {
  const proxy = await Proxy.start(options)
  onTestFinished(() => proxy.stop())
  return proxy
}

/** Waits for the first byte from the server, and for a TLS session that can be resumed. */
const receive = async (socket: TLSSocket) => {
  if (!socket.isSessionReused() && socket.getProtocol() === "TLSv1.3") await once(socket, "session")
  if (socket.readableLength === 0) await once(socket, "data")
}

/** Waits until the other end has no connections left. */
const disconnected = async (side: { readonly connections: number }) => {
  while (side.connections > 0) await new Promise((resolve) => setImmediate(resolve))
}

const closedPort = async () => {
  const loopback = await Loopback.listen(createServer())
  await loopback.stop()
  return loopback.port
}

describe("a direct connection", () => {
  it("reaches a server without TLS", async () => {
    const server = await scriptedServer((socket) => socket.pipe(socket))
    const socket = await dial(to("http:", "127.0.0.1", server.port))
    socket.write("echo")
    expect(String(await once(socket, "data"))).toBe("echo")
  })

  it("names the server and HTTP/1.1 in the TLS handshake", async () => {
    const server = await tlsServer(["localhost"], { ALPNProtocols: ["h2", "http/1.1"] })
    const socket = (await dial(to("https:", "localhost", server.port))) as TLSSocket
    await receive(socket)
    expect([socket.authorized, socket.alpnProtocol]).toEqual([true, "http/1.1"])
    expect((server.sockets[0] as TLSSocket).servername).toBe("localhost")
  })

  it("names no server for an IP address, and checks the certificate against the address", async () => {
    const server = await tlsServer(["127.0.0.1"])
    const socket = (await dial(to("https:", "127.0.0.1", server.port))) as TLSSocket
    await receive(socket)
    expect([socket.authorized, (server.sockets[0] as TLSSocket).servername]).toEqual([true, false])
  })

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "resumes the TLS session of the previous connection with %s",
    async (version) => {
      const server = await tlsServer(["127.0.0.1"], { minVersion: version, maxVersion: version })
      const target = route(to("https:", "127.0.0.1", server.port))
      const connect = async () => {
        const socket = (await dialVia(target).connected) as TLSSocket
        await receive(socket)
        return [socket.getProtocol(), socket.isSessionReused()]
      }
      expect(await connect()).toEqual([version, false])
      expect(await connect()).toEqual([version, true])
      expect(await connect()).toEqual([version, true])
    }
  )

  it.each([
    ["for another name", ["elsewhere.test"], tls, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["by an unknown authority", ["127.0.0.1"], {}, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"]
  ])("refuses a certificate %s", async (_, hosts, ca, code) => {
    const server = await tlsServer(hosts)
    const { connected, reports } = dialVia(Dialer.make({}, ca, 10_000)(to("https:", "127.0.0.1", server.port)))
    await expect(connected).rejects.toMatchObject({ code })
    expect(reports.count).toBe(1)
  })

  it.each([
    ["http:", "closes", (socket: Socket) => socket.end()],
    ["https:", "closes", (socket: Socket) => socket.end()],
    ["https:", "resets", (socket: Socket) => socket.resetAndDestroy()]
  ] as const)("calls done only once when an %s server %s at once", async (protocol, _, leave) => {
    const server = await scriptedServer(leave)
    const { connected, reports } = dialVia(route(to(protocol, "127.0.0.1", server.port)))
    if (protocol === "http:") await once((await connected).resume(), "close")
    else await expect(connected).rejects.toMatchObject({ code: "ECONNRESET" })
    expect(reports.count).toBe(1)
  })

  it.each(["127.0.0.1", "localhost"])("fails with ECONNREFUSED on a closed port: %s", async (host) => {
    await expect(dial(to("http:", host, await closedPort()))).rejects.toMatchObject({ code: "ECONNREFUSED" })
  })

  it("first tries the address of the previous connection", async () => {
    const { port } = await scriptedServer((socket) => socket.resume())
    const second = createServer((socket) => socket.resume()).listen(port, "127.0.0.2")
    await once(second, "listening")
    onTestFinished(() => void second.close())
    let addresses = ["127.0.0.2", "127.0.0.1"].map((address) => ({ address, family: 4 }))
    const lookup = vi.spyOn(dns, "lookup") as unknown as { mockImplementation: (mock: LookupFunction) => unknown }
    lookup.mockImplementation((_hostname, _options, done) => done(null, addresses))
    onTestFinished(() => void vi.restoreAllMocks())
    const target = route(to("http:", "store.test", port))
    expect((await dialVia(target).connected).remoteAddress).toBe("127.0.0.2")
    addresses = addresses.toReversed()
    expect((await dialVia(target).connected).remoteAddress).toBe("127.0.0.2")
    second.close()
  })

  it("fails instead of throwing if the port is invalid", async () => {
    await expect(dial(to("http:", "127.0.0.1", 70_000))).rejects.toMatchObject({ code: "ERR_SOCKET_BAD_PORT" })
  })

  it.each(["http:", "https:"] as const)("fails after its timeout: %s", async (protocol) => {
    const { connected, reports } = dialVia(route(to(protocol, "127.0.0.1", await unresponsivePort()), {}, 100))
    await expect(connected).rejects.toMatchObject({ name: "TimeoutError", message: "no connection within 0.1 s" })
    expect(reports.count).toBe(1)
  })

  it("does not call done after a cancellation", async () => {
    const { cancel, reports } = dialVia(route(to("http:", "127.0.0.1", await unresponsivePort()), {}, 50))
    cancel()
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(reports.count).toBe(0)
  })

  it.skipIf(!inject("ipv6"))("reaches an IPv6 address in brackets", async () => {
    const server = createServer((socket) => socket.resume()).listen(0, "::1")
    await once(server, "listening")
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    expect((await dial(to("http:", "[::1]", port))).remoteAddress).toBe("::1")
  })
})

describe("a connection through a proxy without a tunnel", () => {
  it.each([
    ["", {}],
    ["operator:s3cr3t/p@ss:w0rd%", { "proxy-authorization": `Basic ${btoa("operator:s3cr3t/p@ss:w0rd%")}` }]
  ])("connects to the proxy, and sends absolute URLs and proxy credentials: %j", async (login, proxyHeaders) => {
    const proxy = await startProxy()
    const target = route(to("http:", "store.test", 80), { HTTP_PROXY: proxy.url(login || undefined) })
    expect(target.proxyHeaders).toEqual(proxyHeaders)
    const socket = await dialVia(target).connected
    expect(`http://127.0.0.1:${socket.remotePort}`).toBe(proxy.url())
    expect(proxy.log).toEqual([])
  })

  it("bypasses the proxy for an exempt host, and for a TLS server without HTTPS_PROXY", async () => {
    expect(
      route(to("http:", "store.test", 80), { HTTP_PROXY: "http://a", NO_PROXY: ".test" }).proxyHeaders
    ).toBeUndefined()
    const server = await tlsServer(["127.0.0.1"])
    const target = route(to("https:", "127.0.0.1", server.port), { HTTP_PROXY: "http://127.0.0.1:1" })
    expect(target.proxyHeaders).toBeUndefined()
    await dialVia(target).connected
  })

  it("fails if the proxy's own certificate is not trusted", async () => {
    const proxy = await startProxy({ tls: await authority.issue("127.0.0.1") })
    const { connected, reports } = dialVia(route(to("http:", "store.test", 80), { HTTP_PROXY: proxy.url() }))
    await expect(connected).rejects.toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" })
    await disconnected(proxy)
    expect(reports.count).toBe(1)
  })
})

describe("a tunnel", () => {
  const tunnel = async (options: ProxyOptions = {}) => {
    const server = await tlsServer(["store.test"])
    const proxy = await startProxy({ resolve: () => ({ host: "127.0.0.1", port: server.port }), ...options })
    const connect = (login?: string, connectMillis?: number) =>
      dialVia(route(to("https:", "store.test", 443), { HTTPS_PROXY: proxy.url(login) }, connectMillis))
    return { proxy, server, connect }
  }

  it("reaches the store over TLS, and sends the proxy credentials and the store's name", async () => {
    const { proxy, server, connect } = await tunnel({ login: "me:p:w" })
    const { connected, reports } = connect("me:p:w")
    const socket = (await connected) as TLSSocket
    await receive(socket)
    expect(socket.authorized).toBe(true)
    expect((server.sockets[0] as TLSSocket).servername).toBe("store.test")
    expect([proxy.log, proxy.logins]).toEqual([["CONNECT store.test:443"], [`Basic ${btoa("me:p:w")}`]])
    socket.destroy()
    await disconnected(proxy)
    expect(reports.count).toBe(1)
  })

  it("resumes the TLS session of the previous tunnel", async () => {
    const { proxy } = await tunnel()
    const target = route(to("https:", "store.test", 443), { HTTPS_PROXY: proxy.url() })
    const reused: Array<boolean> = []
    for (let nth = 0; nth < 2; nth++) {
      const socket = (await dialVia(target).connected) as TLSSocket
      await receive(socket)
      reused.push(socket.isSessionReused())
    }
    expect(reused).toEqual([false, true])
  })

  it.each([407, 403, 502])(
    "fails if the proxy refuses it with status %i, reports the status, and leaves no connection",
    async (status) => {
      const { proxy, connect } = await tunnel()
      proxy.refuse = status
      const { connected, reports } = connect()
      await expect(connected).rejects.toMatchObject({ code: "ERR_PROXY_TUNNEL", statusCode: status })
      await disconnected(proxy)
      expect(reports.count).toBe(1)
    }
  )

  it("fails after its timeout if the proxy never responds", async () => {
    const { proxy, connect } = await tunnel()
    proxy.hang = true
    const { connected, reports } = connect(undefined, 50)
    await expect(connected).rejects.toMatchObject({ code: "ERR_PROXY_TUNNEL" })
    await disconnected(proxy)
    // during this pause, a TLS connection through the tunnel would time out, too
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(reports.count).toBe(1)
  })

  it("fails with ECONNREFUSED through a closed port", async () => {
    const proxies = { HTTPS_PROXY: `http://127.0.0.1:${await closedPort()}` }
    await expect(dial(to("https:", "store.test", 443), proxies)).rejects.toMatchObject({ code: "ECONNREFUSED" })
  })

  it("fails after its timeout through an unreachable proxy", async () => {
    const proxies = { HTTPS_PROXY: `http://127.0.0.1:${await unresponsivePort()}` }
    await expect(dial(to("https:", "store.test", 443), proxies, 50)).rejects.toMatchObject({
      code: "ERR_PROXY_TUNNEL"
    })
  })

  it.each(["SSH-2.0-x\r\n\r\n", "HTTP/1.1\r\n\r\n"])(
    "fails through a server that is not a proxy: %j",
    async (answer) => {
      const server = await scriptedServer((socket) => socket.write(answer))
      const proxies = { HTTPS_PROXY: `http://127.0.0.1:${server.port}` }
      await expect(dial(to("https:", "store.test", 443), proxies)).rejects.toMatchObject({ code: "ERR_PROXY_TUNNEL" })
    }
  )

  it.each([
    ["never answers", (socket: Socket) => socket.resume(), { message: "no connection within 0.1 s" }],
    [
      "speaks no TLS",
      (socket: Socket) => socket.once("data", () => socket.write("220 mail\r\n")),
      { code: "ERR_SSL_WRONG_VERSION_NUMBER" }
    ],
    ["hangs up", (socket: Socket) => socket.end(), { code: "ECONNRESET" }]
  ] as const)("fails if the store %s", async (_, behave, failure) => {
    const store = await scriptedServer((socket) => void behave(socket))
    const { proxy, connect } = await tunnel({ resolve: () => ({ host: "127.0.0.1", port: store.port }) })
    const { connected, reports } = connect(undefined, 100)
    await expect(connected).rejects.toMatchObject(failure)
    await disconnected(proxy)
    expect(reports.count).toBe(1)
  })

  it("fails if the store's certificate is for another name", async () => {
    const server = await tlsServer(["elsewhere.test"])
    const { connect } = await tunnel({ resolve: () => ({ host: "127.0.0.1", port: server.port }) })
    await expect(connect().connected).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" })
  })

  it("does not crash Node if it is destroyed inside its own callback", async () => {
    const { proxy, connect } = await tunnel()
    const { cancel, connected } = connect()
    // the promise settles while TLS is still reading, and Node crashes if the socket below is destroyed at that time
    const socket = await connected
    cancel()
    socket.destroy()
    await disconnected(proxy)
  })

  it("names an IPv6 address in brackets in its request", async () => {
    const server = await tlsServer(["::1"])
    const proxy = await startProxy({ resolve: () => ({ host: "127.0.0.1", port: server.port }) })
    await dial(to("https:", "[::1]", 9000), { HTTPS_PROXY: proxy.url() })
    expect(proxy.log).toEqual(["CONNECT [::1]:9000"])
  })

  it.each(["requested", "answered"])("leaves no connection if it is cancelled once it is %s", async (moment) => {
    const store = await scriptedServer((socket) => socket.resume())
    const { proxy, connect } = await tunnel({ resolve: () => ({ host: "127.0.0.1", port: store.port }) })
    proxy.hang = moment === "requested"
    const { cancel, reports } = connect()
    while (proxy.log.length === 0 || (!proxy.hang && store.sockets.length === 0)) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    cancel()
    await disconnected(proxy)
    expect(reports.count).toBe(0)
  })
})

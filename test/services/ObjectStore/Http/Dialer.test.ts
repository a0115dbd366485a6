import { describe, expect, inject, it } from "@effect/vitest"
import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import type { TLSSocket, TlsOptions } from "node:tls"
import { onTestFinished } from "vitest"
import type { Proxies } from "../../../../src/domain/Proxy.ts"
import type { Origin, Route } from "../../../../src/services/ObjectStore/Http/Client.ts"
import * as Dialer from "../../../../src/services/ObjectStore/Http/Dialer.ts"
import { Loopback } from "../../../fakes/Loopback.ts"
import { Proxy, type ProxyOptions } from "../../../fakes/Proxy.ts"
import { makeAuthority } from "../../../fixtures/Certificates.ts"
import { unresponsivePort } from "../../../fixtures/UnresponsivePort.ts"
import { scriptedServer } from "../../../fixtures/ScriptedServer.ts"

const authority = await makeAuthority()
const trust = { ca: Buffer.from(authority.cert) }

const to = (protocol: Origin["protocol"], hostname: string, port: number): Origin => ({ protocol, hostname, port })

/** What a dial comes to; how often it said so; and how it is given up. */
const dialling = ({ dial }: Route) => {
  const outcome = Promise.withResolvers<Socket>()
  outcome.promise.catch(() => {})
  const told = { times: 0 }
  const giveUp = dial((error, socket) => {
    told.times++
    if (socket === undefined) outcome.reject(error)
    else outcome.resolve(socket.on("error", () => {}))
  })
  onTestFinished(() => {
    giveUp()
    outcome.promise.then(
      (socket) => socket.destroy(),
      () => {}
    )
  })
  return { connected: outcome.promise, giveUp, told }
}

const route = (origin: Origin, proxies: Proxies = {}, connectMillis = 10_000) =>
  Dialer.make(proxies, trust, connectMillis)(origin)

const dialled = (...given: Parameters<typeof route>) => dialling(route(...given)).connected

/** Says a word to each, by TLS. */
const secure = async (hosts: ReadonlyArray<string>, options: TlsOptions = {}) =>
  scriptedServer((socket) => socket.write("x"), { ...(await authority.issue(...hosts)), ...options })

const proxied = async (options: ProxyOptions = {}) => {
  const proxy = await Proxy.start(options)
  onTestFinished(() => proxy.stop())
  return proxy
}

/** What the server says has come, and what TLS says besides. */
const heard = async (socket: TLSSocket) => {
  if (!socket.isSessionReused() && socket.getProtocol() === "TLSv1.3") await once(socket, "session")
  if (socket.readableLength === 0) await once(socket, "data")
}

/** Nothing of it is left at the other end. */
const left = async (side: { readonly connections: number }) => {
  while (side.connections > 0) await new Promise((resolve) => setImmediate(resolve))
}

const nobody = async () => {
  const loopback = await Loopback.listen(createServer())
  await loopback.stop()
  return loopback.port
}

describe("a direct way", () => {
  it("leads to a server in the clear", async () => {
    const server = await scriptedServer((socket) => socket.pipe(socket))
    const socket = await dialled(to("http:", "127.0.0.1", server.port))
    socket.write("echo")
    expect(String(await once(socket, "data"))).toBe("echo")
  })

  it("leads to a server by TLS, which is told its name, and that HTTP/1.1 is spoken", async () => {
    const server = await secure(["localhost"], { ALPNProtocols: ["h2", "http/1.1"] })
    const socket = (await dialled(to("https:", "localhost", server.port))) as TLSSocket
    await heard(socket)
    expect([socket.authorized, socket.alpnProtocol]).toEqual([true, "http/1.1"])
    expect((server.sockets[0] as TLSSocket).servername).toBe("localhost")
  })

  it("by TLS to an address tells no name, and the certificate is for the address", async () => {
    const server = await secure(["127.0.0.1"])
    const socket = (await dialled(to("https:", "127.0.0.1", server.port))) as TLSSocket
    await heard(socket)
    expect([socket.authorized, (server.sockets[0] as TLSSocket).servername]).toEqual([true, false])
  })

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "by %s goes on with the session of the connection before",
    async (version) => {
      const server = await secure(["127.0.0.1"], { minVersion: version, maxVersion: version })
      const way = route(to("https:", "127.0.0.1", server.port))
      const connect = async () => {
        const socket = (await dialling(way).connected) as TLSSocket
        await heard(socket)
        return [socket.getProtocol(), socket.isSessionReused()]
      }
      expect(await connect()).toEqual([version, false])
      expect(await connect()).toEqual([version, true])
      expect(await connect()).toEqual([version, true])
    }
  )

  it.each([
    ["of another name", ["elsewhere.test"], trust, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["of an unknown signer", ["127.0.0.1"], {}, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"]
  ])("refuses a certificate %s", async (_, hosts, ca, code) => {
    const server = await secure(hosts)
    const { connected, told } = dialling(Dialer.make({}, ca, 10_000)(to("https:", "127.0.0.1", server.port)))
    await expect(connected).rejects.toMatchObject({ code })
    expect(told.times).toBe(1)
  })

  it.each([
    ["http:", "closes", (socket: Socket) => socket.end()],
    ["https:", "closes", (socket: Socket) => socket.end()],
    ["https:", "resets", (socket: Socket) => socket.resetAndDestroy()]
  ] as const)("by %s to a server that %s at once", async (protocol, _, leave) => {
    const server = await scriptedServer(leave)
    const { connected, told } = dialling(route(to(protocol, "127.0.0.1", server.port)))
    if (protocol === "http:") await once((await connected).resume(), "close")
    else await expect(connected).rejects.toMatchObject({ code: "ECONNRESET" })
    expect(told.times).toBe(1)
  })

  it.each(["127.0.0.1", "localhost"])("fails where nobody listens, by the code of all attempts: %s", async (host) => {
    await expect(dialled(to("http:", host, await nobody()))).rejects.toMatchObject({ code: "ECONNREFUSED" })
  })

  it("fails, and does not throw, where there can be none", async () => {
    await expect(dialled(to("http:", "127.0.0.1", 70_000))).rejects.toMatchObject({ code: "ERR_SOCKET_BAD_PORT" })
  })

  it.each(["http:", "https:"] as const)("is not waited for longer than that: %s", async (protocol) => {
    const { connected, told } = dialling(route(to(protocol, "127.0.0.1", await unresponsivePort()), {}, 100))
    await expect(connected).rejects.toMatchObject({ name: "TimeoutError", message: "no connection within 0.1 s" })
    expect(told.times).toBe(1)
  })

  it("that is given up is told of no more", async () => {
    const { giveUp, told } = dialling(route(to("http:", "127.0.0.1", await unresponsivePort()), {}, 50))
    giveUp()
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(told.times).toBe(0)
  })

  it.skipIf(!inject("ipv6"))("leads to an IPv6 address in brackets", async () => {
    const server = createServer((socket) => socket.resume()).listen(0, "::1")
    await once(server, "listening")
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    expect((await dialled(to("http:", "[::1]", port))).remoteAddress).toBe("::1")
  })
})

describe("a way through a proxy in the clear", () => {
  it.each([
    ["", {}],
    ["operator:s3cr3t/p@ss:w0rd%", { "proxy-authorization": `Basic ${btoa("operator:s3cr3t/p@ss:w0rd%")}` }]
  ])("ends at the proxy, which is asked for whole URLs, with its login: %j", async (login, asProxy) => {
    const proxy = await proxied()
    const way = route(to("http:", "store.test", 80), { HTTP_PROXY: proxy.url(login || undefined) })
    expect(way.proxyHeaders).toEqual(asProxy)
    const socket = await dialling(way).connected
    expect(`http://127.0.0.1:${socket.remotePort}`).toBe(proxy.url())
    expect(proxy.log).toEqual([])
  })

  it("is direct for a host that is exempt, and for one by TLS that has none", async () => {
    expect(
      route(to("http:", "store.test", 80), { HTTP_PROXY: "http://a", NO_PROXY: ".test" }).proxyHeaders
    ).toBeUndefined()
    const server = await secure(["127.0.0.1"])
    const way = route(to("https:", "127.0.0.1", server.port), { HTTP_PROXY: "http://127.0.0.1:1" })
    expect(way.proxyHeaders).toBeUndefined()
    await dialling(way).connected
  })

  it("that is itself reached by TLS is not used before it is trusted", async () => {
    const proxy = await proxied({ tls: await authority.issue("127.0.0.1") })
    const { connected, told } = dialling(route(to("http:", "store.test", 80), { HTTP_PROXY: proxy.url() }))
    await expect(connected).rejects.toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" })
    await left(proxy)
    expect(told.times).toBe(1)
  })
})

describe("a tunnel", () => {
  const tunnelled = async (options: ProxyOptions = {}) => {
    const server = await secure(["store.test"])
    const proxy = await proxied({ resolve: () => ({ host: "127.0.0.1", port: server.port }), ...options })
    const via = (login?: string, connectMillis?: number) =>
      dialling(route(to("https:", "store.test", 443), { HTTPS_PROXY: proxy.url(login) }, connectMillis))
    return { proxy, server, via }
  }

  it("leads to the store, by TLS, with the proxy's login and the store's name", async () => {
    const { proxy, server, via } = await tunnelled({ login: "me:p:w" })
    const { connected, told } = via("me:p:w")
    const socket = (await connected) as TLSSocket
    await heard(socket)
    expect(socket.authorized).toBe(true)
    expect((server.sockets[0] as TLSSocket).servername).toBe("store.test")
    expect([proxy.log, proxy.logins]).toEqual([["CONNECT store.test:443"], [`Basic ${btoa("me:p:w")}`]])
    socket.destroy()
    await left(proxy)
    expect(told.times).toBe(1)
  })

  it("goes on with the session of the one before", async () => {
    const { proxy } = await tunnelled()
    const way = route(to("https:", "store.test", 443), { HTTPS_PROXY: proxy.url() })
    const reused: Array<boolean> = []
    for (let nth = 0; nth < 2; nth++) {
      const socket = (await dialling(way).connected) as TLSSocket
      await heard(socket)
      reused.push(socket.isSessionReused())
    }
    expect(reused).toEqual([false, true])
  })

  it.each([407, 403, 502])("that is refused by %i is told by its status, and leaves nothing", async (status) => {
    const { proxy, via } = await tunnelled()
    proxy.refuse = status
    const { connected, told } = via()
    await expect(connected).rejects.toMatchObject({ code: "ERR_PROXY_TUNNEL", statusCode: status })
    await left(proxy)
    expect(told.times).toBe(1)
  })

  it("that is never answered is left after its time", async () => {
    const { proxy, via } = await tunnelled()
    proxy.hang = true
    const { connected, told } = via(undefined, 50)
    await expect(connected).rejects.toMatchObject({ code: "ERR_PROXY_TUNNEL" })
    await left(proxy)
    // the time for a connection through it would end now
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(told.times).toBe(1)
  })

  it("whose proxy is not there fails as any connection does", async () => {
    const proxies = { HTTPS_PROXY: `http://127.0.0.1:${await nobody()}` }
    await expect(dialled(to("https:", "store.test", 443), proxies)).rejects.toMatchObject({ code: "ECONNREFUSED" })
  })

  it("whose proxy cannot be reached is left after its time", async () => {
    const proxies = { HTTPS_PROXY: `http://127.0.0.1:${await unresponsivePort()}` }
    await expect(dialled(to("https:", "store.test", 443), proxies, 50)).rejects.toMatchObject({
      code: "ERR_PROXY_TUNNEL"
    })
  })

  it.each(["SSH-2.0-x\r\n\r\n", "HTTP/1.1\r\n\r\n"])("to what is no proxy fails: %j", async (words) => {
    const server = await scriptedServer((socket) => socket.write(words))
    const proxies = { HTTPS_PROXY: `http://127.0.0.1:${server.port}` }
    await expect(dialled(to("https:", "store.test", 443), proxies)).rejects.toMatchObject({ code: "ERR_PROXY_TUNNEL" })
  })

  it.each([
    ["never answers", (socket: Socket) => socket.resume(), { message: "no connection within 0.1 s" }],
    [
      "speaks no TLS",
      (socket: Socket) => socket.once("data", () => socket.write("220 mail\r\n")),
      { code: "ERR_SSL_WRONG_VERSION_NUMBER" }
    ],
    ["hangs up", (socket: Socket) => socket.end(), { code: "ECONNRESET" }]
  ] as const)("to a store that %s", async (_, behave, failure) => {
    const store = await scriptedServer((socket) => void behave(socket))
    const { proxy, via } = await tunnelled({ resolve: () => ({ host: "127.0.0.1", port: store.port }) })
    const { connected, told } = via(undefined, 100)
    await expect(connected).rejects.toMatchObject(failure)
    await left(proxy)
    expect(told.times).toBe(1)
  })

  it("to a store of another name is no way", async () => {
    const server = await secure(["elsewhere.test"])
    const { via } = await tunnelled({ resolve: () => ({ host: "127.0.0.1", port: server.port }) })
    await expect(via().connected).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" })
  })

  it("whose connection ends from within a call of its own does not end the process", async () => {
    const { proxy, via } = await tunnelled()
    const { connected, giveUp } = via()
    // a promise is settled while TLS still reads: where the socket under it goes then, Node crashes
    const socket = await connected
    giveUp()
    socket.destroy()
    await left(proxy)
  })

  it("to an IPv6 address has brackets", async () => {
    const server = await secure(["::1"])
    const proxy = await proxied({ resolve: () => ({ host: "127.0.0.1", port: server.port }) })
    await dialled(to("https:", "[::1]", 9000), { HTTPS_PROXY: proxy.url() })
    expect(proxy.log).toEqual(["CONNECT [::1]:9000"])
  })

  it.each(["asked for", "answered"])("that is given up when it was %s leaves nothing", async (moment) => {
    const store = await scriptedServer((socket) => socket.resume())
    const { proxy, via } = await tunnelled({ resolve: () => ({ host: "127.0.0.1", port: store.port }) })
    proxy.hang = moment === "asked for"
    const { giveUp, told } = via()
    while (proxy.log.length === 0 || (!proxy.hang && store.sockets.length === 0)) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    giveUp()
    await left(proxy)
    expect(told.times).toBe(0)
  })
})

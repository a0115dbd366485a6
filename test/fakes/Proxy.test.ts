import { Agent as HttpAgent, createServer, request as httpRequest } from "node:http"
import { Agent as HttpsAgent, request as httpsRequest } from "node:https"
import { afterEach, describe, expect, it, vi } from "vitest"
import { makeAuthority } from "../fixtures/Certificates.ts"
import { Loopback } from "./Loopback.ts"
import { Proxy, type ProxyOptions } from "./Proxy.ts"
import { StrictS3 } from "../../scripts/strict-s3/StrictS3.ts"

const running: Array<{ stop(): Promise<void> }> = []
const started = <A extends { stop(): Promise<void> }>(server: A): A => {
  running.push(server)
  return server
}
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

/** A server that answers with the request it received. */
const echo = async () =>
  started(
    await Loopback.listen(
      createServer((message, response) => {
        const { headers, method, url } = message
        message.resume().on("end", () => response.end(JSON.stringify({ method, url, headers })))
      })
    )
  )

interface PutRequest {
  readonly url: string
  readonly proxy: string
  readonly body?: string | Buffer
  readonly ca?: string
  /** The time limit of the tunnel's setup, in milliseconds. */
  readonly timeout?: number
}

/** Sends a PUT through a proxy with Node's own client. Gives status and body, or the code of the error. */
const put = ({ proxy, url, body, ...options }: PutRequest) =>
  new Promise<string>((resolve) => {
    const agent = { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }, ...options }
    const outgoing = url.startsWith("https:")
      ? httpsRequest(url, { method: "PUT", agent: new HttpsAgent(agent) })
      : httpRequest(url, { method: "PUT", agent: new HttpAgent(agent) })
    outgoing.on("response", (response) => {
      let text = `${response.statusCode} `
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
      response.on("end", () => resolve(text))
    })
    outgoing.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    outgoing.end(body)
  })

/** A store with TLS as `bucket.s3.test`, and a proxy that resolves every name to it. */
const secureStore = async (options: ProxyOptions = {}) => {
  const authority = await makeAuthority()
  const store = started(await StrictS3.start({ tls: await authority.issue("bucket.s3.test") }))
  const port = Number(new URL(store.endpoint).port)
  const proxy = started(await Proxy.start({ resolve: () => ({ host: "127.0.0.1", port }), ...options }))
  const ask = { url: "https://bucket.s3.test/key", proxy: proxy.url(), ca: authority.cert }
  return { store, proxy, ask }
}

describe("the fake proxy", () => {
  it("forwards a request unchanged, without the headers that are meant for the proxy", async () => {
    const { port } = await echo()
    const proxy = started(await Proxy.start({ login: "user:p:a@s/s", resolve: () => ({ host: "127.0.0.1", port }) }))
    const url = "http://store.test/a//b%20c?d=e"
    const answer = await put({ url, proxy: proxy.url("user:p:a@s/s"), body: "hello" })
    expect(answer).toMatch(/^200 /)
    expect(JSON.parse(answer.slice(4))).toEqual({
      method: "PUT",
      url: "/a//b%20c?d=e",
      headers: { host: "store.test", "content-length": "5", connection: "close" }
    })
    expect(proxy.log).toEqual([`PUT ${url}`])
  })

  it("opens a tunnel to the resolved address for CONNECT", async () => {
    const { ask, proxy, store } = await secureStore()
    expect(await put({ ...ask, body: "hello" })).toMatch(/^403 .*<Code>AccessDenied</s)
    expect(store.requests.map(({ bodyBytes, path }) => [path, bodyBytes])).toEqual([["/key", 5]])
    expect(proxy.log).toEqual(["CONNECT bucket.s3.test:443"])
  })

  it.each([
    ["without credentials", undefined, 407],
    ["with wrong credentials", "user:wrong", 407],
    ["with the correct credentials", "user:p:a@s/s", 403]
  ])("checks the credentials of a client %s", async (_, login, status) => {
    const { ask, proxy } = await secureStore({ login: "user:p:a@s/s" })
    const { port } = await echo()
    const plain = { url: `http://127.0.0.1:${port}/`, proxy: proxy.url(login) }
    expect(await put({ ...ask, proxy: proxy.url(login) })).toMatch(status === 407 ? /^ERR_PROXY_TUNNEL$/ : /^403 /)
    proxy.refuse = 403
    expect(await put(plain)).toBe(`${status} <html><body><h1>${status} by the proxy</h1></body></html>\n`)
  })

  it("answers 502 for a name that it cannot resolve", async () => {
    const proxy = started(await Proxy.start({ resolve: () => undefined }))
    expect(await put({ url: "http://nowhere.test/", proxy: proxy.url() })).toMatch(/^502 /)
    expect(await put({ url: "https://nowhere.test/", proxy: proxy.url() })).toBe("ERR_PROXY_TUNNEL")
  })

  it("hangs until the client disconnects", async () => {
    const { ask, proxy, store } = await secureStore()
    proxy.hang = true
    expect(await put({ ...ask, timeout: 50 })).toBe("ERR_PROXY_TUNNEL")
    await vi.waitFor(() => expect(proxy.connections).toBe(0))
    expect([proxy.log, store.requests]).toEqual([["CONNECT bucket.s3.test:443"], []])
  })

  it("resets a tunnel after the configured number of bytes", async () => {
    const { ask, proxy, store } = await secureStore()
    proxy.cutAfterBytes = 50_000
    expect(await put({ ...ask, body: Buffer.alloc(1_000_000) })).toBe("ECONNRESET")
    expect(store.requests.every(({ bodyBytes }) => bodyBytes < 50_000)).toBe(true)
  })

  it("accepts clients over TLS", async () => {
    const authority = await makeAuthority()
    const { port } = await echo()
    const tls = await authority.issue("127.0.0.1")
    const proxy = started(await Proxy.start({ tls, resolve: () => ({ host: "127.0.0.1", port }) }))
    const outgoing = httpsRequest(proxy.url(), { method: "GET", path: "http://store.test/x", ca: authority.cert })
    const status = await new Promise((resolve, reject) => {
      outgoing
        .on("response", (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end()
    })
    expect([status, proxy.log]).toEqual([200, ["GET http://store.test/x"]])
  })
})

/** The way to the store through a proxy. */
import { describe, expect, it } from "vitest"
import { closedPort, run, s3, start, summary, until } from "./BuiltProgram.ts"
import { distinctRequests, startStoreBehindProxy, filesOfAllSizes } from "./StoreBehindProxy.ts"
import { oneFile } from "./CredentialSources.ts"
import { startStore } from "./Store.ts"

const url = "https://store.test"

const proxied = async (options: Parameters<typeof startStoreBehindProxy>[1] = {}) => {
  const { authority, ...rest } = await startStoreBehindProxy("store.test", options)
  return {
    ...rest,
    authority,
    env: { HTTPS_PROXY: rest.proxy.url(), AWS_CA_BUNDLE: authority.file, IBSR_EXPORT_VERBOSE: "true" }
  }
}

describe("HTTPS_PROXY", () => {
  it.each(["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])(
    "leads bodies of all sizes to the store, which is trusted by %s",
    async (variable) => {
      const { authority, host, proxy, store } = await proxied()
      const env = { HTTPS_PROXY: proxy.url(), [variable]: authority.file }
      const result = await run(s3(filesOfAllSizes(), url), { env })
      expect(result.code, result.stdout).toBe(0)
      expect(store.keys()).toHaveLength(3)
      expect(distinctRequests(proxy)).toEqual([`CONNECT ${host}:443`])
    }
  )

  it("does not make the store's certificate trusted", async () => {
    const { proxy, store } = await proxied()
    const result = await run(s3(oneFile(), url), { env: { HTTPS_PROXY: proxy.url() } })
    expect(result.code, result.stdout).toBe(31)
    expect(store.requests).toEqual([])
  })

  it("is asked for one tunnel, which all requests go through in turn", async () => {
    const { env, proxy, store } = await proxied()
    const result = await run(s3(filesOfAllSizes(), url, "--concurrency=1"), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests).toHaveLength(7)
    expect(proxy.log).toHaveLength(1)
  })

  it("may itself be reached by TLS", async () => {
    const { authority, host, proxy } = await proxied({ secureProxy: true })
    const env = { HTTPS_PROXY: proxy.url(), NODE_EXTRA_CA_CERTS: authority.file }
    const result = await run(s3(oneFile(), url), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(proxy.log).toEqual([`CONNECT ${host}:443`])
  })
})

describe("HTTP_PROXY", () => {
  it("leads bodies of all sizes to a store without TLS", async () => {
    const { host, proxy, store } = await proxied({ secure: false })
    const result = await run(s3(filesOfAllSizes(), "http://store.test"), { env: { HTTP_PROXY: proxy.url() } })
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(3)
    expect(proxy.log).toContain(`PUT http://${host}/ibsr/host/snapshots/small.jsonl?x-id=PutObject`)
    expect(proxy.log).toHaveLength(store.requests.length)
  })
})

describe("NO_PROXY", () => {
  const toLoopback = async (exempt: string) => {
    const { proxy } = await proxied()
    const store = await startStore()
    const env = { HTTP_PROXY: proxy.url(), HTTPS_PROXY: proxy.url(), NO_PROXY: exempt }
    return { proxy, ended: await run(s3(oneFile(), store.endpoint, "--max-retries=0"), { env }) }
  }

  it.each(["127.0.0.1", "localhost, 127.0.0.0/8", "*"])("exempts the store: %s", async (exempt) => {
    const { ended: result, proxy } = await toLoopback(exempt)
    expect(result.code, result.stdout).toBe(0)
    expect(proxy.log).toEqual([])
  })

  it.each(["", "192.0.2.1", "7.0.0.1", "localhost"])("exempts nothing else: %j", async (exempt) => {
    const { ended: result, proxy } = await toLoopback(exempt)
    expect(result.code, result.stdout).toBe(32)
    expect(proxy.log).toHaveLength(1)
  })
})

describe("a proxy", () => {
  const flags = ["--timeout=1s", "--max-retries=1"]

  it("that refuses the host is told from the store, and not asked again", async () => {
    const { env, proxy } = await proxied()
    proxy.refuse = 403
    const result = await run(s3(oneFile(), url, ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(result.stdout).toMatch(/hint: the proxy/)
    expect(proxy.log).toHaveLength(1)
  })

  it("that cannot reach the store is asked again", async () => {
    const { env, proxy } = await proxied()
    const result = await run(s3(oneFile(), "https://nowhere.test", ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(proxy.log).toHaveLength(2)
  })

  it("that never answers is left before it is asked again", async () => {
    const { env, proxy } = await proxied()
    proxy.hang = true
    const { finished } = start(s3(oneFile(), url, "--timeout=1s", "--max-retries=3"), { env })
    await until(() => proxy.log.length === 3)
    const { connections } = proxy
    await finished
    expect(connections).toBe(1)
  })

  it("that never answers is given up after the time-outs", async () => {
    const { env, proxy } = await proxied()
    proxy.hang = true
    const result = await run(s3(oneFile(), url, ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(result.millis).toBeLessThan(8000)
    expect(proxy.log).toHaveLength(2)
  })

  it("that nobody answers for ends the run as a network that fails", async () => {
    const env = { HTTPS_PROXY: `http://127.0.0.1:${await closedPort()}` }
    const result = await run(s3(oneFile(), url, ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(result.stdout).toContain("ECONNREFUSED")
  })

  it("that cuts a tunnel in the middle of a body costs retries", async () => {
    const { env, proxy, store } = await proxied()
    proxy.cutAfterBytes = 1_000_000
    store.fault = () => {
      proxy.cutAfterBytes = store.requests.length > 1 ? undefined : proxy.cutAfterBytes
      return undefined
    }
    const result = await run(s3(filesOfAllSizes(), url, "--concurrency=1", "--include=large.jsonl"), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(summary(result)).toContain("uploaded 1")
    expect(store.requests[0]?.aborted).toBe(true)
    expect(proxy.log.length).toBe(store.requests.length)
  })
})

/** Connections to the store through a proxy. */
import { describe, expect, it } from "vitest"
import { closedPort, run, s3, start, summary, until } from "./BuiltProgram.ts"
import { oneFile } from "./CredentialSources.ts"
import { startStore } from "./Store.ts"
import { distinctRequests, filesOfAllSizes, startStoreBehindProxy } from "./StoreBehindProxy.ts"

const url = "https://store.test"

const startBehindProxy = async (options: Parameters<typeof startStoreBehindProxy>[1] = {}) => {
  const { authority, ...rest } = await startStoreBehindProxy("store.test", options)
  return {
    ...rest,
    authority,
    env: { HTTPS_PROXY: rest.proxy.url(), AWS_CA_BUNDLE: authority.file, IBSR_EXPORT_VERBOSE: "true" }
  }
}

describe("HTTPS_PROXY", () => {
  it.each(["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])(
    "carries bodies of all sizes to a store that is trusted through %s",
    async (variable) => {
      const { authority, proxy, store } = await startBehindProxy()
      const env = { HTTPS_PROXY: proxy.url(), [variable]: authority.file }
      const result = await run(s3(filesOfAllSizes(), url), { env })
      expect(result.code, result.stdout).toBe(0)
      expect(store.keys()).toHaveLength(3)
      expect(distinctRequests(proxy)).toEqual(["CONNECT store.test:443"])
    }
  )

  it("does not make the program trust the store's certificate", async () => {
    const { proxy, store } = await startBehindProxy()
    const result = await run(s3(oneFile(), url), { env: { HTTPS_PROXY: proxy.url() } })
    expect(result.code, result.stdout).toBe(31)
    // the store's certificate, and not the proxy's
    expect(result.stdout).toMatch(/hint: .*AWS_CA_BUNDLE/)
    expect(store.requests).toEqual([])
  })

  it("opens one tunnel for all sequential requests", async () => {
    const { env, proxy, store } = await startBehindProxy()
    const result = await run(s3(filesOfAllSizes(), url, "--concurrency=1"), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests).toHaveLength(7)
    expect(proxy.log).toHaveLength(1)
  })

  it("supports TLS to the proxy itself", async () => {
    const { authority, proxy } = await startBehindProxy({ secureProxy: true })
    const env = { HTTPS_PROXY: proxy.url(), NODE_EXTRA_CA_CERTS: authority.file }
    const result = await run(s3(oneFile(), url), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(proxy.log).toEqual(["CONNECT store.test:443"])
  })
})

describe("HTTP_PROXY", () => {
  it("carries bodies of all sizes to a store without TLS", async () => {
    const { proxy, store } = await startBehindProxy({ secure: false })
    const result = await run(s3(filesOfAllSizes(), "http://store.test"), { env: { HTTP_PROXY: proxy.url() } })
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(3)
    expect(proxy.log).toContain("PUT http://store.test/snapshots/ibsr/host/snapshots/small.jsonl")
    expect(proxy.log).toHaveLength(store.requests.length)
  })
})

describe("NO_PROXY", () => {
  const uploadToLoopback = async (noProxy: string) => {
    const { proxy } = await startBehindProxy()
    const store = await startStore()
    const env = { HTTP_PROXY: proxy.url(), HTTPS_PROXY: proxy.url(), NO_PROXY: noProxy }
    return { proxy, result: await run(s3(oneFile(), store.endpoint, "--max-retries=0"), { env }) }
  }

  it.each(["127.0.0.1", "localhost, 127.0.0.0/8", "*"])("bypasses the proxy for the store: %s", async (noProxy) => {
    const { proxy, result } = await uploadToLoopback(noProxy)
    expect(result.code, result.stdout).toBe(0)
    expect(proxy.log).toEqual([])
  })

  it.each(["", "192.0.2.1", "7.0.0.1", "localhost"])("does not exempt the store: %j", async (noProxy) => {
    const { proxy, result } = await uploadToLoopback(noProxy)
    expect(result.code, result.stdout).toBe(32)
    expect(proxy.log).toHaveLength(1)
  })
})

describe("a proxy", () => {
  const flags = ["--timeout=1s", "--max-retries=1"]

  it("is named in the hint when it refuses the host, and the run does not retry", async () => {
    const { env, proxy } = await startBehindProxy()
    proxy.refuse = 403
    const result = await run(s3(oneFile(), url, ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(result.stdout).toMatch(/hint: the proxy/)
    expect(proxy.log).toHaveLength(1)
  })

  it("gets the request again if it could not reach the store", async () => {
    const { env, proxy } = await startBehindProxy()
    const result = await run(s3(oneFile(), "https://nowhere.test", ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(proxy.log).toHaveLength(2)
  })

  it("is disconnected before each retry when it never responds", async () => {
    const { env, proxy } = await startBehindProxy()
    proxy.hang = true
    const { finished } = start(s3(oneFile(), url, "--timeout=1s", "--max-retries=3"), { env })
    await until(() => proxy.log.length === 3)
    const { connections } = proxy
    await finished
    expect(connections).toBe(1)
  })

  it("fails the run after the timeouts when it never responds", async () => {
    const { env, proxy } = await startBehindProxy()
    proxy.hang = true
    const result = await run(s3(oneFile(), url, ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(result.durationMs).toBeLessThan(8000)
    expect(proxy.log).toHaveLength(2)
  })

  it("fails the run with a network error when nothing listens at its address", async () => {
    const env = { HTTPS_PROXY: `http://127.0.0.1:${await closedPort()}` }
    const result = await run(s3(oneFile(), url, ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(result.stdout).toContain("ECONNREFUSED")
    expect(result.stdout).toMatch(/hint: .*HTTPS_PROXY: the proxy 127\.0\.0\.1:\d+ cannot be reached/)
  })

  it("is named when its name does not exist", async () => {
    const env = { https_proxy: "http://user:secret@proxy.invalid:3128" }
    const result = await run(s3(oneFile(), url, ...flags), { env })
    expect(result.code, result.stdout).toBe(30)
    expect(result.stdout).toMatch(/hint: .*https_proxy: the proxy proxy\.invalid:3128 cannot be reached/)
    expect(result.stdout + result.stderr).not.toContain("secret")
  })

  it("causes retries when it cuts a tunnel in the middle of a body", async () => {
    const { env, proxy, store } = await startBehindProxy()
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

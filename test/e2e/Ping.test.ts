import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { StrictS3 } from "../../scripts/strict-s3/StrictS3.ts"
import { Proxy } from "../fakes/Proxy.ts"
import { tree } from "../fixtures/Tree.ts"
import { closedPort, run, s3 } from "./BuiltProgram.ts"

const toStop: Array<() => unknown> = []
afterEach(async () => {
  for (const stop of toStop.splice(0)) await stop()
})

const startStore = async () => {
  const store = await StrictS3.start()
  toStop.push(() => store.stop())
  return store
}

/** A monitoring service that records its requests. It never answers if `isSilent`. */
const startService = async (isSilent = false) => {
  const received: Array<{ readonly path: string | undefined; readonly body: string }> = []
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (piece) => (body += piece))
    request.on("end", () => {
      received.push({ path: request.url, body })
      if (!isSilent) response.end("OK")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  toStop.push(() => server.close(() => {}).closeAllConnections())
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/uuid` }
}

const input = () => tree({ "a.jsonl": '{"a":1}\n' })

describe("--ping", () => {
  it("tells the service about the start, and about the end with the exit code and the summary", async () => {
    const { endpoint } = await startStore()
    const { received, url } = await startService()
    expect((await run(s3(input(), endpoint, "--ping", url))).code).toBe(0)
    expect(received).toEqual([
      { path: "/uuid/start", body: "" },
      { path: "/uuid/0", body: expect.stringMatching(/^uploaded 1 \(8 B\) in .*: s3:\/\/snapshots\//) }
    ])
  })

  it("sends the last line of a failed run", async () => {
    const { received, url } = await startService()
    const result = await run(s3(input(), `http://127.0.0.1:${await closedPort()}`, "--max-retries=0", "--ping", url))
    expect(result.code).toBe(30)
    expect(received.at(-1)).toEqual({
      path: "/uuid/30",
      body: expect.stringMatching(/^failed 1 of 1 .*\nexit 30 network: .*--endpoint/)
    })
  })

  it.each<readonly [service: string, start: () => Promise<string>]>([
    ["is down", async () => `http://127.0.0.1:${await closedPort()}/uuid`],
    ["never answers", async () => (await startService(true)).url]
  ])("does not change the exit code when the service %s", async (_, start) => {
    const { endpoint } = await startStore()
    const result = await run(s3(input(), endpoint, "--ping", await start()))
    expect(result.code, result.stdout).toBe(0)
    expect(result.stderr).toContain("the ping failed")
  })

  it("goes through the proxy", async () => {
    const { endpoint } = await startStore()
    const { received, url } = await startService()
    const service = { host: "127.0.0.1", port: Number(new URL(url).port) }
    const proxy = await Proxy.start({ resolve: (host) => (host === "hc.test" ? service : undefined) })
    toStop.push(() => proxy.stop())
    const env = { HTTP_PROXY: proxy.url(), NO_PROXY: "127.0.0.1" }
    expect((await run(s3(input(), endpoint, "--ping=http://hc.test/uuid"), { env })).code).toBe(0)
    expect(proxy.log).toEqual(["POST http://hc.test/uuid/start", "POST http://hc.test/uuid/0"])
    expect(received.map(({ path }) => path)).toEqual(["/uuid/start", "/uuid/0"])
  })

  it("sends nothing with --dry-run", async () => {
    const { received, url } = await startService()
    expect((await run(s3(input(), "http://127.0.0.1:9", "--dry-run", "--ping", url))).code).toBe(0)
    expect(received).toEqual([])
  })

  it("refuses a URL with a login", async () => {
    const result = await run(s3(input(), "http://127.0.0.1:9", "--ping=http://user:word@hc.example.com/uuid"))
    expect(result.code).toBe(60)
  })
})

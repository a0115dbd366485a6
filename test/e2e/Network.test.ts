/** The built program and the store at the two ends of a bad link. */
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, inject, it } from "vitest"
import type { StrictS3 } from "../../scripts/strict-s3/StrictS3.ts"
import { tree } from "../fixtures/Tree.ts"
import { report, run, s3, until } from "./BuiltProgram.ts"
import { startLink } from "./SimulatedLink.ts"
import { startStore } from "./Store.ts"

const prefix = "ibsr/host/snapshots"
const MB = 1_000_000

/** Files with distinct contents and lengths; their average length is `bytes`. */
const distinctFiles = (count: number, bytes: number): Record<string, Buffer> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const line = `{"file":${String(index).padStart(5)}}\n`
      return [`${index}.jsonl`, Buffer.from(line.repeat(((2 * index + 1) * bytes) / count / line.length))]
    })
  )

const expectStored = (store: StrictS3, files: Record<string, Buffer>): void => {
  expect(store.keys()).toHaveLength(Object.keys(files).length)
  const incorrect = Object.entries(files).filter(([name, content]) => {
    const versions = store.versions(`${prefix}/${name}`)
    return versions.length === 0 || versions.some(({ body }) => !body.equals(content))
  })
  expect(incorrect.map(([name]) => name)).toEqual([])
}

const timeout = 120_000

describe.skipIf(!inject("network")).concurrent("over a bad link", () => {
  it("a run stores 200 files despite delay and packet loss", { timeout }, async (test) => {
    const { network, start, store } = await startLink(test, { delayMs: 40, lossPercent: 2, mbitPerSecond: 10 })
    const files = distinctFiles(200, 20_000)
    const result = await start(s3(tree(files), store.endpoint, "--verbose")).finished
    expect(result.code, result.stdout).toBe(0)
    expectStored(store, files)
    expect((await network.traffic()).lost).toBeGreaterThan(50)
  })

  it("a run reaches a store that is 500 ms away and also has an address without a route", { timeout }, async (test) => {
    const { start, store } = await startLink(test, { delayMs: 250 })
    const { hostname, port } = new URL(store.endpoint)
    const addresses = [
      { address: hostname, family: 4 },
      { address: "2001:db8::1", family: 6 }
    ]
    const module = `import dns from "node:dns"
      dns.lookup = (_, options, done) => done(null, ${JSON.stringify(addresses)})`
    const preload = `data:text/javascript,${encodeURIComponent(module)}`
    const args = s3(tree({ "a.jsonl": "1\n" }), `http://store.test:${port}`, "--force-path-style", "--max-retries=0")
    const result = await start(args, { preload }).finished
    expect(result.code, result.stdout).toBe(0)
  })

  it("a run continues after an outage of 30 seconds", { timeout }, async (test) => {
    const { network, start, store } = await startLink(test, { delayMs: 10, mbitPerSecond: 20 })
    const files = distinctFiles(200, 100_000)
    const { finished } = start(s3(tree(files), store.endpoint, "--verbose"))
    await until(() => store.keys().length >= 50)
    await network.down()
    await sleep(30_000)
    expect(store.keys().length).toBeLessThan(150)
    // the store is still waiting for the rest of their bodies
    expect(store.inFlight).toBeGreaterThan(0)
    await network.up()
    const result = await finished
    expect(result.code, result.stdout).toBe(0)
    expectStored(store, files)
    // a stuck request is sent again after --timeout, by default a minute, unless TCP recovers first
    expect(result.durationMs).toBeLessThan(90_000)
  })

  it.for([
    ["--timeout=60s"],
    // shorter than the time that any part takes while the link is slow
    ["--timeout=8s"]
  ] as const)(
    "a multipart upload with %s continues without a retry while the link is slow",
    { timeout },
    async ([flag], test) => {
      const { network, start, store } = await startLink(test, { delayMs: 10, mbitPerSecond: 50 })
      const files = { "big.jsonl": Buffer.alloc(30 * MB, "0123456789012345678\n") }
      const { finished } = start(
        s3(tree(files), store.endpoint, "--verbose", "--part-size=5MiB", flag, "--output=json")
      )
      const arrived = () => store.requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
      await until(() => arrived() > 5 * MB)
      await network.set({ mbitPerSecond: 1 })
      await sleep(10_000)
      expect(arrived()).toBeLessThan(15 * MB)
      await network.set({ mbitPerSecond: 50 })
      const result = await finished
      expect(result.code, result.stdout).toBe(0)
      expectStored(store, files)
      expect(store.openUploads()).toEqual([])
      expect(report(result).totals.retries).toBe(0)
    }
  )

  it("a run ends within --give-up-after and --timeout during a long outage", { timeout }, async (test) => {
    const { network, start, store } = await startLink(test, { delayMs: 10, mbitPerSecond: 20 }, { latencyMs: 300 })
    const flags = ["--give-up-after=10s", "--timeout=5s", "--output=json"]
    const { finished } = start(s3(tree(distinctFiles(80, 20_000)), store.endpoint, "--verbose", ...flags))
    await until(() => store.keys().length >= 20)
    await network.down()
    const downSince = Date.now()
    const result = await finished
    expect(result.code, result.stdout).toBe(30)
    // allows one timeout before the first failure, and one for the last request
    expect(Date.now() - downSince).toBeLessThan(25_000)
    const { result: outcome, totals } = report(result)
    expect(outcome.endedBy?.hint).toContain("--give-up-after")
    expect(totals.uploaded).toBeGreaterThanOrEqual(20)
    expect(totals.uploaded + totals.failed + totals.interrupted + totals.notTried).toBe(80)
  })

  it.for([
    ["file", "--part-size=20MiB"],
    ["part", "--part-size=5MiB"]
  ] as const)(
    "a signal ends a run after --grace while the upload of a %s is stuck",
    { timeout },
    async ([, flag], test) => {
      const { network, start, store } = await startLink(test, { delayMs: 10, mbitPerSecond: 10 })
      const input = tree({ "big.jsonl": Buffer.alloc(18 * MB) })
      const { child, finished } = start(s3(input, store.endpoint, "--verbose", flag, "--grace=1s", "--output=json"))
      await until(() => store.requests.some(({ bodyBytes }) => bodyBytes > 0.5 * MB))
      await network.down()
      child.kill("SIGTERM")
      const signalledAt = Date.now()
      const result = await finished
      expect(result.code).toBe(143)
      // allows a second of grace, and some time to exit
      expect(Date.now() - signalledAt).toBeLessThan(5000)
      const { keptUploads, openMultipartUploads, totals } = report(result)
      expect(totals).toMatchObject({ uploaded: 0, interrupted: 1 })
      expect(openMultipartUploads).toEqual([])
      expect(keptUploads).toMatchObject(store.openUploads())
    }
  )
})

describe.skipIf(!inject("ipv6"))("over IPv6", () => {
  it("a run uploads to an endpoint with an address in brackets", async () => {
    const store = await startStore({ host: "::1" })
    expect(store.endpoint).toMatch(/^http:\/\/\[::1\]:\d+$/)
    const files = { "a.jsonl": Buffer.from("1\n"), "big.jsonl": Buffer.alloc(9 * MB) }
    const result = await run(s3(tree(files), store.endpoint, "--verbose"))
    expect(result.code, result.stdout).toBe(0)
    expectStored(store, files)
  })
})

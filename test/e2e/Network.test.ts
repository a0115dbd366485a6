/** The built program at one end of a bad link, and the store at the other. */
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, inject, it } from "vitest"
import type { StrictS3 } from "../fakes/StrictS3.ts"
import { tree } from "../fixtures/Tree.ts"
import { startLink } from "./SimulatedLink.ts"
import { report, run, s3, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const prefix = "ibsr/host/snapshots"
const MB = 1_000_000

/** So many files, each of its own content and length; `bytes` on average. */
const numbered = (count: number, bytes: number): Record<string, Buffer> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => {
      const line = `{"file":${String(at).padStart(5)}}\n`
      return [`${at}.jsonl`, Buffer.from(line.repeat(((2 * at + 1) * bytes) / count / line.length))]
    })
  )

const whole = (store: StrictS3, files: Record<string, Buffer>): void => {
  expect(store.keys()).toHaveLength(Object.keys(files).length)
  const other = Object.entries(files).filter(([name, content]) => {
    const versions = store.versions(`${prefix}/${name}`)
    return versions.length === 0 || versions.some(({ body }) => !body.equals(content))
  })
  expect(other.map(([name]) => name)).toEqual([])
}

const timeout = 120_000

describe.skipIf(!inject("network")).concurrent("over a bad link", () => {
  it("200 files arrive whole through delay and loss", { timeout }, async (test) => {
    const { network, start, store } = await startLink(test, { delayMs: 40, lossPercent: 2, mbitPerSecond: 10 })
    const files = numbered(200, 20_000)
    const result = await start(s3(tree(files), store.endpoint, "--verbose")).finished
    expect(result.code, result.stdout).toBe(0)
    whole(store, files)
    expect((await network.traffic()).lost).toBeGreaterThan(50)
  })

  it("a run goes on by itself after half a minute of silence", { timeout }, async (test) => {
    const { network, start, store } = await startLink(test, { delayMs: 10, mbitPerSecond: 20 })
    const files = numbered(200, 100_000)
    const { finished } = start(s3(tree(files), store.endpoint, "--verbose"))
    await until(() => store.keys().length >= 50)
    await network.down()
    await sleep(30_000)
    expect(store.keys().length).toBeLessThan(150)
    // their bodies were cut off halfway, and the store cannot know that the rest will not come
    expect(store.inFlight).toBeGreaterThan(0)
    await network.up()
    const result = await finished
    expect(result.code, result.stdout).toBe(0)
    whole(store, files)
    // what got stuck is sent again when its --timeout is over, a minute by default, if TCP does not revive it before
    expect(result.durationMs).toBeLessThan(90_000)
  })

  it.for([
    ["waits for its parts", "--timeout=60s", false],
    // none of them gets through while the link is slow
    ["sends its parts again", "--timeout=8s", true]
  ] as const)(
    "a file %s when the link gets slow for a while, and arrives whole",
    { timeout },
    async ([, flag, again], test) => {
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
      whole(store, files)
      expect(store.openUploads()).toEqual([])
      expect(report(result).totals.retries > 0).toBe(again)
    }
  )

  it("a run ends within --give-up-after and --timeout when the silence does not end", { timeout }, async (test) => {
    const { network, start, store } = await startLink(test, { delayMs: 10, mbitPerSecond: 20 }, { latencyMs: 300 })
    const flags = ["--give-up-after=10s", "--timeout=5s", "--output=json"]
    const { finished } = start(s3(tree(numbered(80, 20_000)), store.endpoint, "--verbose", ...flags))
    await until(() => store.keys().length >= 20)
    await network.down()
    const silentSince = Date.now()
    const result = await finished
    expect(result.code, result.stdout).toBe(30)
    // the first failure shows after a time-out, and the last request has one as well
    expect(Date.now() - silentSince).toBeLessThan(25_000)
    const { result: verdict, totals } = report(result)
    expect(verdict.endedBy?.hint).toContain("--give-up-after")
    expect(totals.uploaded).toBeGreaterThanOrEqual(20)
    expect(totals.uploaded + totals.failed + totals.interrupted + totals.notTried).toBe(80)
  })

  it.for([
    ["whole file", "--part-size=20MiB"],
    ["part", "--part-size=5MiB"]
  ] as const)("a signal ends a run in time in which a %s is stuck", { timeout }, async ([, flag], test) => {
    const { network, start, store } = await startLink(test, { delayMs: 10, mbitPerSecond: 10 })
    const input = tree({ "big.jsonl": Buffer.alloc(18 * MB) })
    const { child, finished } = start(s3(input, store.endpoint, "--verbose", flag, "--grace=1s", "--output=json"))
    await until(() => store.requests.some(({ bodyBytes }) => bodyBytes > 0.5 * MB))
    await network.down()
    child.kill("SIGTERM")
    const signalledAt = Date.now()
    const result = await finished
    expect(result.code).toBe(143)
    // the second that it was given, and a little
    expect(Date.now() - signalledAt).toBeLessThan(5000)
    const { keptUploads, openMultipartUploads, totals } = report(result)
    expect(totals).toMatchObject({ uploaded: 0, interrupted: 1 })
    expect(openMultipartUploads).toEqual([])
    expect(keptUploads).toMatchObject(store.openUploads())
  })
})

describe.skipIf(!inject("ipv6"))("over IPv6", () => {
  it("files arrive at an address in brackets", async () => {
    const store = await startStore({ host: "::1" })
    expect(store.endpoint).toMatch(/^http:\/\/\[::1\]:\d+$/)
    const files = { "a.jsonl": Buffer.from("1\n"), "big.jsonl": Buffer.alloc(9 * MB) }
    const result = await run(s3(tree(files), store.endpoint, "--verbose"))
    expect(result.code, result.stdout).toBe(0)
    whole(store, files)
  })
})

import { describe, expect, it } from "vitest"
import { manyFiles, tree } from "../fixtures/Tree.ts"
import { report, s3, start, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2

describe("a signal", () => {
  it("lets requests in flight finish, starts no further requests, and leads to a correct report", async () => {
    const store = await startStore({ latencyMs: 400 })
    const { child, finished } = start(s3(manyFiles(200, 2000), store.endpoint, "--concurrency=20", "--output=json"))
    await until(() => store.keys().length >= 40)
    child.kill("SIGTERM")
    const signalledAt = Date.now()
    const result = await finished
    expect(result.code).toBe(143)
    // the requests finish within the default --grace of 20 s, because each takes 0.4 s
    expect(Date.now() - signalledAt).toBeLessThan(3000)
    // requests that were sent before the signal was delivered may arrive a little later
    expect(store.requests.filter(({ startedAt }) => startedAt > signalledAt + 100)).toEqual([])
    const { complete, result: outcome, totals } = report(result)
    expect(outcome).toMatchObject({ exitCode: 143, name: "interrupted", signal: "SIGTERM", endedBy: null })
    expect(complete).toBe(true)
    expect(totals.uploaded).toBe(store.keys().length)
    expect(totals).toMatchObject({ selected: 200, failed: 0 })
    expect(totals.uploaded + totals.interrupted + totals.notTried).toBe(200)
  })

  it("cancels requests that are still in flight after --grace", async () => {
    const store = await startStore({ latencyMs: 30_000 })
    const { child, finished } = start(
      s3(manyFiles(50, 100), store.endpoint, "--concurrency=10", "--grace=500ms", "--output=json")
    )
    await until(() => store.inFlight === 10)
    child.kill("SIGTERM")
    const signalledAt = Date.now()
    const result = await finished
    expect(Date.now() - signalledAt).toBeLessThan(3000)
    expect(result.code).toBe(143)
    expect(report(result).totals).toMatchObject({ uploaded: 0, interrupted: 10 })
    expect(store.keys()).toEqual([])
  })

  it("keeps a multipart upload for the next run, after parts in flight have finished within --grace", async () => {
    const store = await startStore()
    store.fault = ({ operation }) => (operation === "UploadPart" ? { kind: "delay", ms: 1000 } : undefined)
    const parts = () => store.requests.filter(({ operation }) => operation === "UploadPart")
    const { child, finished } = start(
      s3(tree({ "big.jsonl": Buffer.alloc(40 * MiB) }), store.endpoint, "--output=json")
    )
    await until(() => parts().length === 4)
    child.kill("SIGTERM")
    const result = await finished
    expect(result.code).toBe(143)
    expect(result.durationMs).toBeLessThan(10_000)
    expect(parts()).toHaveLength(4)
    const [open] = store.openUploads()
    expect(report(result)).toMatchObject({
      keptUploads: [{ ...open, storedBytes: 32 * MiB, sizeBytes: 40 * MiB }],
      openMultipartUploads: [],
      totals: { interrupted: 1 }
    })
  })

  it("does not wait past --grace for a response to CreateMultipartUpload", async () => {
    const store = await startStore()
    store.fault = () => ({ kind: "hang" })
    const input = tree({ "big.jsonl": Buffer.alloc(9 * MiB), "a.jsonl": "" })
    const { child, finished } = start(s3(input, store.endpoint, "--grace=1s", "--output=json"))
    await until(() => store.inFlight === 2)
    child.kill("SIGTERM")
    const signalledAt = Date.now()
    const result = await finished
    expect(Date.now() - signalledAt).toBeLessThan(8000)
    expect(result.code).toBe(143)
    expect(report(result).totals).toMatchObject({ selected: 2, interrupted: 2 })
  })

  it("does not extend the deadline", async () => {
    const store = await startStore({ latencyMs: 30_000 })
    const { child, finished } = start(s3(tree({ "a.jsonl": "" }), store.endpoint, "--grace=30s", "--deadline=1500ms"))
    await until(() => store.inFlight === 1)
    child.kill("SIGTERM")
    const result = await finished
    expect(result.code).toBe(143)
    expect(result.durationMs).toBeLessThan(5000)
  })

  it("ends the program at once when it is the second signal", async () => {
    const store = await startStore({ latencyMs: 30_000 })
    const { child, finished } = start(s3(tree({ "a.jsonl": "" }), store.endpoint))
    await until(() => store.inFlight === 1)
    child.kill("SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 200))
    child.kill("SIGINT")
    const killedAt = Date.now()
    expect((await finished).code).toBe(130)
    expect(Date.now() - killedAt).toBeLessThan(1000)
  })

  it("ends the wait between two attempts", async () => {
    const store = await startStore()
    store.fault = () => ({ kind: "answer", status: 503, code: "SlowDown", headers: { "retry-after": "30" } })
    const { child, finished } = start(s3(tree({ "a.jsonl": "" }), store.endpoint))
    await until(() => store.requests.some(({ endedAt }) => endedAt !== undefined))
    child.kill("SIGTERM")
    const killedAt = Date.now()
    expect((await finished).code).toBe(143)
    expect(Date.now() - killedAt).toBeLessThan(2000)
    expect(store.requests).toHaveLength(1)
  })
})

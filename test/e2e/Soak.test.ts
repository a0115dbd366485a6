/** The built program over a store that keeps failing in every way. */
import { createHash } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import * as ConcurrencyLimit from "../../src/domain/ConcurrencyLimit.ts"
import type { StrictS3 } from "../../scripts/strict-s3/StrictS3.ts"
import { seeded } from "../../scripts/simulate/Random.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { report, run, s3 } from "./BuiltProgram.ts"
import { type RandomFaults, randomFaults } from "./faults/RandomFaults.ts"
import { startStore } from "./Store.ts"

const seed = Number(process.env["IBSR_TEST_SEED"] ?? 20_261_125)
const count = 2000

const hourMillis = 3_600_000
/** Formats a time without punctuation, cut to the given length: `20261122141500`. */
const digits = (millis: number, length: number) => new Date(millis).toISOString().replaceAll(/\D/g, "").slice(0, length)

/**
 * Files of a collector that was restarted every 100 hours, in the middle of an hour, so there are 20 run directories.
 * Every file has its own content; a few files do not fit into one packet.
 */
const contents = (): Record<string, string> => {
  const random = seeded(seed)
  const start = Date.UTC(2026, 7, 1, 14, 15)
  const startOf = (index: number) => start + Math.floor(index / 100) * 99 * hourMillis
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const started = digits(startOf(index), 14)
      const hour = digits(startOf(index) + (index % 100) * hourMillis, 10)
      const lines = random.chance(0.02) ? random.below(4000) : random.below(100)
      return [
        `ibsr-${started.slice(0, 8)}-${started.slice(8)}Z/snapshot_${hour}.jsonl`,
        `{"file":${index},"line":"${random.next()}"}\n`.repeat(lines)
      ]
    })
  )
}

const files = contents()
let input: string
beforeAll(() => {
  input = tree(files)
})

/** The timeout is short, because an unanswered request takes all of it. */
const timeout = "--timeout=2s"
/** Verbose, because every output is searched for secrets. */
const verbose = "--verbose"

/** Every version ever stored is complete, every file is stored, and each repeated upload has a reason. */
const expectAllStored = (store: StrictS3, { afterStoring }: RandomFaults) => {
  // on a slow machine, a request may time out without a fault
  const aborted = new Map<string | undefined, number>()
  for (const request of store.requests) {
    if (request.aborted) aborted.set(request.key, (aborted.get(request.key) ?? 0) + 1)
  }
  for (const [name, content] of Object.entries(files)) {
    const key = `ibsr/host/snapshots/${name}`
    const versions = store.versions(key)
    const sha256 = createHash("sha256").update(content).digest("hex")
    expect(new Set(versions.map((version) => version.sha256)), name).toEqual(new Set([sha256]))
    const reasons = afterStoring(key) + (aborted.get(key) ?? 0)
    expect(versions.length, name).toBeLessThanOrEqual(1 + reasons)
  }
  expect(store.keys()).toHaveLength(count)
}

describe(`a run over ${count} files (seed ${seed})`, () => {
  it("uploads and records all files when a fifth of the requests fail", { timeout: 180_000 }, async () => {
    const store = await startStore()
    const random = randomFaults(seed, 0.2)
    store.fault = random.faults
    const args = s3(input, store.endpoint, timeout, verbose, "--output=json", "--state-dir", emptyDirectory())
    const result = await run(args)
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(report(result).totals).toMatchObject({ uploaded: count, failed: 0 })
    expectAllStored(store, random)
    expect([...random.counts].filter(([, times]) => times === 0)).toEqual([])

    store.fault = undefined
    const requests = store.requests.length
    expect(report(await run(args)).totals).toMatchObject({ uploaded: 0, unchanged: count })
    expect(store.requests).toHaveLength(requests)
  })

  const limits: ReadonlyArray<readonly [flag: string, codes: ReadonlyArray<number>]> = [
    ["--deadline=4s", [33]],
    ["--give-up-after=3s", [30, 32]]
  ]
  for (const [flag, codes] of limits) {
    it(`ends at ${flag} when every request fails; the next run uploads all files`, async () => {
      const store = await startStore()
      const outage = randomFaults(seed, 1)
      store.fault = outage.faults
      const args = s3(input, store.endpoint, verbose, "--output=json", "--state-dir", emptyDirectory())
      const result = await run([...args, timeout, flag])
      expect(codes, result.stdout + result.stderr).toContain(result.code)
      expect(result.durationMs).toBeLessThan(12_000)
      const { complete, totals } = report(result)
      expect(complete).toBe(true)
      expect(totals).toMatchObject({ selected: count, uploaded: 0 })
      expect(totals.failed + totals.interrupted + totals.notTried).toBe(count)
      // the run tries at most as many files as it may have requests in flight
      expect(totals.notTried).toBeGreaterThanOrEqual(count - ConcurrencyLimit.auto.max)

      store.fault = undefined
      const next = await run(args)
      expect(next.code, next.stdout + next.stderr).toBe(0)
      expect(report(next).totals).toMatchObject({ uploaded: count, failed: 0 })
      expectAllStored(store, outage)
    })
  }

  it("gives up when the store rejects every body as corrupt", async () => {
    const store = await startStore()
    store.fault = () => ({ kind: "answer", status: 400, code: "BadDigest" })
    const result = await run(s3(input, store.endpoint, "--output=json", "--give-up-after=2s", "--deadline=6s"))
    expect(report(result).result).toMatchObject({ exitCode: 40, endedBy: { class: "integrity" } })
  })
})

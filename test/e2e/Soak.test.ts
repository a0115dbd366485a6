/** The built program over a store that fails all the time, in every way. */
import { createHash } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import * as ConcurrencyLimit from "../../src/domain/ConcurrencyLimit.ts"
import type { StrictS3 } from "../fakes/StrictS3.ts"
import { seeded } from "../fixtures/Random.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { type RandomFaults, randomFaults } from "./faults/RandomFaults.ts"
import { report, run, s3 } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const seed = Number(process.env["IBSR_TEST_SEED"] ?? 20_261_125)
const count = 2000

/** Each with a content of its own; a few do not fit into one packet. */
const contents = (): Record<string, string> => {
  const random = seeded(seed)
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => {
      const lines = random.chance(0.02) ? random.below(4000) : random.below(100)
      return [`d${at % 20}/${at}.jsonl`, `{"file":${at},"line":"${random.next()}"}\n`.repeat(lines)]
    })
  )
}

const files = contents()
let input: string
beforeAll(() => {
  input = tree(files)
})

/** Time for one request; silence costs this much. */
const timeout = "--timeout=2s"
/** What is told then is searched for secrets, as in every run. */
const talkative = "--verbose"

/** Whatever was stored at any time is whole, all is there, and nothing was sent again without a reason. */
const expectAllStored = (store: StrictS3, { afterStoring }: RandomFaults) => {
  // a slow machine may let a request run into its time-out without any fault
  const abandoned = new Map<string | undefined, number>()
  for (const { aborted, key } of store.requests) if (aborted) abandoned.set(key, (abandoned.get(key) ?? 0) + 1)
  for (const [name, content] of Object.entries(files)) {
    const key = `ibsr/host/snapshots/${name}`
    const versions = store.versions(key)
    const sha256 = createHash("sha256").update(content).digest("hex")
    expect(new Set(versions.map((version) => version.sha256)), name).toEqual(new Set([sha256]))
    const reasons = afterStoring(key) + (abandoned.get(key) ?? 0)
    expect(versions.length, name).toBeLessThanOrEqual(1 + reasons)
  }
  expect(store.keys()).toHaveLength(count)
}

describe(`${count} files (seed ${seed})`, () => {
  it("all arrive where a fifth of all requests fail, and are known to have arrived", { timeout: 180_000 }, async () => {
    const store = await startStore()
    const changeable = randomFaults(seed, 0.2)
    store.fault = changeable.faults
    const args = s3(input, store.endpoint, timeout, talkative, "--output=json", "--state-dir", emptyDirectory())
    const result = await run(args)
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(report(result).totals).toMatchObject({ uploaded: count, failed: 0 })
    expectAllStored(store, changeable)
    expect([...changeable.struck].filter(([, times]) => times === 0)).toEqual([])

    store.fault = undefined
    const requests = store.requests.length
    expect(report(await run(args)).totals).toMatchObject({ uploaded: 0, unchanged: count })
    expect(store.requests).toHaveLength(requests)
  })

  const ends: ReadonlyArray<readonly [flag: string, codes: ReadonlyArray<number>]> = [
    ["--deadline=4s", [33]],
    ["--give-up-after=3s", [30, 32]]
  ]
  for (const [flag, codes] of ends) {
    it(`end with ${flag} where every request fails; the next run stores them all`, async () => {
      const store = await startStore()
      const all = randomFaults(seed, 1)
      store.fault = all.faults
      const args = s3(input, store.endpoint, timeout, talkative, "--output=json", "--state-dir", emptyDirectory())
      const result = await run([...args, flag])
      expect(codes, result.stdout + result.stderr).toContain(result.code)
      expect(result.millis).toBeLessThan(12_000)
      const { complete, totals } = report(result)
      expect(complete).toBe(true)
      expect(totals).toMatchObject({ selected: count, uploaded: 0 })
      expect(totals.failed + totals.interrupted + totals.notTried).toBe(count)
      // no more than may be in flight at once
      expect(totals.notTried).toBeGreaterThanOrEqual(count - ConcurrencyLimit.auto.most)

      store.fault = undefined
      const next = await run(args)
      expect(next.code, next.stdout + next.stderr).toBe(0)
      expect(report(next).totals).toMatchObject({ uploaded: count, failed: 0 })
      expectAllStored(store, all)
    })
  }

  it("are given up, too, where no bytes arrive as they were sent", async () => {
    const store = await startStore()
    store.fault = () => ({ kind: "answer", status: 400, code: "BadDigest" })
    const result = await run(s3(input, store.endpoint, "--output=json", "--give-up-after=2s", "--deadline=6s"))
    expect(report(result).result).toMatchObject({ exitCode: 40, endedBy: { class: "integrity" } })
  })
})

import { existsSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { manyFiles } from "../fixtures/Tree.ts"
import { s3, start } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

/** The kernel's figure for the peak resident memory of a running process, in kB. */
const readPeak = (pid: number) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)

/** Each request in flight takes memory, and `auto` raises the number of them with the duration of a run. */
const concurrency = "--concurrency=256"

/** The peak memory of an upload of this many files, in kB. */
const peakMemory = async (files: number) => {
  const store = await startStore({ keepBodies: false })
  const { child, finished } = start(s3(manyFiles(files, 5000), store.endpoint, concurrency))
  let kilobytes = 0
  const sampling = setInterval(() => {
    try {
      kilobytes = Math.max(kilobytes, readPeak(child.pid ?? 0))
    } catch {
      // the program exited before its peak was read
    }
  }, 20)
  const result = await finished
  clearInterval(sampling)
  expect(result.code, result.stderr).toBe(0)
  expect(store.keys()).toHaveLength(files)
  return kilobytes
}

describe.skipIf(!existsSync("/proc/self/status"))("the memory of a run", () => {
  it("does not grow with the number of files", { timeout: 180_000 }, async () => {
    // the time of garbage collections is random and can only raise a peak, so the smaller of two counts
    const few = Math.min(await peakMemory(2000), await peakMemory(2000))
    const many = Math.min(await peakMemory(20_000), await peakMemory(20_000))
    console.log(`peak RSS: ${few} kB for 2,000 files, ${many} kB for 20,000: ratio ${(many / few).toFixed(2)}`)
    expect(many / few).toBeLessThanOrEqual(1.2)
  })
})

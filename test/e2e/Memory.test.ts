import { existsSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { manyFiles } from "../fixtures/Tree.ts"
import { s3, start } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

/** Peak resident memory in kB, as the kernel counted it; read while the program is still there. */
const peakOf = (pid: number) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)

/** Requests at once, which auto lets grow with the time that there is, take memory of their own. */
const asMany = ["--concurrency=256"]

const peak = async (files: number) => {
  const store = await startStore({ keepBodies: false })
  const { child, finished } = start(s3(manyFiles(files, 5000), store.endpoint, ...asMany))
  let kilobytes = 0
  const sampling = setInterval(() => {
    try {
      kilobytes = Math.max(kilobytes, peakOf(child.pid ?? 0))
    } catch {
      // it has just ended
    }
  }, 20)
  const result = await finished
  clearInterval(sampling)
  expect(result.code, result.stderr).toBe(0)
  expect(store.keys()).toHaveLength(files)
  return kilobytes
}

describe.skipIf(!existsSync("/proc/self/status"))("memory", () => {
  it("does not grow with the number of files", { timeout: 180_000 }, async () => {
    // when the collector runs is a matter of chance, which only ever adds: the smaller of two
    const few = Math.min(await peak(2000), await peak(2000))
    const many = Math.min(await peak(20_000), await peak(20_000))
    console.log(`peak RSS: ${few} kB for 2,000 files, ${many} kB for 20,000: ratio ${(many / few).toFixed(2)}`)
    expect(many / few).toBeLessThanOrEqual(1.2)
  })
})

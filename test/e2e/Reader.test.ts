/** After its work, the program waits until a slow reader has read all of its output. */
import { describe, expect, it } from "vitest"
import { manyFiles } from "../fixtures/Tree.ts"
import { report, s3, start, summary } from "./BuiltProgram.ts"

/** More than a pipe holds. */
const input = manyFiles(3000, 1)

const runWithSlowReader = async (...flags: ReadonlyArray<string>) => {
  const { child, finished } = start(s3(input, "http://127.0.0.1:1", "--dry-run", ...flags))
  child.stdout?.pause()
  await new Promise((resolve) => setTimeout(resolve, 1500))
  child.stdout?.resume()
  return finished
}

describe("a slow reader", () => {
  it("gets the whole report as JSON", async () => {
    const result = await runWithSlowReader("--output=json")
    expect(result.code).toBe(0)
    expect(report(result).plan).toHaveLength(3000)
  })

  it("gets the whole report as text, with the summary as its last line", async () => {
    const result = await runWithSlowReader()
    expect(result.stdout.trimEnd().split("\n")).toHaveLength(3001)
    expect(summary(result)).toMatch(/^would upload 3000 /)
  })

  it("does not prevent the program from exiting after a signal", async () => {
    const { child, finished } = start(s3(input, "http://127.0.0.1:1", "--dry-run", "--output=json"))
    child.stdout?.pause()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    child.kill("SIGTERM")
    const exit = new Promise((resolve) => child.once("exit", resolve))
    expect(await exit).toBe(143)
    child.stdout?.resume()
    await finished
  })
})

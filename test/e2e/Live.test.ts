/** Files that the collector still appends to, or rotates away. */
import { appendFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { emptyDirectory, snapshotName, tree } from "../fixtures/Tree.ts"
import { metadata, report, run, s3, start, summary, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const prefix = "ibsr/host/snapshots"

// computed once, because the hour may change while the tests run
const current = snapshotName(0)
const earlier = snapshotName(3)

describe("a file that is still being written", () => {
  it("is stored up to its last complete line, and marked as live", async () => {
    const store = await startStore()
    const input = emptyDirectory()
    writeFileSync(join(input, current), '{"a":1}\n{"a":2}\n{"a"')
    writeFileSync(join(input, earlier), '{"a":1}\n')
    const result = await run(s3(input, store.endpoint))
    expect(result.code, result.stdout).toBe(0)
    const live = store.object(`${prefix}/${current}`)
    expect(live?.body.toString()).toBe('{"a":1}\n{"a":2}\n')
    expect(live?.metadata).toEqual(metadata("live"))
    expect(store.object(`${prefix}/${earlier}`)?.metadata).toEqual(metadata("final"))
  })

  it("never has an incomplete line at the end of its object", async () => {
    const store = await startStore()
    const input = emptyDirectory()
    const path = join(input, current)
    writeFileSync(path, '{"line":0,')
    let written = 0
    // each write ends one line and begins the next, so the file always ends in an incomplete line
    const writing = setInterval(() => {
      written++
      appendFileSync(path, `"filler":"${"x".repeat(2000)}"}\n{"line":${written},`)
    }, 5)
    for (let runs = 0; runs < 8; runs++) expect((await run(s3(input, store.endpoint))).code).toBe(0)
    clearInterval(writing)
    const versions = store.versions(`${prefix}/${current}`)
    expect(versions.length).toBeGreaterThan(3)
    for (const { body } of versions) {
      expect(body.at(-1)).toBe(0x0a)
      const lines = body.toString().trimEnd().split("\n")
      expect(lines.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual(lines.map((_, at) => at))
    }
  })

  it("is not ready without a complete line, and is left to a later run with --final-only", async () => {
    const store = await startStore()
    const input = emptyDirectory()
    writeFileSync(join(input, current), '{"a"')
    expect(summary(await run(s3(input, store.endpoint)))).toContain("not ready 1 in ")
    appendFileSync(join(input, current), ":1}\n")
    const result = await run(s3(input, store.endpoint, "--final-only", "--output=json"))
    expect(report(result).totals).toMatchObject({ selected: 1, uploaded: 0, live: 1 })
    expect(store.requests).toEqual([])
  })

  it("is stored completely, with a warning, when it is final and torn", async () => {
    const store = await startStore()
    const input = tree({ [earlier]: '{"a":1}\n{"a"' })
    const result = await run(s3(input, store.endpoint))
    expect(result.code).toBe(0)
    expect(result.stdout).toContain(`warning: ${earlier} ends in an incomplete line`)
    expect(store.object(`${prefix}/${earlier}`)?.body.toString()).toBe('{"a":1}\n{"a"')
  })

  it("is stored completely when it is rotated away during its upload", async () => {
    const store = await startStore({ latencyMs: 300 })
    const content = Buffer.alloc(20 * 1024 ** 2, "line\n")
    const input = tree({ [earlier]: content })
    const { finished } = start(s3(input, store.endpoint))
    await until(() => store.requests.length > 0)
    rmSync(join(input, earlier))
    expect((await finished).code).toBe(0)
    expect(store.object(`${prefix}/${earlier}`)?.body.equals(content)).toBe(true)
  })
})

/** Runs of the built program with unusual files, and with few file descriptors. */
import { execFileSync } from "node:child_process"
import { closeSync, ftruncateSync, openSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { emptyDirectory, manyFiles, snapshotName, tree } from "../fixtures/Tree.ts"
import { report, run, s3 } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2
const TiB = 1024 ** 4

const sparse = (path: string, bytes: number) => {
  const file = openSync(path, "a")
  ftruncateSync(file, bytes)
  closeSync(file)
}

describe("a run", () => {
  it.each([64, 128])("uploads everything with only %d file descriptors", async (descriptors) => {
    const store = await startStore({ latencyMs: 50 })
    const input = manyFiles(300, 100)
    for (const name of ["1", "2", "3"]) writeFileSync(join(input, `${name}.jsonl`), Buffer.alloc(20 * MiB, "line\n"))
    const limited = ["bash", "-c", `ulimit -n ${descriptors}; exec "$@"`, "limited"]
    const result = await run(s3(input, store.endpoint, "--output=json"), { commandPrefix: limited })
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(report(result).totals).toMatchObject({ uploaded: 303, failed: 0 })
  })

  it("fails a huge live file without a line break, and uploads the others", async () => {
    const store = await startStore()
    const input = tree({ "a.jsonl": "1\n" })
    const live = snapshotName(0)
    sparse(join(input, live), TiB)
    const result = await run(s3(input, store.endpoint, "--output=json"))
    expect(result.code).toBe(41)
    expect(report(result).failures).toMatchObject([{ file: live, message: expect.stringContaining("no line break") }])
    expect(store.keys()).toEqual(["ibsr/host/snapshots/a.jsonl"])
  })

  it("plans a sparse file of a terabyte as torn, without reading it", async () => {
    const store = await startStore()
    const input = emptyDirectory()
    sparse(join(input, "zeros.jsonl"), TiB)
    utimesSync(join(input, "zeros.jsonl"), 1, 1)
    const result = await run(s3(input, store.endpoint, "--dry-run", "--memory=1GiB", "--output=json"))
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(report(result).plan).toMatchObject([{ file: "zeros.jsonl", sizeBytes: TiB }])
  })

  it("exits while a file system call hangs", async () => {
    const fifo = join(emptyDirectory(), "fifo")
    execFileSync("mkfifo", [fifo])
    const hang = `import fs from "node:fs"; fs.open(${JSON.stringify(fifo)}, "r", () => {})`
    const store = await startStore()
    const preload = `data:text/javascript,${encodeURIComponent(hang)}`
    const result = await run(s3(tree({ "a.jsonl": "1\n" }), store.endpoint, "--storage-class=MARBLE"), { preload })
    expect(result.code).toBe(10)
    expect(result.stdout).toContain("failed 1 of 1")
  })
})

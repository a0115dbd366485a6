/**
 * Stops the built program in the middle of a large file and starts it again. The program has only the permission to put
 * objects.
 */
import { randomBytes } from "node:crypto"
import { appendFileSync, openSync, readFileSync, utimesSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { type Fault, writerNoAbort } from "../../scripts/strict-s3/StrictS3.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"
import { metadata, report, s3, start, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2
const part = 5 * MiB
const key = "ibsr/host/snapshots/big.jsonl"

/** Random bytes and a line break: no two parts are the same. */
const contentOf = (parts: number) => Buffer.concat([randomBytes(parts * part - 1), Buffer.from("\n")])

const host = async (content: Buffer, options?: Parameters<typeof startStore>[0]) => {
  const store = await startStore(options)
  const input = emptyDirectory()
  const path = join(input, "big.jsonl")
  const stateDir = emptyDirectory()
  const makeState = (state: "final" | "live") => {
    const mtime = Date.now() / 1000 - (state === "final" ? 864_000 : 0)
    utimesSync(path, mtime, mtime)
  }
  writeFileSync(path, content)
  makeState("final")
  const env = { AWS_ACCESS_KEY_ID: writerNoAbort.accessKeyId, AWS_SECRET_ACCESS_KEY: writerNoAbort.secretAccessKey }
  const startRun = (...flags: ReadonlyArray<string>) =>
    start(s3(input, store.endpoint, "--part-size=5MiB", "--state-dir", stateDir, "--output=json", ...flags), { env })
  const parts = () => store.requests.filter(({ operation }) => operation === "UploadPart")

  /** Starts an upload, and sends the program a signal once the store has this number of parts. */
  const interrupt = async (arrived: number, signal: NodeJS.Signals) => {
    let seen = 0
    store.fault = ({ operation }) => (operation === "UploadPart" && seen++ >= arrived ? { kind: "hang" } : undefined)
    const { child, finished } = startRun("--grace=1s")
    await until(() => parts().filter(({ status }) => status === 200).length === arrived)
    // after this time, the ledger has recorded the parts that arrived
    await until(() => store.inFlight >= 2)
    child.kill(signal)
    const result = await finished
    store.fault = undefined
    store.requests.splice(0)
    return result
  }
  const finish = async (...flags: ReadonlyArray<string>) => {
    const result = await startRun(...flags).finished
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(store.object(key)?.body.equals(readFileSync(path))).toBe(true)
    const operations = store.requests.map(({ operation }) => operation)
    return { ...report(result), operations, sentBytes: parts().reduce((sum, { bodyBytes }) => sum + bodyBytes, 0) }
  }
  return { finish, interrupt, makeState, path, startRun, store }
}

describe("an upload that the store completes without ever sending a response", () => {
  /** Loses the first answer to each completion; the store then no longer knows the upload. */
  const unanswered = (): ((request: { readonly operation: string }) => Fault | undefined) => {
    let completions = 0
    return ({ operation }) =>
      operation === "CompleteMultipartUpload" && completions++ % 2 === 0
        ? { kind: "cut-answer", end: 0, by: "reset" }
        : undefined
  }

  it.each([[[]], [["--compress=gzip"]]])(
    "is sent twice by the first run, once by the next, and not again until six hours have passed: %j",
    async (flags) => {
      const { startRun, finish, store } = await host(contentOf(2))
      store.fault = unanswered()
      const creations = async (...more: ReadonlyArray<string>) => {
        store.requests.splice(0)
        const result = await startRun(...flags, ...more).finished
        expect(result.code, result.stdout).toBe(10)
        expect(report(result).failures[0]?.hint).toContain("load balancer")
        expect(store.openUploads()).toEqual([])
        return store.requests.filter(({ operation }) => operation === "CreateMultipartUpload").length
      }
      expect([await creations(), await creations(), await creations()]).toEqual([2, 1, 0])
      expect(await creations("--force")).toBe(2)
      store.fault = undefined
      if (flags.length === 0) expect((await finish("--force")).totals.uploaded).toBe(1)
    }
  )

  it("is stored by the next run if the store then responds; later lost completions count from zero", async () => {
    const { startRun, finish, path, makeState, store } = await host(contentOf(2))
    store.fault = unanswered()
    expect((await startRun().finished).code).toBe(10)
    store.fault = undefined
    await finish()
    appendFileSync(path, "more\n")
    makeState("final")
    store.fault = unanswered()
    store.requests.splice(0)
    expect((await startRun().finished).code).toBe(10)
    expect(store.requests.filter(({ operation }) => operation === "CreateMultipartUpload")).toHaveLength(2)
  })
})

describe("an interrupted multipart upload", () => {
  it("is resumed after SIGKILL by the next run, which sends only the missing tenth of its file", async () => {
    const content = contentOf(40)
    const { interrupt, finish } = await host(content)
    expect((await interrupt(36, "SIGKILL")).code).toBeNull()
    const { operations, sentBytes, totals } = await finish()
    console.log(`sent again: ${((100 * sentBytes) / content.length).toFixed(1)} % of ${content.length} bytes`)
    expect(sentBytes).toBeLessThanOrEqual(0.15 * content.length)
    expect(new Set(operations)).toEqual(new Set(["UploadPart", "CompleteMultipartUpload"]))
    expect(totals).toMatchObject({ uploaded: 1, resumed: 1, resumedBytes: content.length - sentBytes })
  })

  it("is resumed even if the store confirms no checksums of parts", async () => {
    const { interrupt, finish } = await host(contentOf(4), { dialect: { plainParts: true } })
    await interrupt(2, "SIGKILL")
    expect((await finish()).totals).toMatchObject({ uploaded: 1, resumed: 1 })
  })

  it("is kept and reported after SIGTERM", async () => {
    const { interrupt, finish } = await host(contentOf(8))
    const result = await interrupt(6, "SIGTERM")
    expect(result.code).toBe(143)
    expect(report(result)).toMatchObject({ keptUploads: [{ key, storedBytes: 6 * part }], openMultipartUploads: [] })
    expect((await finish("--verbose")).sentBytes).toBe(2 * part)
  })

  it("is started over when the store has forgotten it", async () => {
    const { interrupt, finish, store } = await host(contentOf(8))
    await interrupt(6, "SIGKILL")
    let parts = 0
    const unknown = { kind: "answer", status: 404, code: "NoSuchUpload" } as const
    store.fault = ({ operation }) => (operation === "UploadPart" && parts++ === 0 ? unknown : undefined)
    const { operations, totals } = await finish()
    expect(operations.filter((operation) => operation === "CreateMultipartUpload")).toHaveLength(1)
    expect(operations.filter((operation) => operation === "UploadPart").length).toBeGreaterThanOrEqual(8 + 1)
    expect(operations).not.toContain("AbortMultipartUpload")
    expect(totals).toMatchObject({ uploaded: 1, resumed: 0 })
  })

  it("is started over when the file's bytes have changed, and reported as open when aborting is denied", async () => {
    const { interrupt, finish, path, makeState, store } = await host(contentOf(8))
    await interrupt(6, "SIGKILL")
    const [open] = store.openUploads()
    writeSync(openSync(path, "r+"), Buffer.from("\n"), 0, 1, 3 * part)
    makeState("final")
    const { openMultipartUploads, operations } = await finish()
    expect(operations.filter((operation) => operation === "CreateMultipartUpload")).toHaveLength(1)
    expect(openMultipartUploads).toMatchObject([{ key, uploadId: open?.uploadId }])
  })

  it("is resumed when the file has grown", async () => {
    const { interrupt, finish, path, makeState } = await host(contentOf(8))
    makeState("live")
    await interrupt(6, "SIGKILL")
    appendFileSync(path, "more\n")
    makeState("live")
    const { operations, totals } = await finish()
    expect(operations).not.toContain("CreateMultipartUpload")
    expect(totals.resumed).toBe(1)
  })

  it("is started over when the file has become final", async () => {
    const { interrupt, finish, makeState, store } = await host(contentOf(8))
    makeState("live")
    await interrupt(6, "SIGKILL")
    makeState("final")
    expect((await finish()).operations.filter((operation) => operation === "CreateMultipartUpload")).toHaveLength(1)
    expect(store.object(key)?.metadata).toEqual(metadata("final"))
  })
})

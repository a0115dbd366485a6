/** The built program, stopped in the middle of a large file, and started again; with the permission to put alone. */
import { randomBytes } from "node:crypto"
import { appendFileSync, openSync, readFileSync, utimesSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { writerNoAbort } from "../fakes/StrictS3.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"
import { report, s3, start, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2
const part = 5 * MiB
const key = "ibsr/host/snapshots/big.jsonl"

/** Of bytes that are never the same twice, but for line breaks at its end. */
const large = (parts: number) => Buffer.concat([randomBytes(parts * part - 1), Buffer.from("\n")])

const host = async (content: Buffer) => {
  const store = await startStore()
  const input = emptyDirectory()
  const path = join(input, "big.jsonl")
  const stateDir = emptyDirectory()
  const settle = (state: "final" | "live" = "final") => {
    const at = Date.now() / 1000 - (state === "final" ? 864_000 : 0)
    utimesSync(path, at, at)
  }
  writeFileSync(path, content)
  settle()
  const env = { AWS_ACCESS_KEY_ID: writerNoAbort.accessKeyId, AWS_SECRET_ACCESS_KEY: writerNoAbort.secretAccessKey }
  const begin = (...flags: ReadonlyArray<string>) =>
    start(s3(input, store.endpoint, "--part-size=5MiB", "--state-dir", stateDir, "--output=json", ...flags), { env })
  const parts = () => store.requests.filter(({ operation }) => operation === "UploadPart")

  /** Begins an upload of which so many parts arrive, and ends it by a signal. */
  const cutOff = async (arrived: number, signal: NodeJS.Signals) => {
    let seen = 0
    store.fault = ({ operation }) => (operation === "UploadPart" && seen++ >= arrived ? { kind: "hang" } : undefined)
    const { child, finished } = begin("--grace=1s")
    await until(() => parts().filter(({ status }) => status === 200).length === arrived)
    // what has arrived is written down by then
    await until(() => store.inFlight >= 2)
    child.kill(signal)
    const result = await finished
    store.fault = undefined
    store.requests.splice(0)
    return result
  }
  const finish = async (...flags: ReadonlyArray<string>) => {
    const result = await begin(...flags).finished
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(store.object(key)?.body.equals(readFileSync(path))).toBe(true)
    const operations = store.requests.map(({ operation }) => operation)
    return { ...report(result), operations, sentBytes: parts().reduce((sum, { bodyBytes }) => sum + bodyBytes, 0) }
  }
  return { cutOff, finish, path, settle, store }
}

describe("a large file", () => {
  it("that was nine tenths sent when the program was killed costs the last tenth", async () => {
    const content = large(40)
    const { cutOff, finish } = await host(content)
    expect((await cutOff(36, "SIGKILL")).code).toBeNull()
    const { operations, sentBytes, totals } = await finish()
    console.log(`sent again: ${((100 * sentBytes) / content.length).toFixed(1)} % of ${content.length} bytes`)
    expect(sentBytes).toBeLessThanOrEqual(0.15 * content.length)
    expect(new Set(operations)).toEqual(new Set(["UploadPart", "CompleteMultipartUpload"]))
    expect(totals).toMatchObject({ uploaded: 1, resumed: 1, resumedBytes: content.length - sentBytes })
  })

  it("is kept on SIGTERM, and the report says what is there", async () => {
    const { cutOff, finish } = await host(large(8))
    const result = await cutOff(6, "SIGTERM")
    expect(result.code).toBe(143)
    expect(report(result)).toMatchObject({ keptUploads: [{ key, storedBytes: 6 * part }], openMultipartUploads: [] })
    expect((await finish("--verbose")).sentBytes).toBe(2 * part)
  })

  it("is begun anew where the store does not know the upload any more", async () => {
    const { cutOff, finish, store } = await host(large(8))
    await cutOff(6, "SIGKILL")
    let part = 0
    const unknown = { kind: "answer", status: 404, code: "NoSuchUpload" } as const
    store.fault = ({ operation }) => (operation === "UploadPart" && part++ === 0 ? unknown : undefined)
    const { operations, totals } = await finish()
    expect(operations.filter((operation) => operation === "CreateMultipartUpload")).toHaveLength(1)
    expect(operations.filter((operation) => operation === "UploadPart").length).toBeGreaterThanOrEqual(8 + 1)
    expect(operations).not.toContain("AbortMultipartUpload")
    expect(totals).toMatchObject({ uploaded: 1, resumed: 0 })
  })

  it("is begun anew where its bytes are others, and the upload that may not be aborted is named", async () => {
    const { cutOff, finish, path, settle, store } = await host(large(8))
    await cutOff(6, "SIGKILL")
    const [open] = store.openUploads()
    writeSync(openSync(path, "r+"), Buffer.from("\n"), 0, 1, 3 * part)
    settle()
    const { openMultipartUploads, operations } = await finish()
    expect(operations.filter((operation) => operation === "CreateMultipartUpload")).toHaveLength(1)
    expect(openMultipartUploads).toMatchObject([{ key, uploadId: open?.uploadId }])
  })

  it("goes on where it has grown", async () => {
    const { cutOff, finish, path, settle } = await host(large(8))
    settle("live")
    await cutOff(6, "SIGKILL")
    appendFileSync(path, "more\n")
    settle("live")
    const first = await finish()
    expect(first.operations).not.toContain("CreateMultipartUpload")
    expect(first.totals.resumed).toBe(1)
  })

  it("is begun anew where it has become final", async () => {
    const { cutOff, finish, settle, store } = await host(large(8))
    settle("live")
    await cutOff(6, "SIGKILL")
    settle("final")
    expect((await finish()).operations.filter((operation) => operation === "CreateMultipartUpload")).toHaveLength(1)
    expect(store.object(key)?.metadata).toEqual({ "ibsr-state": "final" })
  })
})

/** Compressed objects in the bucket. */
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { appendFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as zlib from "node:zlib"
import { describe, expect, it } from "vitest"
import { writerNoAbort } from "../../scripts/strict-s3/StrictS3.ts"
import { emptyDirectory, snapshotName, tree } from "../fixtures/Tree.ts"
import { metadata, report, run, s3, start, summary, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2

const prefix = "ibsr/host/snapshots"
const live = snapshotName(0)
const final = snapshotName(3)

/** Lines that compress to about half their size. */
const lines = (bytes: number) =>
  Buffer.from(
    Array.from({ length: Math.ceil(bytes / 1000) }, () => `{"digest":"${randomBytes(490).toString("hex")}"}\n`).join("")
  )

const formats = [
  { format: "zstd", extension: ".zst", type: "application/zstd", decompress: zlib.zstdDecompressSync },
  { format: "gzip", extension: ".gz", type: "application/gzip", decompress: zlib.gunzipSync }
] as const

const decompressZstd = (body: Buffer | undefined) => zlib.zstdDecompressSync(body!)
const zstd = "--compress=zstd"

describe.each(formats)("--compress $format", ({ decompress, extension, format, type }) => {
  it("stores complete lines under a key with its extension, by PutObject and in parts, and only once", async () => {
    const store = await startStore()
    const small = '{"a":1}\n{"a":2}\n'
    const large = lines(30 * MiB)
    const input = tree({ [live]: `${small}{"a"`, [`2026/${final}`]: large, "empty.jsonl": "" })
    const flags = ["--part-size=5MiB", `--compress=${format}`, "--output=json", "--state-dir", emptyDirectory()]
    const result = await run(s3(input, store.endpoint, ...flags))
    expect(result.code, result.stdout).toBe(0)

    const [multipart, single, empty] = [`2026/${final}`, live, "empty.jsonl"].map((name) =>
      store.object(`${prefix}/${name}${extension}`)!
    )
    expect(store.keys()).toHaveLength(3)
    expect(decompress(single!.body).toString()).toBe(small)
    expect(decompress(multipart!.body).equals(large)).toBe(true)
    expect(decompress(empty!.body)).toHaveLength(0)
    expect([single!.parts, multipart!.parts]).toEqual([1, Math.ceil(multipart!.size / (5 * MiB))])
    for (const [object, state] of [
      [single!, "live"],
      [multipart!, "final"]
    ] as const) {
      expect(object.contentType).toBe(type)
      expect(object.metadata).toEqual(metadata(state))
      expect(object.headers["content-encoding"]).toBeUndefined()
    }
    const { uploadedBytes, objectBytes } = report(result).totals
    expect(uploadedBytes).toBe(large.length + small.length)
    expect(objectBytes).toBe(single!.size + multipart!.size + empty!.size)

    const { length } = store.requests
    expect(report(await run(s3(input, store.endpoint, ...flags))).totals).toMatchObject({ uploaded: 0, unchanged: 3 })
    expect(store.requests).toHaveLength(length)
  })

  it.skipIf(spawnSync(format, ["--version"]).status !== 0)(
    `stores objects that the ${format} command reads`,
    async () => {
      const store = await startStore()
      const content = lines(2 * MiB)
      await run(s3(tree({ [final]: content }), store.endpoint, `--compress=${format}`))
      const { body } = store.object(`${prefix}/${final}${extension}`)!
      const { status, stdout } = spawnSync(format, ["-dc"], { input: body, maxBuffer: 4 * MiB })
      expect(status).toBe(0)
      expect(stdout.equals(content)).toBe(true)
    }
  )
})

describe("--compress", () => {
  it("sends one PutObject for a large file that compresses to a small object", async () => {
    const store = await startStore()
    const content = Buffer.alloc(40 * MiB, '{"a":1}\n')
    const result = await run(s3(tree({ [final]: content }), store.endpoint, zstd))
    expect(summary(result)).toMatch(/^uploaded 1 \(41\.9 MB, compressed to \d+\.\d kB\) in /)
    expect(store.requests.map(({ operation }) => operation)).toEqual(["PutObject"])
    expect(decompressZstd(store.object(`${prefix}/${final}.zst`)?.body).equals(content)).toBe(true)
  })

  it("stores a compressed file unchanged", async () => {
    const store = await startStore()
    const packets = zlib.gzipSync("packets")
    await run(s3(tree({ "a.pcap.gz": packets, "b.csv": "1,2\n" }), store.endpoint, zstd, "--include=**"))
    expect(store.keys()).toEqual([`${prefix}/a.pcap.gz`, `${prefix}/b.csv.zst`])
    expect(store.object(`${prefix}/a.pcap.gz`)?.body.equals(packets)).toBe(true)
  })

  it("shows the compressed keys in a dry run", async () => {
    const input = tree({ "a.jsonl": "{}\n" })
    const result = await run(s3(input, "http://127.0.0.1:1", "--compress=gzip", "--dry-run"))
    expect(result.stdout).toContain(`a.jsonl -> s3://snapshots/${prefix}/a.jsonl.gz (3 B before gzip, 1 request)`)
  })

  it.each([
    ["an unknown format", ["--compress=brotli"], "--compress: expected one of none, zstd, gzip, got 'brotli'"],
    ["a --memory that is too small", [zstd, "--memory=24MiB"], "--compress zstd needs 5MiB of --memory"]
  ])("rejects %s", async (_, flags, problem) => {
    const result = await run(s3(emptyDirectory(), "http://127.0.0.1:1", ...flags))
    expect(result.code).toBe(60)
    expect(result.stderr).toContain(problem)
  })

  it("uploads a file again when it has grown, and stores complete lines only", async () => {
    const store = await startStore()
    const input = emptyDirectory()
    const state = ["--state-dir", emptyDirectory()]
    for (let line = 0; line < 4; line++) {
      appendFileSync(join(input, live), `{"line":${line}}\n{"half`)
      expect((await run(s3(input, store.endpoint, zstd, ...state))).code).toBe(0)
      appendFileSync(join(input, live), `":${line}}\n`)
    }
    const versions = store.versions(`${prefix}/${live}.zst`).map(({ body }) => decompressZstd(body).toString())
    expect(versions).toHaveLength(4)
    for (const [index, text] of versions.entries()) {
      expect(text.endsWith(`{"line":${index}}\n`)).toBe(true)
      expect(text.startsWith(versions[index - 1] ?? "")).toBe(true)
    }
  })

  it("applies only to new content when it is turned on or off, and overwrites no object with older content", async () => {
    const store = await startStore()
    const input = tree({ "same.jsonl": "same\n", "grows.jsonl": "1\n", "replaced.jsonl": "old\n" })
    const state = ["--state-dir", emptyDirectory()]
    const upload = async (...flags: ReadonlyArray<string>) => {
      const result = await run(s3(input, store.endpoint, ...flags, ...state))
      expect(result.code, result.stdout).toBe(0)
    }
    await upload()
    appendFileSync(join(input, "grows.jsonl"), "2\n")
    writeFileSync(join(input, "replaced.jsonl"), "new\n")
    await upload(zstd)
    appendFileSync(join(input, "grows.jsonl"), "3\n")
    appendFileSync(join(input, "replaced.jsonl"), "newer\n")
    await upload()
    writeFileSync(join(input, "grows.jsonl"), "another\n")
    await upload(zstd)

    const versions = (key: string) =>
      store.versions(key).map(({ body }) => (key.endsWith(".zst") ? decompressZstd(body) : body).toString())
    expect(Object.fromEntries(store.keys().map((key) => [key.slice(prefix.length + 1), versions(key)]))).toEqual({
      "same.jsonl": ["same\n"],
      "grows.jsonl": ["1\n", "1\n2\n3\n"],
      "grows.jsonl.zst": ["1\n2\n"],
      "grows.g2.jsonl.zst": ["another\n"],
      "replaced.jsonl": ["old\n"],
      "replaced.g2.jsonl.zst": ["new\n"],
      "replaced.g2.jsonl": ["new\nnewer\n"]
    })
  })

  it("never gives two files the same key", async () => {
    const store = await startStore()
    const files = { "a.jsonl": "a\n", "a.jsonl.zst": "no frame", "b.jsonl.zst": "no frame either" }
    const input = tree(files)
    // one file at a time, so that files reserve keys in a fixed order
    const state = ["--include=**", "--concurrency=1", "--state-dir", emptyDirectory()]
    await run(s3(input, store.endpoint, zstd, ...state))
    writeFileSync(join(input, "b.jsonl"), "b\n")
    await run(s3(input, store.endpoint, zstd, ...state))
    expect(store.keys()).toEqual(
      ["a.jsonl.g2.zst", "a.jsonl.zst", "b.g2.jsonl.zst", "b.jsonl.zst"].map((name) => `${prefix}/${name}`)
    )
    expect(decompressZstd(store.object(`${prefix}/a.jsonl.zst`)?.body).toString()).toBe("a\n")
    expect(store.object(`${prefix}/a.jsonl.g2.zst`)?.body.toString()).toBe("no frame")
    expect(decompressZstd(store.object(`${prefix}/b.g2.jsonl.zst`)?.body).toString()).toBe("b\n")
    for (const key of store.keys()) expect(store.versions(key), key).toHaveLength(1)
  })

  it.each([
    ["PutObject", 10_000],
    ["UploadPart", 12 * MiB]
  ] as const)("retries with the same bytes: %s", async (operation, bytes) => {
    const store = await startStore()
    const failed = new Set<string>()
    store.fault = (request) => {
      if (request.operation !== operation || failed.has(request.path)) return undefined
      failed.add(request.path)
      return { kind: "answer", status: 503, code: "SlowDown" }
    }
    const content = lines(bytes)
    const result = await run(s3(tree({ [final]: content }), store.endpoint, zstd, "--part-size=5MiB"))
    expect(result.code, result.stdout).toBe(0)
    const attemptsByPath = Map.groupBy(
      store.requests.filter((request) => request.operation === operation),
      ({ path }) => path
    )
    expect(attemptsByPath.size).toBe(failed.size)
    for (const attempts of attemptsByPath.values()) {
      expect(attempts).toHaveLength(2)
      expect(new Set(attempts.map(({ headers }) => headers["x-amz-checksum-sha256"])).size).toBe(1)
    }
    expect(decompressZstd(store.object(`${prefix}/${final}.zst`)?.body).equals(content)).toBe(true)
  })

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "stores the whole object in the next run after %s in the middle of an upload",
    async (signal) => {
      const store = await startStore()
      store.fault = ({ operation }) => (operation === "UploadPart" ? { kind: "delay", ms: 20_000 } : undefined)
      const content = lines(40 * MiB)
      const flags = [zstd, "--part-size=5MiB", "--output=json", "--state-dir", emptyDirectory()]
      const args = s3(tree({ [final]: content }), store.endpoint, ...flags)
      const { child, finished } = start(args)
      await until(() => store.requests.some(({ operation }) => operation === "UploadPart"))
      child.kill(signal)
      const signalledAt = Date.now()
      const result = await finished
      expect(Date.now() - signalledAt).toBeLessThan(5000)
      expect(result.code).toBe(signal === "SIGTERM" ? 143 : null)
      if (signal === "SIGTERM") {
        expect(report(result)).toMatchObject({
          openMultipartUploads: [],
          totals: { interrupted: 1, uploaded: 0, objectBytes: 0 }
        })
        expect(store.openUploads()).toEqual([])
      }
      expect(store.keys()).toEqual([])
      store.fault = undefined
      expect((await run(args)).code).toBe(0)
      expect(decompressZstd(store.object(`${prefix}/${final}.zst`)?.body).equals(content)).toBe(true)
    }
  )

  it("reports an upload that it is not allowed to abort", async () => {
    const store = await startStore()
    store.fault = ({ operation }) => (operation === "UploadPart" ? { kind: "delay", ms: 20_000 } : undefined)
    const env = { AWS_ACCESS_KEY_ID: writerNoAbort.accessKeyId, AWS_SECRET_ACCESS_KEY: writerNoAbort.secretAccessKey }
    const { child, finished } = start(s3(tree({ [final]: lines(40 * MiB) }), store.endpoint, zstd, "--output=json"), {
      env
    })
    await until(() => store.requests.some(({ operation }) => operation === "UploadPart"))
    child.kill("SIGTERM")
    const [open] = report(await finished).openMultipartUploads
    expect(open).toMatchObject(store.openUploads()[0] ?? {})
  })
})

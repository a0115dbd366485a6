/** Objects that are smaller than their files, as they arrive. */
import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { appendFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as zlib from "node:zlib"
import { describe, expect, it } from "vitest"
import { writerNoAbort } from "../fakes/StrictS3.ts"
import { emptyDirectory, snapshotName, tree } from "../fixtures/Tree.ts"
import { report, run, s3, start, summary, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2

const prefix = "ibsr/host/snapshots"
const live = snapshotName(0)
const final = snapshotName(3)

/** Lines that become about half as long. */
const lines = (bytes: number) =>
  Buffer.from(
    Array.from({ length: Math.ceil(bytes / 1000) }, () => `{"digest":"${randomBytes(490).toString("hex")}"}\n`).join("")
  )

const formats = [
  { format: "zstd", ending: ".zst", type: "application/zstd", plain: zlib.zstdDecompressSync },
  { format: "gzip", ending: ".gz", type: "application/gzip", plain: zlib.gunzipSync }
] as const

const zst = (body: Buffer | undefined) => zlib.zstdDecompressSync(body!)
const zstd = "--compress=zstd"

describe.each(formats)("--compress $format", ({ ending, format, plain, type }) => {
  it("stores whole lines under a key that says it, in one request and in parts, and only once", async () => {
    const store = await startStore()
    const small = '{"a":1}\n{"a":2}\n'
    const large = lines(30 * MiB)
    const input = tree({ [live]: `${small}{"a"`, [`2026/${final}`]: large, "empty.jsonl": "" })
    const flags = ["--part-size=5MiB", `--compress=${format}`, "--output=json", "--state-dir", emptyDirectory()]
    const result = await run(s3(input, store.endpoint, ...flags))
    expect(result.code, result.stdout).toBe(0)

    const [parts, whole, nothing] = [`2026/${final}`, live, "empty.jsonl"].map((name) =>
      store.object(`${prefix}/${name}${ending}`)!
    )
    expect(store.keys()).toHaveLength(3)
    expect(plain(whole!.body).toString()).toBe(small)
    expect(plain(parts!.body).equals(large)).toBe(true)
    expect(plain(nothing!.body)).toHaveLength(0)
    expect([whole!.parts, parts!.parts]).toEqual([1, Math.ceil(parts!.size / (5 * MiB))])
    for (const [object, state] of [
      [whole!, "live"],
      [parts!, "final"]
    ] as const) {
      expect(object.contentType).toBe(type)
      expect(object.metadata).toEqual({ "ibsr-state": state })
      expect(object.headers["content-encoding"]).toBeUndefined()
    }
    const { uploadedBytes, objectBytes } = report(result).totals
    expect(uploadedBytes).toBe(large.length + small.length)
    expect(objectBytes).toBe(whole!.size + parts!.size + nothing!.size)

    const { length } = store.requests
    expect(report(await run(s3(input, store.endpoint, ...flags))).totals).toMatchObject({ uploaded: 0, unchanged: 3 })
    expect(store.requests).toHaveLength(length)
  })

  it.skipIf(spawnSync(format, ["--version"]).status !== 0)(`is read by ${format} itself`, async () => {
    const store = await startStore()
    const content = lines(2 * MiB)
    await run(s3(tree({ [final]: content }), store.endpoint, `--compress=${format}`))
    const { body } = store.object(`${prefix}/${final}${ending}`)!
    const { status, stdout } = spawnSync(format, ["-dc"], { input: body, maxBuffer: 4 * MiB })
    expect(status).toBe(0)
    expect(stdout.equals(content)).toBe(true)
  })
})

describe("--compress", () => {
  it("needs one request for a file of many parts that turns out to be small", async () => {
    const store = await startStore()
    const content = Buffer.alloc(40 * MiB, '{"a":1}\n')
    const result = await run(s3(tree({ [final]: content }), store.endpoint, zstd))
    expect(summary(result)).toMatch(/^uploaded 1 \(41\.9 MB, compressed to \d+\.\d kB\), skipped 0, failed 0 in /)
    expect(store.requests.map(({ operation }) => operation)).toEqual(["PutObject"])
    expect(zst(store.object(`${prefix}/${final}.zst`)?.body).equals(content)).toBe(true)
  })

  it("leaves alone what is compressed already", async () => {
    const store = await startStore()
    const packets = zlib.gzipSync("packets")
    await run(s3(tree({ "a.pcap.gz": packets, "b.csv": "1,2\n" }), store.endpoint, zstd, "--include=**"))
    expect(store.keys()).toEqual([`${prefix}/a.pcap.gz`, `${prefix}/b.csv.zst`])
    expect(store.object(`${prefix}/a.pcap.gz`)?.body.equals(packets)).toBe(true)
  })

  it("shows in a dry run what keys there would be", async () => {
    const input = tree({ "a.jsonl": "{}\n" })
    const result = await run(s3(input, "http://127.0.0.1:1", "--compress=gzip", "--dry-run"))
    expect(result.stdout).toContain(`a.jsonl -> s3://snapshots/${prefix}/a.jsonl.gz (3 B before gzip, 1 request)`)
  })

  it.each([
    [
      "a format that it does not know",
      ["--compress=brotli"],
      "--compress: expected one of none, zstd, gzip, got 'brotli'"
    ],
    ["memory without room for it", [zstd, "--memory=24MiB"], "--compress zstd takes 5MiB of --memory"]
  ])("is refused for %s", async (_, flags, problem) => {
    const result = await run(s3(emptyDirectory(), "http://127.0.0.1:1", ...flags))
    expect(result.code).toBe(60)
    expect(result.stderr).toContain(problem)
  })

  it("sends a file again that has grown, and each of its objects is made of whole lines", async () => {
    const store = await startStore()
    const input = emptyDirectory()
    const state = ["--state-dir", emptyDirectory()]
    for (let at = 0; at < 4; at++) {
      appendFileSync(join(input, live), `{"line":${at}}\n{"half`)
      expect((await run(s3(input, store.endpoint, zstd, ...state))).code).toBe(0)
      appendFileSync(join(input, live), `":${at}}\n`)
    }
    const versions = store.versions(`${prefix}/${live}.zst`).map(({ body }) => zst(body).toString())
    expect(versions).toHaveLength(4)
    for (const [at, text] of versions.entries()) {
      expect(text.endsWith(`{"line":${at}}\n`)).toBe(true)
      expect(text.startsWith(versions[at - 1] ?? "")).toBe(true)
    }
  })

  it("applies to what is new when it is turned on, and off again, and overwrites nothing with less", async () => {
    const store = await startStore()
    const input = tree({ "same.jsonl": "same\n", "grows.jsonl": "1\n", "replaced.jsonl": "old\n" })
    const state = ["--state-dir", emptyDirectory()]
    const go = async (...flags: ReadonlyArray<string>) => {
      const result = await run(s3(input, store.endpoint, ...flags, ...state))
      expect(result.code, result.stdout).toBe(0)
    }
    await go()
    appendFileSync(join(input, "grows.jsonl"), "2\n")
    writeFileSync(join(input, "replaced.jsonl"), "new\n")
    await go(zstd)
    appendFileSync(join(input, "grows.jsonl"), "3\n")
    appendFileSync(join(input, "replaced.jsonl"), "newer\n")
    await go()
    writeFileSync(join(input, "grows.jsonl"), "another\n")
    await go(zstd)

    const text = (name: string) =>
      store.versions(`${prefix}/${name}`).map(({ body }) => (name.endsWith(".zst") ? zst(body) : body).toString())
    expect(
      Object.fromEntries(store.keys().map((key) => [key.slice(prefix.length + 1), text(key.slice(prefix.length + 1))]))
    ).toEqual({
      "same.jsonl": ["same\n"],
      "grows.jsonl": ["1\n", "1\n2\n3\n"],
      "grows.jsonl.zst": ["1\n2\n"],
      "grows.g2.jsonl.zst": ["another\n"],
      "replaced.jsonl": ["old\n"],
      "replaced.g2.jsonl.zst": ["new\n"],
      "replaced.g2.jsonl": ["new\nnewer\n"]
    })
  })

  it("gives no file the key that another's compressed object has", async () => {
    const store = await startStore()
    const files = { "a.jsonl": "a\n", "a.jsonl.zst": "no frame", "b.jsonl.zst": "no frame either" }
    const input = tree(files)
    // in turn, or it is a matter of chance which of two is first
    const state = ["--include=**", "--concurrency=1", "--state-dir", emptyDirectory()]
    await run(s3(input, store.endpoint, zstd, ...state))
    writeFileSync(join(input, "b.jsonl"), "b\n")
    await run(s3(input, store.endpoint, zstd, ...state))
    expect(store.keys()).toEqual(
      ["a.jsonl.g2.zst", "a.jsonl.zst", "b.g2.jsonl.zst", "b.jsonl.zst"].map((name) => `${prefix}/${name}`)
    )
    expect(zst(store.object(`${prefix}/a.jsonl.zst`)?.body).toString()).toBe("a\n")
    expect(store.object(`${prefix}/a.jsonl.g2.zst`)?.body.toString()).toBe("no frame")
    expect(zst(store.object(`${prefix}/b.g2.jsonl.zst`)?.body).toString()).toBe("b\n")
    for (const key of store.keys()) expect(store.versions(key), key).toHaveLength(1)
  })

  it.each([
    ["PutObject", 10_000],
    ["UploadPart", 12 * MiB]
  ] as const)("sends the same bytes again after a failure: %s", async (operation, bytes) => {
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
    const sums = Map.groupBy(
      store.requests.filter((request) => request.operation === operation),
      ({ path }) => path
    )
    expect(sums.size).toBe(failed.size)
    for (const tries of sums.values()) {
      expect(tries).toHaveLength(2)
      expect(new Set(tries.map(({ headers }) => headers["x-amz-checksum-sha256"])).size).toBe(1)
    }
    expect(zst(store.object(`${prefix}/${final}.zst`)?.body).equals(content)).toBe(true)
  })

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "loses nothing by %s in the middle, and the next run stores all of it",
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
      expect(zst(store.object(`${prefix}/${final}.zst`)?.body).equals(content)).toBe(true)
    }
  )

  it("names an upload that it may not abort", async () => {
    const store = await startStore()
    store.fault = ({ operation }) => (operation === "UploadPart" ? { kind: "delay", ms: 20_000 } : undefined)
    const login = { AWS_ACCESS_KEY_ID: writerNoAbort.accessKeyId, AWS_SECRET_ACCESS_KEY: writerNoAbort.secretAccessKey }
    const { child, finished } = start(s3(tree({ [final]: lines(40 * MiB) }), store.endpoint, zstd, "--output=json"), {
      env: login
    })
    await until(() => store.requests.some(({ operation }) => operation === "UploadPart"))
    child.kill("SIGTERM")
    const [left] = report(await finished).openMultipartUploads
    expect(left).toMatchObject(store.openUploads()[0] ?? {})
  })
})

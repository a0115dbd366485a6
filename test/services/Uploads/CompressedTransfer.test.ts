/** Runs with `--compress` against a store in memory. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { appendFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as zlib from "node:zlib"
import * as ConcurrencyLimit from "../../../src/domain/ConcurrencyLimit.ts"
import { IntegrityFailure, StoreUnavailable } from "../../../src/domain/Errors.ts"
import * as MemoryStore from "../../../scripts/simulate/MemoryStore.ts"
import { exportOnce } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory, tree } from "../../fixtures/Tree.ts"

const MiB = 1024 ** 2

/** Lines that compress to about half: 12 MiB of them take two parts of 5 MiB. */
const lines = (bytes: number) =>
  Array.from({ length: Math.ceil(bytes / 1000) }, () => `${randomBytes(500).toString("hex")}\n`).join("")

const setUp = (content: string, maxRetries = 3) => {
  const input = tree({ "a.jsonl": content })
  const settings = settingsWith({
    input,
    stateDir: emptyDirectory(),
    compress: "zstd",
    partSizeBytes: 5 * MiB,
    concurrency: ConcurrencyLimit.upTo(4),
    maxRetries
  })
  return { path: join(input, "a.jsonl"), run: (store: MemoryStore.MemoryStore) => exportOnce(settings, store.layer) }
}

/** The contents that were stored under a key, oldest first. */
const contents = (store: MemoryStore.MemoryStore, key: string) =>
  (store.versions.get(key) ?? []).map((object) => zlib.zstdDecompressSync(object).toString())

const operations = ({ requests }: MemoryStore.MemoryStore) => requests.map((request) => request.split(" ")[0])

describe("a compressed upload", () => {
  it.live("retries a single part", () => {
    const content = lines(12 * MiB)
    let failed = false
    const store = MemoryStore.make({
      before: (operation) => {
        if (operation !== "UploadPart" || failed) return Effect.void
        failed = true
        return Effect.fail(new StoreUnavailable({ operation, detail: "SlowDown", retryable: true }))
      }
    })
    return Effect.gen(function* () {
      const { totals } = yield* setUp(content).run(store)
      expect(totals).toMatchObject({ uploaded: 1, uploadedBytes: content.length, retries: 1 })
      expect(totals.objectBytes).toBe(store.versions.get("p/a.jsonl.zst")?.[0]?.length)
      expect(operations(store).filter((operation) => operation !== "UploadPart")).toEqual([
        "CreateMultipartUpload",
        "CompleteMultipartUpload"
      ])
      expect(contents(store, "p/a.jsonl.zst")).toEqual([content])
    })
  })

  it.live("is repeated once if the store assembled a different object", () => {
    const content = lines(12 * MiB)
    const operation = "CompleteMultipartUpload"
    let wrong = true
    const store = MemoryStore.make({
      after: () => {
        if (!wrong) return Effect.void
        wrong = false
        return Effect.fail(new IntegrityFailure({ operation, detail: "another checksum", retryable: true }))
      }
    })
    return Effect.gen(function* () {
      const { totals } = yield* setUp(content, 0).run(store)
      expect(totals).toMatchObject({ uploaded: 1, failed: 0 })
      // the parts of the second upload only
      expect(totals.objectBytes).toBe(store.versions.get("p/a.jsonl.zst")?.[1]?.length)
      expect(contents(store, "p/a.jsonl.zst")).toEqual([content, content])
    })
  })

  it.live("reads a file again if it was truncated during the upload", () => {
    const { path, run } = setUp(lines(30 * MiB))
    const store = MemoryStore.make({
      before: (operation) =>
        Effect.sync(() => {
          if (operation !== "CreateMultipartUpload") return
          writeFileSync(path, "what is left\n")
          truncateSync(path, 13)
        })
    })
    return Effect.gen(function* () {
      const report = yield* run(store)
      expect(report.totals).toMatchObject({ uploaded: 1, uploadedBytes: 13, failed: 0 })
      expect(contents(store, "p/a.jsonl.zst")).toEqual(["what is left\n"])
      expect(store.open.size).toBe(0)
    })
  })

  it.live("goes to a new key if the file differs from its previous content near the end", () => {
    const content = lines(30 * MiB)
    const { path, run } = setUp(content)
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      yield* run(store)
      const changed = `${content.slice(0, -2)}x\n`
      writeFileSync(path, changed)
      appendFileSync(path, "more\n")
      const report = yield* run(store)
      expect(report.replacedFiles).toEqual([{ file: "a.jsonl", key: "p/a.g2.jsonl.zst" }])
      expect(contents(store, "p/a.jsonl.zst")).toEqual([content])
      expect(contents(store, "p/a.g2.jsonl.zst")).toEqual([`${changed}more\n`])
      // the upload under the first key was aborted
      expect(store.requests.filter((request) => request.startsWith("AbortMultipartUpload"))).toEqual([
        "AbortMultipartUpload p/a.jsonl.zst"
      ])
      expect(store.open.size).toBe(0)
    })
  })

  it.live("is not repeated for a touched file, because the ledger has the digest of the uncompressed content", () => {
    const { path, run } = setUp("1\n2\n")
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      yield* run(store)
      writeFileSync(path, "1\n2\n")
      const { totals } = yield* run(store)
      expect(totals).toMatchObject({ uploaded: 0, objectBytes: 0, unchanged: 1 })
      expect(operations(store)).toEqual(["PutObject"])
    })
  })
})

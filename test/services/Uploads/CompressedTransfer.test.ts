/** Runs whose objects are compressed, against a store in memory. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { appendFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as zlib from "node:zlib"
import * as ConcurrencyLimit from "../../../src/domain/ConcurrencyLimit.ts"
import { IntegrityFailure, StoreUnavailable } from "../../../src/domain/Errors.ts"
import * as MemoryStore from "../../fakes/MemoryStore.ts"
import { exportOnce } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory, tree } from "../../fixtures/Tree.ts"

const MiB = 1024 ** 2

/** Lines that become about half as long: 12 MiB of them take two parts of 5 MiB. */
const lines = (bytes: number) =>
  Array.from({ length: Math.ceil(bytes / 1000) }, () => `${randomBytes(500).toString("hex")}\n`).join("")

const begin = (content: string, maxRetries = 3) => {
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

/** What was stored under a key, oldest first. */
const plain = (store: MemoryStore.MemoryStore, key: string) =>
  (store.versions.get(key) ?? []).map((object) => zlib.zstdDecompressSync(object).toString())

const operations = ({ requests }: MemoryStore.MemoryStore) => requests.map((request) => request.split(" ")[0])

describe("an upload of a compressed object", () => {
  it.live("retries a part by itself", () => {
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
      const { totals } = yield* begin(content).run(store)
      expect(totals).toMatchObject({ uploaded: 1, uploadedBytes: content.length, retries: 1 })
      expect(totals.objectBytes).toBe(store.versions.get("p/a.jsonl.zst")?.[0]?.length)
      expect(operations(store).filter((operation) => operation !== "UploadPart")).toEqual([
        "CreateMultipartUpload",
        "CompleteMultipartUpload"
      ])
      expect(plain(store, "p/a.jsonl.zst")).toEqual([content])
    })
  })

  it.live("is made anew, once, if the store has made something else of the parts", () => {
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
      const { totals } = yield* begin(content, 0).run(store)
      expect(totals).toMatchObject({ uploaded: 1, failed: 0 })
      // that of the second only
      expect(totals.objectBytes).toBe(store.versions.get("p/a.jsonl.zst")?.[1]?.length)
      expect(plain(store, "p/a.jsonl.zst")).toEqual([content, content])
    })
  })

  it.live("looks anew at a file that shrank meanwhile", () => {
    const { path, run } = begin(lines(30 * MiB))
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
      expect(plain(store, "p/a.jsonl.zst")).toEqual(["what is left\n"])
      expect(store.open.size).toBe(0)
    })
  })

  it.live("goes to a key of its own if the file does not begin with what it should, late as that shows", () => {
    const content = lines(30 * MiB)
    const { path, run } = begin(content)
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      yield* run(store)
      const changed = `${content.slice(0, -2)}x\n`
      writeFileSync(path, changed)
      appendFileSync(path, "more\n")
      const report = yield* run(store)
      expect(report.replacedFiles).toEqual([{ file: "a.jsonl", key: "p/a.g2.jsonl.zst" }])
      expect(plain(store, "p/a.jsonl.zst")).toEqual([content])
      expect(plain(store, "p/a.g2.jsonl.zst")).toEqual([`${changed}more\n`])
      // it was begun under the first key, and given up
      expect(store.requests.filter((request) => request.startsWith("AbortMultipartUpload"))).toEqual([
        "AbortMultipartUpload p/a.jsonl.zst"
      ])
      expect(store.open.size).toBe(0)
    })
  })

  it.live("is not sent again for a file that was touched, because the ledger knows the file's own bytes", () => {
    const { path, run } = begin("1\n2\n")
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

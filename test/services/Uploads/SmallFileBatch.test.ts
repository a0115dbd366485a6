import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option } from "effect"
import { appendFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as ConcurrencyLimit from "../../../src/domain/ConcurrencyLimit.ts"
import { AccessDenied, type StoreError, StoreUnavailable } from "../../../src/domain/Errors.ts"
import type { Settings } from "../../../src/domain/Settings.ts"
import { Stop } from "../../../src/services/Stop.ts"
import * as MemoryStore from "../../../scripts/simulate/MemoryStore.ts"
import { exportTo } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory, tree } from "../../fixtures/Tree.ts"

/** A batch has eight files. */
const concurrency = ConcurrencyLimit.upTo(64)

const names = Array.from({ length: 40 }, (_, at) => `snapshot_20260101${String(at).padStart(2, "0")}.jsonl`)
const forty = () => tree(Object.fromEntries(names.map((name) => [name, `${name}\n`])))

const settingsFor = (input: string, changed: Partial<Settings> = {}) =>
  settingsWith({ input, stateDir: emptyDirectory(), concurrency, ...changed })

const answer = (code: string, retryable = false) => ({ operation: "PutObject", detail: code, code, retryable })
const failing = (failure: (key: string, attempt: number) => StoreError | undefined) => {
  const attempts = new Map<string, number>()
  return MemoryStore.make({
    before: (_, key) => {
      const attempt = (attempts.get(key) ?? 0) + 1
      attempts.set(key, attempt)
      const error = failure(key, attempt)
      return error === undefined ? Effect.void : Effect.fail(error)
    }
  })
}

const run = (settings: Settings, store: MemoryStore.MemoryStore) =>
  Effect.provide(exportTo(settings, store.layer), Stop.layer)

/** The ledger's counts of uploads without an answer and of stored files. */
const inLedger = ({ stateDir }: Settings) => {
  const db = new DatabaseSync(join(stateDir, "ledger.db"))
  try {
    const count = (what: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${what}`).get()?.["n"])
    return { open: count("attempts"), stored: count("files WHERE size IS NOT NULL") }
  } finally {
    db.close()
  }
}

describe("a batch of new small files", () => {
  it.live("is stored, and the next run sends nothing", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const settings = settingsFor(forty())
      const report = yield* run(settings, store)
      expect(report.totals).toMatchObject({ uploaded: 40, uploadedBytes: 40 * 26, objectBytes: 40 * 26, failed: 0 })
      for (const name of names) expect(String(store.versions.get(`p/${name}`)?.at(-1))).toBe(`${name}\n`)
      expect(inLedger(settings)).toEqual({ open: 0, stored: 40 })
      expect((yield* run(settings, store)).totals).toMatchObject({ uploaded: 0, unchanged: 40 })
      expect(store.requests).toHaveLength(40)
    })
  })

  it.live("is announced to the ledger before its requests are sent", () => {
    let announced = Infinity
    const settings = settingsFor(forty())
    const store = MemoryStore.make({
      before: () =>
        Effect.sync(() => {
          announced = Math.min(announced, inLedger(settings).open)
        })
    })
    return Effect.gen(function* () {
      yield* run(settings, store)
      expect(announced).toBeGreaterThanOrEqual(1)
    })
  })

  it.live("may be mixed with grown, empty and large files, and with torn files", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const input = forty()
      const settings = settingsFor(input)
      for (const name of names.slice(20)) rmSync(join(input, name))
      yield* run(settings, store)
      for (const name of names.slice(20)) writeFileSync(join(input, name), "new\n")
      appendFileSync(join(input, names[0]!), "more\n")
      writeFileSync(join(input, "status.jsonl"), "whole\nhalf")
      writeFileSync(join(input, "empty.jsonl"), "")
      writeFileSync(join(input, "large.jsonl"), Buffer.alloc(100_000, "x\n"))
      const report = yield* run(settings, store)
      expect(report.totals).toMatchObject({ uploaded: 23, unchanged: 19, notReady: 1, failed: 0 })
      expect(String(store.versions.get("p/status.jsonl"))).toBe("whole\n")
      expect(String(store.versions.get(`p/${names[0]}`)?.at(-1))).toBe(`${names[0]}\nmore\n`)
      expect(store.versions.get("p/large.jsonl")?.at(-1)).toHaveLength(100_000)
    })
  })

  it.live("is retried up to --max-retries times after transient failures", () => {
    const slowDown = new StoreUnavailable(answer("SlowDown", true))
    const store = failing((key, attempt) => (key.endsWith("7.jsonl") && attempt < 3 ? slowDown : undefined))
    return Effect.gen(function* () {
      const settings = settingsFor(forty(), { maxRetries: 2 })
      const report = yield* run(settings, store)
      expect(report.totals).toMatchObject({ uploaded: 40, failed: 0, retries: 8 })
      expect(store.requests).toHaveLength(48)
      expect(inLedger(settings)).toEqual({ open: 0, stored: 40 })
    })
  })

  it.live("fails file by file, and withdraws the announcement of a refused file", () => {
    const denied = new AccessDenied({ ...answer("AccessDenied"), status: 403 })
    const lost = new StoreUnavailable(answer("InternalError"))
    const store = failing((key) => (key.includes("05") ? denied : key.includes("06") ? lost : undefined))
    return Effect.gen(function* () {
      const settings = settingsFor(forty())
      const report = yield* run(settings, store)
      expect(report.totals).toMatchObject({ uploaded: 38, failed: 2 })
      expect(report.failures.map(({ class: name, key }) => [key, name])).toEqual([
        [`p/${names[5]}`, "access-denied"],
        [`p/${names[6]}`, "unavailable"]
      ])
      // the second file may have been stored
      expect(inLedger(settings)).toEqual({ open: 1, stored: 38 })
    })
  })

  it.live("fails only for the file in which a defect occurred", () => {
    const store = MemoryStore.make({ before: (_, key) => (key.includes("05") ? Effect.die("a defect") : Effect.void) })
    return Effect.gen(function* () {
      const report = yield* run(settingsFor(forty()), store)
      expect(report.totals).toMatchObject({ uploaded: 39, failed: 1 })
      expect(report.failures).toMatchObject([{ class: "internal", file: names[5] }])
    })
  })

  it.live("records the files that the store acknowledged before an interruption", () => {
    const eight = tree(Object.fromEntries(names.slice(0, 8).map((name) => [name, `${name}\n`])))
    const settings = settingsFor(eight, { grace: Duration.zero })
    const store = MemoryStore.make({ before: (_, key) => (key.includes("05") ? Effect.never : Effect.void) })
    return Effect.gen(function* () {
      const stop = yield* Stop
      const fiber = yield* Effect.fork(exportTo(settings, store.layer))
      while (store.versions.size < 7) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      expect((yield* Fiber.join(fiber)).totals).toMatchObject({ uploaded: 7, interrupted: 1 })
      expect(inLedger(settings)).toEqual({ open: 1, stored: 7 })
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("reports files that are still queued as not tried after a stop", () => {
    const settings = settingsFor(forty(), { concurrency: { ...concurrency, initial: 2 }, grace: Duration.zero })
    const store = MemoryStore.make({ before: () => Effect.never })
    return Effect.gen(function* () {
      const stop = yield* Stop
      const fiber = yield* Effect.fork(exportTo(settings, store.layer))
      // not earlier, because an interruption would then hit files that are still being read
      while (store.requests.length < 2 || inLedger(settings).open < 40)
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      const { totals } = yield* Fiber.join(fiber)
      expect(totals).toMatchObject({ uploaded: 0, interrupted: 2, notTried: 38 })
      expect(store.requests).toHaveLength(2)
      expect(Option.isSome(yield* stop.reason)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  })
})

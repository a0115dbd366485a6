import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, TestClock } from "effect"
import { join } from "node:path"
import {
  AccessDenied,
  BucketUnusable,
  CredentialsMissing,
  NetworkFailure,
  type StoreError,
  StoreUnavailable
} from "../../src/domain/Errors.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import { ObjectStore } from "../../src/services/ObjectStore.ts"
import { Stop } from "../../src/services/Stop.ts"
import * as MemoryStore from "../../scripts/simulate/MemoryStore.ts"
import { exportTo } from "../fixtures/Export.ts"
import { settingsWith } from "../fixtures/Settings.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"

const settingsFor = (input: string, changed: Partial<Settings> = {}) =>
  settingsWith({ input, stateDir: emptyDirectory(), ...changed })

const refusing = (refuse: (key: string) => StoreError | undefined) =>
  MemoryStore.make({
    before: (_, key) => {
      const error = refuse(key)
      return error === undefined ? Effect.void : Effect.fail(error)
    }
  })
const answer = (code: string) => ({ operation: "PutObject", detail: code, code, retryable: false })

const noTraits = Effect.succeed(undefined)

const fiveFiles = () => tree(Object.fromEntries([1, 2, 3, 4, 5].map((at) => [`${at}.jsonl`, `${at}\n`])))

describe("a run", () => {
  it.live("uploads the selected files and counts the others", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const input = tree({ "a.jsonl": "1\n", "d/b.jsonl": "22\n", "c.txt": "" })
      const report = yield* exportTo(settingsFor(input), store.layer)
      expect(report.totals).toMatchObject({ selected: 2, uploaded: 2, uploadedBytes: 5, excluded: 1, failed: 0 })
      expect(report).toMatchObject({ complete: true, result: { exitCode: 0 }, run: { id: "run-1" } })
      expect([...store.versions.keys()]).toEqual(["p/a.jsonl", "p/d/b.jsonl"])
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("ends after a failure that every file would hit, and counts the files not tried", () => {
    const store = refusing(() => new BucketUnusable(answer("NoSuchBucket")))
    return Effect.gen(function* () {
      const report = yield* exportTo(settingsFor(fiveFiles()), store.layer)
      expect(report.totals).toMatchObject({ selected: 5, failed: 1, notTried: 4 })
      expect(report.result).toMatchObject({ exitCode: 23, endedBy: { class: "bucket", code: "NoSuchBucket" } })
      expect(store.requests).toHaveLength(1)
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("continues after a denied key, but ends after three denied keys if nothing was stored", () =>
    Effect.gen(function* () {
      const denied = new AccessDenied(answer("AccessDenied"))
      const oneDenied = refusing((key) => (key === "p/1.jsonl" ? denied : undefined))
      const first = yield* Effect.provide(exportTo(settingsFor(fiveFiles()), oneDenied.layer), Stop.layer)
      expect(first.totals).toMatchObject({ uploaded: 4, failed: 1 })
      expect(first.result.exitCode).toBe(22)
      const allDenied = refusing(() => denied)
      const second = yield* Effect.provide(exportTo(settingsFor(fiveFiles()), allDenied.layer), Stop.layer)
      expect(second.totals).toMatchObject({ uploaded: 0, failed: 3, notTried: 2 })
    })
  )

  it.live("starts no upload without credentials", () => {
    const missing = Layer.mock(ObjectStore, {
      traits: noTraits,
      ready: () => Effect.fail(new CredentialsMissing({ detail: "none" }))
    })
    return Effect.gen(function* () {
      const report = yield* exportTo(settingsFor(fiveFiles()), missing)
      expect(report.result).toMatchObject({ exitCode: 20, endedBy: { class: "credentials-missing" } })
      expect(report).toMatchObject({ complete: true, totals: { selected: 5, notTried: 5 } })
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("retries a credential source that is down, and gives up on a source that hangs", () => {
    let calls = 0
    const unavailable = new StoreUnavailable({ operation: "credentials", detail: "503", retryable: true })
    const ready = () => Effect.suspend(() => (calls++ === 0 ? Effect.fail(unavailable) : Effect.void))
    const put = () => Effect.succeed({ etag: "e", versionId: undefined })
    const settings = settingsFor(tree({ "a.jsonl": "1\n" }), {
      maxRetries: 1,
      timeout: Duration.millis(200),
      force: true
    })
    return Effect.gen(function* () {
      const first = yield* Effect.provide(
        exportTo(settings, Layer.mock(ObjectStore, { ready, traits: noTraits, put })),
        Stop.layer
      )
      expect(first.result.exitCode).toBe(0)
      expect(calls).toBe(2)
      const hanging = Layer.mock(ObjectStore, { traits: noTraits, ready: () => Effect.never })
      const second = yield* Effect.provide(exportTo(settings, hanging), Stop.layer)
      expect(second.result).toMatchObject({
        exitCode: 30,
        endedBy: { message: expect.stringContaining("credentials") }
      })
    })
  })

  it.live("ends gracefully if a stop is requested while the store is loading", () =>
    Effect.gen(function* () {
      const settings = settingsFor(fiveFiles(), { deadline: Duration.millis(50) })
      const loading = ObjectStore.layerLazy(Effect.never)
      const report = yield* Effect.provide(exportTo(settings, loading), Stop.layer)
      expect(report).toMatchObject({ result: { exitCode: 33 }, store: null, totals: { notTried: 5 } })
    })
  )

  it.live("ends after three denials by a proxy", () => {
    const denied = { operation: "PutObject", detail: "a page", status: 403, retryable: false }
    const store = refusing(() => new NetworkFailure(denied))
    return Effect.gen(function* () {
      const report = yield* exportTo(settingsFor(fiveFiles()), store.layer)
      expect(report).toMatchObject({ result: { exitCode: 30 }, totals: { failed: 3, notTried: 2 } })
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("fails for a missing input, and with --fail-if-empty for an empty input", () =>
    Effect.gen(function* () {
      const code = (settings: Settings) =>
        exportTo(settings, MemoryStore.make().layer).pipe(
          Effect.provide(Stop.layer),
          Effect.map((report) => report.result.exitCode)
        )
      expect(yield* code(settingsFor(join(emptyDirectory(), "missing")))).toBe(52)
      expect(yield* code(settingsFor(emptyDirectory()))).toBe(0)
      expect(yield* code(settingsFor(emptyDirectory(), { failIfEmpty: true }))).toBe(42)
      expect(yield* code(settingsFor(fiveFiles(), { failIfEmpty: true }))).toBe(0)
    })
  )

  it.effect("ends at the deadline without waiting for requests in flight", () => {
    const store = MemoryStore.make({ before: () => Effect.never })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        exportTo(settingsFor(fiveFiles(), { deadline: Duration.seconds(5) }), store.layer)
      )
      for (let at = 0; at < 50; at++) {
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))
        yield* TestClock.adjust("100 millis")
      }
      const report = yield* Fiber.join(fiber)
      expect(report.totals).toMatchObject({ interrupted: 1, notTried: 4 })
      expect(report.result).toMatchObject({ exitCode: 33, endedBy: { class: "deadline" } })
      expect(report.complete).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("fails for a name that cannot be a key, and uploads the other files", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const input = tree({ "a.jsonl": "1\n", "b\uFFFD.jsonl": "2\n" })
      const report = yield* exportTo(settingsFor(input), store.layer)
      expect(report.result.exitCode).toBe(41)
      expect(report.failures).toMatchObject([{ file: "b\uFFFD.jsonl", key: null, class: "source-unreadable" }])
      expect(store.requests).toEqual(["PutObject p/a.jsonl"])
    }).pipe(Effect.provide(Stop.layer))
  })
})

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
import * as MemoryStore from "../fakes/MemoryStore.ts"
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

const learned = Effect.succeed(undefined)

const five = () => tree(Object.fromEntries([1, 2, 3, 4, 5].map((at) => [`${at}.jsonl`, `${at}\n`])))

describe("a run", () => {
  it.live("uploads what is selected and counts the rest", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const input = tree({ "a.jsonl": "1\n", "d/b.jsonl": "22\n", "c.txt": "" })
      const report = yield* exportTo(settingsFor(input), store.layer)
      expect(report.totals).toMatchObject({ selected: 2, uploaded: 2, uploadedBytes: 5, excluded: 1, failed: 0 })
      expect(report).toMatchObject({ complete: true, result: { exitCode: 0 }, run: { id: "run-1" } })
      expect([...store.versions.keys()]).toEqual(["p/a.jsonl", "p/d/b.jsonl"])
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("ends with what every file would meet, and counts those not tried", () => {
    const store = refusing(() => new BucketUnusable(answer("NoSuchBucket")))
    return Effect.gen(function* () {
      const report = yield* exportTo(settingsFor(five()), store.layer)
      expect(report.totals).toMatchObject({ selected: 5, failed: 1, notTried: 4 })
      expect(report.result).toMatchObject({ exitCode: 23, endedBy: { class: "bucket", code: "NoSuchBucket" } })
      expect(store.requests).toHaveLength(1)
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("goes on after a key that is denied, and after the third ends if nothing was stored", () =>
    Effect.gen(function* () {
      const denied = new AccessDenied(answer("AccessDenied"))
      const one = refusing((key) => (key === "p/1.jsonl" ? denied : undefined))
      const first = yield* Effect.provide(exportTo(settingsFor(five()), one.layer), Stop.layer)
      expect(first.totals).toMatchObject({ uploaded: 4, failed: 1 })
      expect(first.result.exitCode).toBe(22)
      const all = refusing(() => denied)
      const second = yield* Effect.provide(exportTo(settingsFor(five()), all.layer), Stop.layer)
      expect(second.totals).toMatchObject({ uploaded: 0, failed: 3, notTried: 2 })
    })
  )

  it.live("begins no upload without credentials", () => {
    const missing = Layer.mock(ObjectStore, {
      traits: learned,
      ready: () => Effect.fail(new CredentialsMissing({ detail: "none" }))
    })
    return Effect.gen(function* () {
      const report = yield* exportTo(settingsFor(five()), missing)
      expect(report.result).toMatchObject({ exitCode: 20, endedBy: { class: "credentials-missing" } })
      expect(report).toMatchObject({ complete: true, totals: { selected: 5, notTried: 5 } })
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("asks again for credentials that are late, and does not wait for a source that hangs", () => {
    let asked = 0
    const late = new StoreUnavailable({ operation: "credentials", detail: "503", retryable: true })
    const ready = () => Effect.suspend(() => (asked++ === 0 ? Effect.fail(late) : Effect.void))
    const put = () => Effect.succeed({ etag: "e", versionId: undefined })
    const settings = settingsFor(tree({ "a.jsonl": "1\n" }), {
      maxRetries: 1,
      timeout: Duration.millis(200),
      force: true
    })
    return Effect.gen(function* () {
      const first = yield* Effect.provide(
        exportTo(settings, Layer.mock(ObjectStore, { ready, traits: learned, put })),
        Stop.layer
      )
      expect(first.result.exitCode).toBe(0)
      expect(asked).toBe(2)
      const hanging = Layer.mock(ObjectStore, { traits: learned, ready: () => Effect.never })
      const second = yield* Effect.provide(exportTo(settings, hanging), Stop.layer)
      expect(second.result).toMatchObject({
        exitCode: 30,
        endedBy: { message: expect.stringContaining("credentials") }
      })
    })
  })

  it.live("ends in good order also while the store is still being loaded", () =>
    Effect.gen(function* () {
      const settings = settingsFor(five(), { deadline: Duration.millis(50) })
      const loading = ObjectStore.layerLazy(Effect.never)
      const report = yield* Effect.provide(exportTo(settings, loading), Stop.layer)
      expect(report).toMatchObject({ result: { exitCode: 33 }, store: null, totals: { notTried: 5 } })
    })
  )

  it.live("is not taken past a proxy that denies the way", () => {
    const denied = { operation: "PutObject", detail: "a page", status: 403, retryable: false }
    const store = refusing(() => new NetworkFailure(denied))
    return Effect.gen(function* () {
      const report = yield* exportTo(settingsFor(five()), store.layer)
      expect(report).toMatchObject({ result: { exitCode: 30 }, totals: { failed: 3, notTried: 2 } })
    }).pipe(Effect.provide(Stop.layer))
  })

  it.live("tells an input that is missing, and one that is empty if asked to", () =>
    Effect.gen(function* () {
      const code = (settings: Settings) =>
        exportTo(settings, MemoryStore.make().layer).pipe(
          Effect.provide(Stop.layer),
          Effect.map((report) => report.result.exitCode)
        )
      expect(yield* code(settingsFor(join(emptyDirectory(), "missing")))).toBe(52)
      expect(yield* code(settingsFor(emptyDirectory()))).toBe(0)
      expect(yield* code(settingsFor(emptyDirectory(), { failIfEmpty: true }))).toBe(42)
      expect(yield* code(settingsFor(five(), { failIfEmpty: true }))).toBe(0)
    })
  )

  it.effect("ends at the deadline, and does not wait for what is in flight", () => {
    const store = MemoryStore.make({ before: () => Effect.never })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(exportTo(settingsFor(five(), { deadline: Duration.seconds(5) }), store.layer))
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

  it.live("sends nothing for a name that cannot be a key, and the rest all the same", () => {
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

/** Multipart uploads that a run could not finish, and how the next run resumes or aborts them. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, TestClock } from "effect"
import { hash } from "node:crypto"
import { appendFileSync, openSync, readFileSync, rmSync, utimesSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import * as ConcurrencyLimit from "../../../src/domain/ConcurrencyLimit.ts"
import { AccessDenied, NetworkFailure, type StoreError } from "../../../src/domain/Errors.ts"
import type { Settings } from "../../../src/domain/Settings.ts"
import { type NewPart, ObjectStore } from "../../../src/services/ObjectStore.ts"
import { Stop } from "../../../src/services/Stop.ts"
import * as MemoryStore from "../../../scripts/simulate/MemoryStore.ts"
import { exportOnce, exportTo } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"

const MiB = 1024 ** 2
const part = 5 * MiB
const key = "p/big.jsonl"

/** Makes lines so that no two parts are the same. */
const lines = (bytes: number) => {
  const all = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += MiB) all.fill(`${String(at).padStart(15, "0")}\n`, at, Math.min(bytes, at + MiB))
  return all
}

const unplugged = new NetworkFailure({ operation: "UploadPart", detail: "no answer", retryable: true })

/** A host with one large file, and a store whose requests may fail. */
const setUp = (content: Buffer, store: MemoryStore.MemoryOptions = {}) => {
  const input = emptyDirectory()
  const path = join(input, "big.jsonl")
  writeFileSync(path, content)
  /** Sets the modification time so that the file counts as final or live. */
  const touch = (state: "final" | "live" = "final") => {
    const at = Date.now() / 1000 - (state === "final" ? 864_000 : 0)
    utimesSync(path, at, at)
  }
  touch()
  let failureOf: (operation: string, nth: number) => StoreError | undefined = () => undefined
  let attempts: Record<string, number> = {}
  const memory = MemoryStore.make({
    before: (operation) =>
      Effect.suspend(() => {
        const error = failureOf(operation, (attempts[operation] = (attempts[operation] ?? 0) + 1))
        return error === undefined ? Effect.void : Effect.fail(error)
      }),
    ...store
  })
  const settings = settingsWith({
    input,
    stateDir: emptyDirectory(),
    partSizeBytes: part,
    memoryBytes: 2 * part,
    concurrency: ConcurrencyLimit.upTo(2)
  })
  /** Runs once, and counts the requests by operation. */
  const run = (changed: Partial<Settings> = {}, failing: typeof failureOf = () => undefined) =>
    Effect.gen(function* () {
      failureOf = failing
      attempts = {}
      const before = memory.requests.length
      const report = yield* exportOnce({ ...settings, ...changed }, memory.layer)
      const requests: Record<string, number> = {}
      for (const request of memory.requests.slice(before)) {
        const [operation = ""] = request.split(" ")
        requests[operation] = (requests[operation] ?? 0) + 1
      }
      return { report, requests }
    })
  return {
    ...memory,
    path,
    run,
    settings,
    touch,
    stored: () => memory.versions.get(key)?.at(-1)
  }
}

const afterParts = (count: number) => (operation: string, nth: number) =>
  operation === "UploadPart" && nth > count ? unplugged : undefined

describe("an interrupted multipart upload", () => {
  it.live("is resumed by the next run, which sends only the missing parts and reports the resumption", () => {
    const content = lines(9 * part + 1000)
    const { open, run, stored } = setUp(content)
    return Effect.gen(function* () {
      const first = yield* run({}, afterParts(6))
      expect(first.report.result.exitCode).toBe(30)
      expect(first.report.keptUploads).toMatchObject([{ key, storedBytes: 6 * part, sizeBytes: content.length }])
      expect(first.report.openMultipartUploads).toEqual([])
      expect(open.size).toBe(1)
      const second = yield* run()
      expect(second.requests).toEqual({ UploadPart: 4, CompleteMultipartUpload: 1 })
      expect(second.report).toMatchObject({
        keptUploads: [],
        result: { exitCode: 0 },
        totals: { uploaded: 1, uploadedBytes: content.length, resumed: 1, resumedBytes: 6 * part }
      })
      expect(stored()?.equals(content)).toBe(true)
      expect(open.size).toBe(0)
      expect((yield* run()).requests).toEqual({})
    })
  })

  it.live("is completed by the next run without sending a part if only the completion failed", () => {
    const content = lines(2 * part)
    const { run, stored } = setUp(content)
    return Effect.gen(function* () {
      yield* run({}, (operation) => (operation === "CompleteMultipartUpload" ? unplugged : undefined))
      expect((yield* run()).requests).toEqual({ CompleteMultipartUpload: 1 })
      expect(stored()?.equals(content)).toBe(true)
    })
  })

  it.live("is resumed with its full parts for a live file that has grown", () => {
    const { path, run, touch, stored } = setUp(lines(3 * part + 1600))
    return Effect.gen(function* () {
      touch("live")
      yield* run({}, (operation) => (operation === "CompleteMultipartUpload" ? unplugged : undefined))
      appendFileSync(path, lines(4 * part + 320).subarray(3 * part + 1600))
      touch("live")
      const second = yield* run()
      expect(second.requests).toEqual({ UploadPart: 2, CompleteMultipartUpload: 1 })
      expect(second.report.totals).toMatchObject({ resumed: 1, resumedBytes: 3 * part })
      expect(stored()?.equals(readFileSync(path))).toBe(true)
    })
  })

  it.live.each<[why: string, change: (host: ReturnType<typeof setUp>) => void, changed: Partial<Settings>]>([
    ["whose file has become final", () => {}, {}],
    ["whose file's bytes have changed", ({ path, touch }) => (overwrite(path, 2 * part + 7), touch("live")), {}],
    ["whose file is shorter", ({ path, touch }) => (writeFileSync(path, lines(3 * part + 160)), touch("live")), {}],
    ["with parts of another size", ({ touch }) => touch("live"), { partSizeBytes: part + 1 }],
    ["with other attributes", ({ touch }) => touch("live"), { tags: { a: "b" } }]
  ])("is aborted and started over in the same run if it is an upload %s", ([, change, changed]) => {
    const host = setUp(lines(4 * part))
    return Effect.gen(function* () {
      host.touch("live")
      yield* host.run({}, afterParts(3))
      host.touch("final")
      change(host)
      const second = yield* host.run(changed)
      expect(second.requests).toMatchObject({
        AbortMultipartUpload: 1,
        CreateMultipartUpload: 1,
        CompleteMultipartUpload: 1
      })
      expect(second.report.totals).toMatchObject({ uploaded: 1, resumed: 0, resumedBytes: 0 })
      expect(second.report.openMultipartUploads).toEqual([])
      expect(host.stored()?.equals(readFileSync(host.path))).toBe(true)
      expect(host.open.size).toBe(0)
    })
  })

  it.live.each([
    ["before a part", afterParts(3), 1 + 4],
    ["before its completion", (operation: string) => (operation.startsWith("Complete") ? unplugged : undefined), 4]
  ] as const)("is started over in the same run if the store has forgotten the upload: %s", ([, failing, sent]) => {
    const content = lines(4 * part)
    const { open, run, stored } = setUp(content)
    return Effect.gen(function* () {
      yield* run({}, failing)
      open.clear()
      const second = yield* run()
      expect(second.report.result.exitCode).toBe(0)
      expect(second.requests).toMatchObject({ CreateMultipartUpload: 1, UploadPart: sent })
      expect(second.requests).not.toHaveProperty("AbortMultipartUpload")
      expect(stored()?.equals(content)).toBe(true)
    })
  })

  it.live("is started over only once in a run", () => {
    const { open, run } = setUp(lines(2 * part))
    return Effect.gen(function* () {
      yield* run({}, afterParts(1))
      open.clear()
      const second = yield* run({}, (operation) => {
        if (operation === "UploadPart") open.clear()
        return undefined
      })
      expect(second.report.result.exitCode).toBe(10)
      expect(second.requests["CreateMultipartUpload"]).toBe(1)
    })
  })

  it.live("is aborted when its file is gone, and is reported once if the abort is denied", () =>
    Effect.gen(function* () {
      for (const mayAbort of [true, false]) {
        const host = setUp(lines(2 * part), { mayAbort })
        yield* host.run({}, afterParts(1))
        rmSync(host.path)
        const second = yield* host.run()
        expect(second.requests).toEqual({ AbortMultipartUpload: 1 })
        expect(second.report.openMultipartUploads.map((left) => left.key)).toEqual(mayAbort ? [] : [key])
        expect((yield* host.run()).requests).toEqual({})
      }
    })
  )

  it.live("is aborted when another request has stored its file", () => {
    const host = setUp(lines(2 * part))
    return Effect.gen(function* () {
      yield* host.run({}, afterParts(1))
      writeFileSync(host.path, "1\n")
      host.touch()
      expect((yield* host.run()).requests).toEqual({ PutObject: 1, AbortMultipartUpload: 1 })
      expect(host.open.size).toBe(0)
    })
  })

  it.effect("is aborted after seven days without progress", () => {
    const host = setUp(lines(2 * part))
    return Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      yield* host.run({}, afterParts(1))
      const excluded = { exclude: ["big.jsonl"] }
      yield* TestClock.adjust(Duration.days(7))
      expect((yield* host.run(excluded)).requests).toEqual({})
      yield* TestClock.adjust(Duration.millis(1))
      expect((yield* host.run(excluded)).requests).toEqual({ AbortMultipartUpload: 1 })
    })
  })

  it.live("is aborted after a permanent failure", () => {
    const host = setUp(lines(3 * part))
    const denied = new AccessDenied({ operation: "UploadPart", detail: "no", retryable: false })
    return Effect.gen(function* () {
      const first = yield* host.run({}, (operation, nth) =>
        operation === "UploadPart" && nth > 1 ? denied : undefined
      )
      expect(first.report).toMatchObject({ keptUploads: [], result: { exitCode: 22 } })
      expect(first.requests).toMatchObject({ AbortMultipartUpload: 1 })
      expect(host.open.size).toBe(0)
      expect((yield* host.run()).requests).toMatchObject({ CreateMultipartUpload: 1, UploadPart: 3 })
    })
  })
})

/** Changes one byte. */
const overwrite = (path: string, at: number) => writeSync(openSync(path, "r+"), Buffer.from("x"), 0, 1, at)

const latch = () => Deferred.unsafeMake<void>(Fiber.id(Fiber.void))

describe("a signal", () => {
  it.effect("lets parts in flight finish, starts no further parts, and keeps the upload", () => {
    const answers = latch()
    const twoInFlight = latch()
    const content = lines(6 * part)
    let inFlight = 0
    let hold = true
    const host = setUp(content, {
      before: (operation) =>
        Effect.suspend(() => {
          if (operation !== "UploadPart" || !hold) return Effect.void
          if (++inFlight === 2) Deferred.unsafeDone(twoInFlight, Effect.void)
          return Deferred.await(answers)
        })
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const stop = yield* Stop
      const running = yield* Effect.fork(exportTo(host.settings, host.layer))
      yield* Deferred.await(twoInFlight)
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      yield* Deferred.succeed(answers, undefined)
      const report = yield* Fiber.join(running)
      expect(report).toMatchObject({
        keptUploads: [{ key, storedBytes: 2 * part }],
        openMultipartUploads: [],
        totals: { interrupted: 1 }
      })
      expect(inFlight).toBe(2)
      hold = false
      const second = yield* host.run()
      expect(second.requests).toEqual({ UploadPart: 4, CompleteMultipartUpload: 1 })
      expect(host.stored()?.equals(content)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  })

  it.effect("keeps an upload even if no part is stored within --grace", () => {
    const content = lines(2 * part)
    let hang = true
    const twoInFlight = latch()
    let inFlight = 0
    const host = setUp(content, {
      before: (operation) =>
        Effect.suspend(() => {
          if (operation !== "UploadPart" || !hang) return Effect.void
          if (++inFlight === 2) Deferred.unsafeDone(twoInFlight, Effect.void)
          return Effect.never
        })
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const stop = yield* Stop
      const running = yield* Effect.fork(exportTo(host.settings, host.layer))
      yield* Deferred.await(twoInFlight)
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      yield* TestClock.adjust(host.settings.grace)
      expect(yield* Fiber.join(running)).toMatchObject({
        keptUploads: [{ key, storedBytes: 0 }],
        totals: { interrupted: 1 }
      })
      hang = false
      expect((yield* host.run()).requests).toEqual({ UploadPart: 2, CompleteMultipartUpload: 1 })
      expect(host.stored()?.equals(content)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  })
})

describe("the buffer of a part", () => {
  it.live("is not reused while a failed attempt may still read it", () => {
    const content = lines(12 * part)
    const { layer, settings, stored } = setUp(content)
    const failed: Array<{ readonly body: Uint8Array; readonly sha256: string }> = []
    const slow = Layer.effect(
      ObjectStore,
      Effect.map(ObjectStore, (store) => ({
        ...store,
        uploadPart: (request: NewPart) => {
          if (request.number !== 2 || failed.length > 0) return store.uploadPart(request)
          failed.push({ body: request.body, sha256: request.sha256! })
          return Effect.fail(new NetworkFailure({ operation: "UploadPart", detail: "no progress", retryable: true }))
        }
      }))
    ).pipe(Layer.provide(layer))
    return Effect.gen(function* () {
      const changed = { ...settings, maxRetries: 1 }
      expect((yield* exportOnce(changed, slow)).totals).toMatchObject({ uploaded: 1, retries: 1 })
      expect(stored()?.equals(content)).toBe(true)
      const [{ body, sha256 } = { body: Buffer.alloc(0), sha256: "" }] = failed
      expect(hash("sha256", body)).toBe(sha256)
    })
  })
})

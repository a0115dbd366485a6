/** Uploads in parts that a run could not finish, and what the next one makes of them. */
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
import * as MemoryStore from "../../fakes/MemoryStore.ts"
import { exportOnce, exportTo } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"

const MiB = 1024 ** 2
const part = 5 * MiB
const key = "p/big.jsonl"

/** So many bytes of lines, of which no two parts are the same. */
const lines = (bytes: number) => {
  const all = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += MiB) all.fill(`${String(at).padStart(15, "0")}\n`, at, Math.min(bytes, at + MiB))
  return all
}

const unplugged = new NetworkFailure({ operation: "UploadPart", detail: "no answer", retryable: true })

/** A host with one large file, and a store on which part of an upload may fail. */
const host = (content: Buffer, store: MemoryStore.MemoryOptions = {}) => {
  const input = emptyDirectory()
  const path = join(input, "big.jsonl")
  writeFileSync(path, content)
  /** What is in the file is final, or live. */
  const settle = (state: "final" | "live" = "final") => {
    const at = Date.now() / 1000 - (state === "final" ? 864_000 : 0)
    utimesSync(path, at, at)
  }
  settle()
  let fails: (operation: string, nth: number) => StoreError | undefined = () => undefined
  let seen: Record<string, number> = {}
  const memory = MemoryStore.make({
    before: (operation) =>
      Effect.suspend(() => {
        const error = fails(operation, (seen[operation] = (seen[operation] ?? 0) + 1))
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
  /** A run, and the requests of it by operation. */
  const run = (changed: Partial<Settings> = {}, failing: typeof fails = () => undefined) =>
    Effect.gen(function* () {
      fails = failing
      seen = {}
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
    settle,
    stored: () => memory.versions.get(key)?.at(-1)
  }
}

const afterParts = (count: number) => (operation: string, nth: number) =>
  operation === "UploadPart" && nth > count ? unplugged : undefined

describe("an upload that was cut off", () => {
  it.live("is gone on with by the next run, which sends only what is missing, and says so", () => {
    const content = lines(9 * part + 1000)
    const { open, run, stored } = host(content)
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

  it.live("lacks only its completion, where that is what failed", () => {
    const content = lines(2 * part)
    const { run, stored } = host(content)
    return Effect.gen(function* () {
      yield* run({}, (operation) => (operation === "CompleteMultipartUpload" ? unplugged : undefined))
      expect((yield* run()).requests).toEqual({ CompleteMultipartUpload: 1 })
      expect(stored()?.equals(content)).toBe(true)
    })
  })

  it.live("goes on for a live file that has grown: with its whole parts", () => {
    const { path, run, settle, stored } = host(lines(3 * part + 1600))
    return Effect.gen(function* () {
      settle("live")
      yield* run({}, (operation) => (operation === "CompleteMultipartUpload" ? unplugged : undefined))
      appendFileSync(path, lines(4 * part + 320).subarray(3 * part + 1600))
      settle("live")
      const second = yield* run()
      expect(second.requests).toEqual({ UploadPart: 2, CompleteMultipartUpload: 1 })
      expect(second.report.totals).toMatchObject({ resumed: 1, resumedBytes: 3 * part })
      expect(stored()?.equals(readFileSync(path))).toBe(true)
    })
  })

  it.live.each<[why: string, change: (at: ReturnType<typeof host>) => void, changed: Partial<Settings>]>([
    ["whose file has become final", () => {}, {}],
    ["of which bytes are others", ({ path, settle }) => (overwrite(path, 2 * part + 7), settle("live")), {}],
    ["whose file is shorter", ({ path, settle }) => (writeFileSync(path, lines(3 * part + 160)), settle("live")), {}],
    ["with parts of another size", ({ settle }) => settle("live"), { partSizeBytes: part + 1 }],
    ["with other attributes", ({ settle }) => settle("live"), { tags: { a: "b" } }]
  ])("is aborted, and begun anew in the same run: one %s", ([, change, changed]) => {
    const at = host(lines(4 * part))
    return Effect.gen(function* () {
      at.settle("live")
      yield* at.run({}, afterParts(3))
      at.settle("final")
      change(at)
      const second = yield* at.run(changed)
      expect(second.requests).toMatchObject({
        AbortMultipartUpload: 1,
        CreateMultipartUpload: 1,
        CompleteMultipartUpload: 1
      })
      expect(second.report.totals).toMatchObject({ uploaded: 1, resumed: 0, resumedBytes: 0 })
      expect(second.report.openMultipartUploads).toEqual([])
      expect(at.stored()?.equals(readFileSync(at.path))).toBe(true)
      expect(at.open.size).toBe(0)
    })
  })

  it.live.each([
    ["before a part", afterParts(3), 1 + 4],
    ["before its completion", (operation: string) => (operation.startsWith("Complete") ? unplugged : undefined), 4]
  ] as const)("is begun anew in the same run, if the store does not know it any more: %s", ([, failing, sent]) => {
    const content = lines(4 * part)
    const { open, run, stored } = host(content)
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

  it.live("is begun anew once in a run, and no more", () => {
    const { open, run } = host(lines(2 * part))
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

  it.live("is aborted when its file is gone; where that is not permitted, it is told, once", () =>
    Effect.gen(function* () {
      for (const mayAbort of [true, false]) {
        const at = host(lines(2 * part), { mayAbort })
        yield* at.run({}, afterParts(1))
        rmSync(at.path)
        const second = yield* at.run()
        expect(second.requests).toEqual({ AbortMultipartUpload: 1 })
        expect(second.report.openMultipartUploads.map((left) => left.key)).toEqual(mayAbort ? [] : [key])
        expect((yield* at.run()).requests).toEqual({})
      }
    })
  )

  it.live("is aborted when its file was stored in another way", () => {
    const at = host(lines(2 * part))
    return Effect.gen(function* () {
      yield* at.run({}, afterParts(1))
      writeFileSync(at.path, "1\n")
      at.settle()
      expect((yield* at.run()).requests).toEqual({ PutObject: 1, AbortMultipartUpload: 1 })
      expect(at.open.size).toBe(0)
    })
  })

  it.effect("is aborted after seven days in which nobody went on with it", () => {
    const at = host(lines(2 * part))
    return Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      yield* at.run({}, afterParts(1))
      const elsewhere = { exclude: ["big.jsonl"] }
      yield* TestClock.adjust(Duration.days(7))
      expect((yield* at.run(elsewhere)).requests).toEqual({})
      yield* TestClock.adjust(Duration.millis(1))
      expect((yield* at.run(elsewhere)).requests).toEqual({ AbortMultipartUpload: 1 })
    })
  })

  it.live("is left alone at the end of a run that was ended, and aborted after a failure that will not pass", () => {
    const at = host(lines(3 * part))
    const denied = new AccessDenied({ operation: "UploadPart", detail: "no", retryable: false })
    return Effect.gen(function* () {
      const first = yield* at.run({}, (operation, nth) => (operation === "UploadPart" && nth > 1 ? denied : undefined))
      expect(first.report).toMatchObject({ keptUploads: [], result: { exitCode: 22 } })
      expect(first.requests).toMatchObject({ AbortMultipartUpload: 1 })
      expect(at.open.size).toBe(0)
      expect((yield* at.run()).requests).toMatchObject({ CreateMultipartUpload: 1, UploadPart: 3 })
    })
  })
})

/** Changes one byte. */
const overwrite = (path: string, at: number) => writeSync(openSync(path, "r+"), Buffer.from("x"), 0, 1, at)

const latch = () => Deferred.unsafeMake<void>(Fiber.id(Fiber.void))

describe("a signal", () => {
  it.effect("lets parts in flight arrive, begins none, and keeps the upload", () => {
    const answers = latch()
    const twoInFlight = latch()
    const content = lines(6 * part)
    let inFlight = 0
    let hold = true
    const at = host(content, {
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
      const running = yield* Effect.fork(exportTo(at.settings, at.layer))
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
      const second = yield* at.run()
      expect(second.requests).toEqual({ UploadPart: 4, CompleteMultipartUpload: 1 })
      expect(at.stored()?.equals(content)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  })

  it.effect("keeps also an upload of which no part has arrived within --grace", () => {
    const content = lines(2 * part)
    let hang = true
    const twoInFlight = latch()
    let inFlight = 0
    const at = host(content, {
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
      const running = yield* Effect.fork(exportTo(at.settings, at.layer))
      yield* Deferred.await(twoInFlight)
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      yield* TestClock.adjust(at.settings.grace)
      expect(yield* Fiber.join(running)).toMatchObject({
        keptUploads: [{ key, storedBytes: 0 }],
        totals: { interrupted: 1 }
      })
      hang = false
      expect((yield* at.run()).requests).toEqual({ UploadPart: 2, CompleteMultipartUpload: 1 })
      expect(at.stored()?.equals(content)).toBe(true)
    }).pipe(Effect.provide(Stop.layer))
  })
})

describe("the memory of a part", () => {
  it.live("is not used for another while an attempt that was cut off may still read it", () => {
    const content = lines(12 * part)
    const { layer, settings, stored } = host(content)
    const cutOff: Array<{ readonly body: Uint8Array; readonly sha256: string }> = []
    const slow = Layer.effect(
      ObjectStore,
      Effect.map(ObjectStore, (store) => ({
        ...store,
        uploadPart: (request: NewPart) => {
          if (request.number !== 2 || cutOff.length > 0) return store.uploadPart(request)
          cutOff.push({ body: request.body, sha256: request.sha256! })
          return Effect.never
        }
      }))
    ).pipe(Layer.provide(layer))
    return Effect.gen(function* () {
      const changed = { ...settings, timeout: Duration.millis(300), maxRetries: 1 }
      expect((yield* exportOnce(changed, slow)).totals).toMatchObject({ uploaded: 1, retries: 1 })
      expect(stored()?.equals(content)).toBe(true)
      const [{ body, sha256 } = { body: Buffer.alloc(0), sha256: "" }] = cutOff
      expect(hash("sha256", body)).toBe(sha256)
    })
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Clock, Context, Deferred, Duration, Effect, Either, Fiber, Layer, TestClock } from "effect"
import { randomBytes } from "node:crypto"
import { truncateSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Mode } from "../../src/domain/Compression.ts"
import * as ConcurrencyLimit from "../../src/domain/ConcurrencyLimit.ts"
import { AccessDenied, StoreUnavailable } from "../../src/domain/Errors.ts"
import * as ObjectKey from "../../src/domain/ObjectKey.ts"
import type { Outcome } from "../../src/domain/Outcome.ts"
import { KeyMapping } from "../../src/services/KeyMapping.ts"
import { Ledger, type OpenLedger } from "../../src/services/Ledger.ts"
import * as SqliteLedger from "../../src/services/Ledger/Sqlite.ts"
import { Reporter } from "../../src/services/Reporter.ts"
import { Stop } from "../../src/services/Stop.ts"
import { Stdio } from "../../src/services/Stdio.ts"
import { type Options, Uploads } from "../../src/services/Uploads.ts"
import * as MemoryStore from "../../scripts/simulate/MemoryStore.ts"
import { settingsWith } from "../fixtures/Settings.ts"
import { nullStdio } from "../fixtures/Stdio.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"

const MiB = 1024 ** 2

/**
 * With `force`, small files are not uploaded in batches, because these tests are about individual uploads. All trees of
 * these tests are below `input`.
 */
const options: Options = settingsWith({
  input: tmpdir(),
  concurrency: ConcurrencyLimit.upTo(4),
  maxRetries: 3,
  force: true
})

/** An open ledger; each test has its own. */
class Opened extends Context.Tag("Opened")<Opened, OpenLedger>() {}
const opened = Layer.scoped(
  Opened,
  Effect.flatMap(Ledger, (ledger) => ledger.open({ id: "run-1", startedAt: 0 }))
).pipe(
  Layer.provide(Layer.unwrapEffect(Effect.sync(() => SqliteLedger.layer(settingsWith({ stateDir: emptyDirectory() })))))
)
const prefix = Either.getOrThrow(ObjectKey.parsePrefix("p"))
const keys = (compress: Mode = "none") => KeyMapping.layer({ prefix, compress, manifest: false })

const layer = (store: MemoryStore.MemoryStore, changed: Partial<Options> = {}, compress?: Mode) =>
  Layer.merge(Uploads.layer({ ...options, ...changed }), opened).pipe(
    Layer.provide(keys(compress)),
    Layer.provideMerge(
      Layer.mergeAll(
        store.layer,
        Stop.layer,
        Layer.provide(Reporter.layer({ outputFormat: "text", quiet: true }), Layer.succeed(Stdio, nullStdio))
      )
    )
  )

/** The files have real modification times, so the test clock starts at the real time. */
const upload = (root: string, name: string) =>
  Effect.gen(function* () {
    if ((yield* Clock.currentTimeMillis) === 0) yield* TestClock.setTime(Date.now())
    const uploads = yield* Uploads
    const outcomes: Array<Outcome> = []
    yield* uploads.uploadAll(yield* Opened, [{ path: join(root, name), relativePath: name }], (reported) =>
      Effect.sync(() => void outcomes.push(...reported.map(({ outcome }) => outcome)))
    )
    expect(outcomes).toHaveLength(1)
    return outcomes[0]!
  })

/** Advances the test clock, with pauses in real time for the file system. */
const advance = (steps: number, step: Duration.DurationInput) =>
  Effect.forEach(
    Array.from({ length: steps }),
    () =>
      Effect.zipRight(
        Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5))),
        TestClock.adjust(step)
      ),
    { discard: true }
  )

const slowDown = new StoreUnavailable({ operation: "PutObject", detail: "SlowDown", retryable: true })

describe("Uploads", () => {
  it.effect("stores a small file with one request", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const outcome = yield* upload(tree({ "a.jsonl": "{}\n" }), "a.jsonl")
      expect(outcome).toMatchObject({ _tag: "Uploaded", sizeBytes: 3 })
      expect(store.requests).toEqual(["PutObject p/a.jsonl"])
    }).pipe(Effect.provide(layer(store)))
  })

  it.effect("stores a file that is larger than a digest block with one request", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const root = tree({ "a.jsonl": Buffer.alloc(9 * MiB, "\n") })
      expect(yield* upload(root, "a.jsonl")).toMatchObject({ _tag: "Uploaded", sizeBytes: 9 * MiB })
      expect(store.requests).toEqual(["PutObject p/a.jsonl"])
    }).pipe(Effect.provide(layer(store, { partSizeBytes: 20 * MiB })))
  })

  it.effect("retries after a transient failure with the same bytes, and counts the retries", () => {
    let failures = 2
    const store = MemoryStore.make({ before: () => (failures-- > 0 ? Effect.fail(slowDown) : Effect.void) })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(upload(tree({ "a.jsonl": "{}\n" }), "a.jsonl"))
      yield* advance(20, "1 second")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "Uploaded" })
      expect((yield* Reporter).tally.retries).toBe(2)
      expect(store.versions.get("p/a.jsonl")?.map(String)).toEqual(["{}\n"])
    }).pipe(Effect.provide(layer(store)))
  })

  it.effect("retries a single part, not the whole upload", () => {
    let failed = false
    const store = MemoryStore.make({
      before: (operation) => {
        if (operation !== "UploadPart" || failed) return Effect.void
        failed = true
        return Effect.fail(slowDown)
      }
    })
    return Effect.gen(function* () {
      const root = tree({ "a.jsonl": Buffer.alloc(20 * MiB, 1) })
      const fiber = yield* Effect.fork(upload(root, "a.jsonl"))
      yield* advance(100, "1 second")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "Uploaded" })
      expect((yield* Reporter).tally.retries).toBe(1)
      expect(store.requests.filter((request) => request.startsWith("UploadPart"))).toHaveLength(4)
      expect(store.requests.filter((request) => request.startsWith("Create"))).toHaveLength(1)
    }).pipe(Effect.provide(layer(store)))
  })

  it.effect("reads a truncated file again, and fails for a file that keeps shrinking", () => {
    let sizes: Array<number> = []
    let path = ""
    const store = MemoryStore.make({
      before: (operation) =>
        Effect.sync(() => {
          const size = operation === "CreateMultipartUpload" ? sizes.shift() : undefined
          if (size !== undefined) truncateSync(path, size)
        })
    })
    return Effect.gen(function* () {
      const root = tree({ "a.jsonl": Buffer.alloc(20 * MiB, "\n"), "b.jsonl": Buffer.alloc(40 * MiB, "\n") })
      path = join(root, "a.jsonl")
      sizes = [10]
      expect(yield* upload(root, "a.jsonl")).toMatchObject({ _tag: "Uploaded", sizeBytes: 10 })
      path = join(root, "b.jsonl")
      sizes = [38 * MiB, 36 * MiB, 34 * MiB]
      expect(yield* upload(root, "b.jsonl")).toMatchObject({ _tag: "Failed", error: { _tag: "SourceUnreadable" } })
      expect(store.open.size).toBe(0)
      expect(store.versions.has("p/b.jsonl")).toBe(false)
    }).pipe(Effect.provide(layer(store)))
  })

  it.effect("applies --timeout to each attempt", () => {
    const store = MemoryStore.make({ before: () => Effect.never })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(upload(tree({ "a.jsonl": "" }), "a.jsonl"))
      yield* advance(60, "10 seconds")
      const outcome = yield* Fiber.join(fiber)
      expect(outcome).toMatchObject({ _tag: "Failed", error: { _tag: "NetworkFailure" } })
      expect((yield* Reporter).tally.retries).toBe(3)
      expect(store.requests).toHaveLength(4)
    }).pipe(Effect.provide(layer(store)))
  })

  it.effect("keeps at most --concurrency requests in flight, counting files and parts together", () => {
    let now = 0
    let most = 0
    const store = MemoryStore.make({
      before: () =>
        Effect.gen(function* () {
          most = Math.max(most, ++now)
          yield* Effect.sleep("1 second")
          now--
        })
    })
    return Effect.gen(function* () {
      const root = tree({ "big.jsonl": Buffer.alloc(30 * MiB, 1), "a.jsonl": "a", "b.jsonl": "b", "c.jsonl": "c" })
      const all = ["big.jsonl", "a.jsonl", "b.jsonl", "c.jsonl"]
      const fiber = yield* Effect.fork(Effect.forEach(all, (name) => upload(root, name), { concurrency: "unbounded" }))
      yield* advance(100, "1 second")
      expect((yield* Fiber.join(fiber)).map(({ _tag }) => _tag)).toEqual(all.map(() => "Uploaded"))
      expect(most).toBe(2)
    }).pipe(Effect.provide(layer(store, { concurrency: ConcurrencyLimit.upTo(2) })))
  })

  it.effect("keeps at most --memory bytes of bodies in memory", () => {
    let now = 0
    let most = 0
    const store = MemoryStore.make({
      before: () =>
        Effect.gen(function* () {
          most = Math.max(most, ++now)
          yield* Effect.sleep("1 second")
          now--
        })
    })
    const names = Array.from({ length: 12 }, (_, at) => `${at}.jsonl`)
    return Effect.gen(function* () {
      const root = tree(Object.fromEntries(names.map((name) => [name, Buffer.alloc(5 * MiB)])))
      const fiber = yield* Effect.fork(
        Effect.forEach(names, (name) => upload(root, name), { concurrency: "unbounded" })
      )
      yield* advance(60, "1 second")
      yield* Fiber.join(fiber)
      // memory has room for three files of 5 MiB
      expect(most).toBe(3)
    }).pipe(
      Effect.provide(
        layer(store, { concurrency: ConcurrencyLimit.upTo(32), memoryBytes: 15 * MiB, partSizeBytes: 5 * MiB })
      )
    )
  })

  it.effect("keeps compressed bodies and compressors within --memory", () => {
    let now = 0
    let most = 0
    const store = MemoryStore.make({
      before: () =>
        Effect.gen(function* () {
          most = Math.max(most, ++now)
          yield* Effect.sleep("1 second")
          now--
        })
    })
    const names = Array.from({ length: 12 }, (_, at) => `${at}.jsonl`)
    const limits = { memoryBytes: 24 * MiB, partSizeBytes: 5 * MiB }
    return Effect.gen(function* () {
      const root = tree(Object.fromEntries(names.map((name) => [name, Buffer.alloc(MiB, "line\n")])))
      const fiber = yield* Effect.fork(
        Effect.forEach(names, (name) => upload(root, name), { concurrency: "unbounded" })
      )
      yield* advance(60, "1 second")
      yield* Fiber.join(fiber)
      // each file takes 7 MiB: the compressor, and its largest possible output twice
      expect(most).toBe(3)
    }).pipe(Effect.provide(layer(store, { concurrency: ConcurrencyLimit.upTo(32), ...limits }, "zstd")))
  })

  it.effect("starts no request after a stop, and lets the request in flight finish", () => {
    const answer = Deferred.unsafeMake<void>(Fiber.id(Fiber.void))
    const store = MemoryStore.make({ before: () => Deferred.await(answer) })
    return Effect.gen(function* () {
      const stop = yield* Stop
      const root = tree({ "a.jsonl": "a", "b.jsonl": "b" })
      const first = yield* Effect.fork(upload(root, "a.jsonl"))
      yield* advance(5, 0)
      const second = yield* Effect.fork(upload(root, "b.jsonl"))
      yield* advance(5, 0)
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      yield* Deferred.succeed(answer, undefined)
      expect((yield* Fiber.join(first))._tag).toBe("Uploaded")
      expect((yield* Fiber.join(second))._tag).toBe("Interrupted")
      expect(store.requests).toEqual(["PutObject p/a.jsonl"])
    }).pipe(Effect.provide(layer(store, { concurrency: ConcurrencyLimit.upTo(1) })))
  })

  it.effect("keeps the parts of all files together within --memory, and stores every file", () => {
    let now = 0
    let most = 0
    const store = MemoryStore.make({
      before: (operation) =>
        Effect.gen(function* () {
          if (operation !== "UploadPart") return
          most = Math.max(most, ++now)
          yield* Effect.sleep("1 second")
          now--
        })
    })
    const files = Object.fromEntries(
      Array.from({ length: 4 }, (_, at) => [`${at}.jsonl`, Buffer.alloc(17 * MiB + at, `${at}\n`)])
    )
    return Effect.gen(function* () {
      const root = tree(files)
      const fiber = yield* Effect.fork(
        Effect.forEach(Object.keys(files), (name) => upload(root, name), { concurrency: "unbounded" })
      )
      yield* advance(100, "1 second")
      expect((yield* Fiber.join(fiber)).map(({ _tag }) => _tag)).toEqual(Object.keys(files).map(() => "Uploaded"))
      // memory has room for three parts of 5 MiB
      expect(most).toBe(3)
      for (const [name, content] of Object.entries(files)) {
        expect(store.versions.get(`p/${name}`)?.at(-1)?.equals(content), name).toBe(true)
      }
    }).pipe(
      Effect.provide(
        layer(store, { concurrency: ConcurrencyLimit.upTo(32), memoryBytes: 16 * MiB, partSizeBytes: 5 * MiB })
      )
    )
  })

  it.effect("aborts a streamed upload at once when a stop is requested", () => {
    const store = MemoryStore.make({
      before: (operation) => (operation === "UploadPart" ? Effect.never : Effect.void)
    })
    return Effect.gen(function* () {
      const stop = yield* Stop
      const fiber = yield* Effect.fork(upload(tree({ "a.jsonl": randomBytes(20 * MiB) }), "a.jsonl"))
      yield* advance(100, 0)
      expect(store.open.size).toBe(1)
      yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
      expect((yield* Fiber.join(fiber))._tag).toBe("Interrupted")
      expect(store.open.size).toBe(0)
    }).pipe(Effect.provide(layer(store, {}, "zstd")))
  })

  it.effect("reports vanished, special and refused files differently", () => {
    const store = MemoryStore.make({
      before: () => Effect.fail(new AccessDenied({ operation: "PutObject", detail: "no", retryable: false }))
    })
    return Effect.gen(function* () {
      const root = tree({ "a.jsonl": "", "d/x": "" })
      expect((yield* upload(root, "gone.jsonl"))._tag).toBe("Vanished")
      expect(yield* upload(root, "d")).toMatchObject({ _tag: "Skipped", why: "special" })
      expect(yield* upload(root, "a.jsonl")).toMatchObject({ _tag: "Failed", error: { _tag: "AccessDenied" } })
    }).pipe(Effect.provide(layer(store)))
  })

  it.effect("reports a defect as a failure of one file", () => {
    const store = MemoryStore.make({ before: () => Effect.die(new Error("a bug")) })
    return Effect.gen(function* () {
      const outcome = yield* upload(tree({ "a.jsonl": "" }), "a.jsonl")
      expect(outcome).toMatchObject({ _tag: "Failed", error: { _tag: "InternalError", message: "Error: a bug" } })
    }).pipe(Effect.provide(layer(store)))
  })

  it.effect("plans a dry run without a store", () =>
    Effect.gen(function* () {
      const root = tree({ "a.jsonl": "{}\n", "big.jsonl": Buffer.alloc(17 * MiB) })
      expect(yield* upload(root, "a.jsonl")).toMatchObject({ _tag: "Planned", key: "p/a.jsonl", parts: 1 })
      expect(yield* upload(root, "big.jsonl")).toMatchObject({ _tag: "Planned", sizeBytes: 17 * MiB, parts: 3 })
    }).pipe(Effect.provide(Layer.merge(Layer.provide(Uploads.layerDryRun(options), keys()), opened)))
  )
})

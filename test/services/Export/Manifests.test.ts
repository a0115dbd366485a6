import { describe, expect, it } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Duration, Effect, JSONSchema } from "effect"
import { createHash } from "node:crypto"
import { appendFileSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as MemoryStore from "../../../scripts/simulate/MemoryStore.ts"
import { AccessDenied, NetworkFailure } from "../../../src/domain/Errors.ts"
import type { Settings } from "../../../src/domain/Settings.ts"
import * as Manifest from "../../../src/report/Manifest.ts"
import { exportOnce } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory, tree } from "../../fixtures/Tree.ts"

const schemaFile = new URL("../../../docs/manifest.schema.json", import.meta.url)
const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(schemaFile, "utf8")))

const directory = "ibsr-20261122-141500Z/"
const manifestKey = `p/${directory}upload-manifest.json`
const hour = "snapshot_2026112214.jsonl"
const line = (minute: number, run = "run-a") =>
  `{"version":5,"ts_unix_sec":${1_795_356_000 + 60 * minute},"interval_sec":60,"run_id":"${run}","buckets":[]}\n`
const lines = (count: number) => Array.from({ length: count }, (_, at) => line(at)).join("")
const sha256 = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex")

const latest = (store: MemoryStore.MemoryStore, key: string) => store.versions.get(key)?.at(-1)

/** The manifest in the bucket, which must match the published schema. */
const manifestIn = (store: MemoryStore.MemoryStore, key = manifestKey): Manifest.Manifest => {
  const manifest: unknown = JSON.parse(String(latest(store, key)))
  expect(validate(manifest), JSON.stringify(validate.errors)).toBe(true)
  return manifest as Manifest.Manifest
}

const job = (files: Readonly<Record<string, string | Uint8Array>>, changed: Partial<Settings> = {}) =>
  settingsWith({ input: tree(files), stateDir: emptyDirectory(), manifest: true, ...changed })

const isManifest = (key: string) => key.endsWith("upload-manifest.json")

describe("the manifest of a directory", () => {
  it("has the published schema", () => {
    const published: unknown = JSON.parse(readFileSync(schemaFile, "utf8"))
    expect(published).toEqual(JSONSchema.make(Manifest.Manifest, { target: "jsonSchema2020-12" }))
  })

  it.live("describes each object, sorted by key", () => {
    const store = MemoryStore.make()
    const [snapshot, status] = [lines(60), lines(3)]
    return Effect.gen(function* () {
      const report = yield* exportOnce(
        job({
          [directory + hour]: snapshot,
          [`${directory}status.jsonl`]: status,
          "top.jsonl": "1\n",
          "x/y/a.jsonl": ""
        }),
        store.layer
      )
      expect(report.manifests).toEqual({ written: 3, waiting: 0, failures: [], file: null })
      const manifest = manifestIn(store)
      expect(manifest).toMatchObject({
        prefix: "p",
        directory,
        collectorRunId: "run-a",
        intervalSeconds: 60,
        pending: [],
        lost: [],
        endNotSeen: []
      })
      expect(manifest.files).toMatchObject([
        {
          key: `p/${directory}${hour}`,
          file: directory + hour,
          current: true,
          generation: 1,
          state: "final",
          appendOnly: true,
          bytes: snapshot.length,
          objectBytes: snapshot.length,
          sha256: sha256(snapshot),
          lines: 60,
          firstTsUnixSec: 1_795_356_000,
          lastTsUnixSec: 1_795_356_000 + 59 * 60
        },
        { key: `p/${directory}status.jsonl`, sha256: sha256(status), lines: 3 }
      ])
      expect(manifestIn(store, "p/upload-manifest.json").files).toMatchObject([
        { key: "p/top.jsonl", lines: 1, firstTsUnixSec: null }
      ])
      expect(manifestIn(store, "p/x/upload-manifest.json").files).toMatchObject([{ key: "p/x/y/a.jsonl", lines: 0 }])
      expect(store.requests.at(-1)).toContain("upload-manifest.json")
    })
  })

  it.live("costs one request per directory in which something changed", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const older = "ibsr-20261121-000000Z/"
      const settings = job({
        [directory + hour]: lines(2),
        [`${directory}status.jsonl`]: lines(2),
        [`${older}a.jsonl`]: "1\n"
      })
      yield* exportOnce(settings, store.layer)
      const first = store.requests.length
      expect(first).toBe(3 + 2)
      yield* exportOnce(settings, store.layer)
      expect(store.requests.length).toBe(first)
      for (const name of [hour, "status.jsonl"]) appendFileSync(join(settings.input, directory, name), line(2))
      yield* exportOnce(settings, store.layer)
      expect(store.requests.length).toBe(first + 3)
      expect(manifestIn(store).files.map((file) => [file.lines, file.sha256])).toEqual([
        [3, sha256(lines(3))],
        [3, sha256(lines(3))]
      ])
    })
  })

  it.live("describes the whole content of a resumed multipart upload", () => {
    let isBroken = true
    const store = MemoryStore.make({
      before: (operation) =>
        isBroken && operation === "CompleteMultipartUpload"
          ? Effect.fail(new NetworkFailure({ operation, detail: "reset", code: "ECONNRESET", retryable: true }))
          : Effect.void
    })
    const large = lines(250_000)
    return Effect.gen(function* () {
      const settings = job({ [directory + hour]: large })
      const failed = yield* exportOnce(settings, store.layer)
      expect(failed.result.exitCode).toBe(30)
      expect(manifestIn(store)).toMatchObject({ files: [], pending: [{ file: directory + hour }] })
      isBroken = false
      const resumed = yield* exportOnce(settings, store.layer)
      expect(resumed.totals.resumed).toBe(1)
      expect(manifestIn(store)).toMatchObject({
        files: [
          { bytes: large.length, sha256: sha256(large), lines: 250_000, lastTsUnixSec: 1_795_356_000 + 60 * 249_999 }
        ],
        pending: []
      })
    })
  })

  it.live.each(["zstd", "gzip"] as const)("describes the content before %s, and the size of the object", (compress) => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      yield* exportOnce(job({ [directory + hour]: lines(60) }, { compress }), store.layer)
      const { files } = manifestIn(store)
      expect(files).toMatchObject([{ bytes: lines(60).length, sha256: sha256(lines(60)), lines: 60 }])
      expect(files[0]!.objectBytes).toBe(latest(store, files[0]!.key)!.length)
    })
  })

  it.live("describes all generations of a file", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const settings = job({ [`${directory}status.jsonl`]: lines(3) })
      yield* exportOnce(settings, store.layer)
      writeFileSync(join(settings.input, directory, "status.jsonl"), line(9))
      yield* exportOnce(settings, store.layer)
      expect(manifestIn(store).files).toMatchObject([
        { key: `p/${directory}status.g2.jsonl`, generation: 2, current: true, lines: 1, sha256: sha256(line(9)) },
        { key: `p/${directory}status.jsonl`, generation: 1, current: false, lines: 3, sha256: sha256(lines(3)) }
      ])
    })
  })

  it.live("lists pending files and lost files", () => {
    const denied = new AccessDenied({
      operation: "PutObject",
      detail: "no",
      code: "AccessDenied",
      status: 403,
      retryable: false
    })
    const store = MemoryStore.make({
      before: (_, key) => (key.endsWith("b.jsonl") ? Effect.fail(denied) : Effect.void)
    })
    return Effect.gen(function* () {
      const settings = job({ [`${directory}a.jsonl`]: "1\n", [`${directory}b.jsonl`]: "2\n" })
      yield* exportOnce(settings, store.layer)
      expect(manifestIn(store)).toMatchObject({ pending: [{ file: `${directory}b.jsonl` }], lost: [] })
      rmSync(join(settings.input, directory, "b.jsonl"))
      yield* exportOnce(settings, store.layer)
      expect(manifestIn(store)).toMatchObject({ pending: [], lost: [`${directory}b.jsonl`] })
    })
  })

  it.live("causes a warning if it cannot be stored, and is stored by the next run", () => {
    let isDenied = true
    const store = MemoryStore.make({
      before: (operation, key) =>
        isDenied && isManifest(key)
          ? Effect.fail(
              new AccessDenied({ operation, detail: "no", code: "AccessDenied", status: 403, retryable: false })
            )
          : Effect.void
    })
    return Effect.gen(function* () {
      const names = Array.from({ length: 20 }, (_, at) => `d${at}/a.jsonl`)
      const settings = job(Object.fromEntries(names.map((name) => [name, "1\n"])))
      const failed = yield* exportOnce(settings, store.layer)
      expect(failed.result.exitCode).toBe(0)
      expect(failed.totals).toMatchObject({ uploaded: 20, failed: 0 })
      expect(failed.manifests).toMatchObject({ written: 0, waiting: 20 })
      // at most the requests that were in flight when the run gave up on manifests
      expect(store.requests.filter((request) => isManifest(request)).length).toBeLessThan(12)
      isDenied = false
      const next = yield* exportOnce(settings, store.layer)
      expect(next.totals.uploaded).toBe(0)
      expect(next.manifests).toEqual({ written: 20, waiting: 0, failures: [], file: null })
    })
  })

  it.live("does not make the run fail if the store goes down before it is sent", () => {
    const store = MemoryStore.make({
      before: (operation, key) =>
        isManifest(key)
          ? Effect.fail(new NetworkFailure({ operation, detail: "refused", code: "ECONNREFUSED", retryable: true }))
          : Effect.void
    })
    return Effect.gen(function* () {
      const settings = job({ "d/a.jsonl": "1\n", "e/a.jsonl": "1\n" }, { giveUpAfter: Duration.zero, maxRetries: 1 })
      const report = yield* exportOnce(settings, store.layer)
      expect(report).toMatchObject({ result: { exitCode: 0, endedBy: null }, manifests: { written: 0, waiting: 2 } })
    })
  })

  it.live("never replaces the object of a file with the same name, and is never replaced by such a file", () => {
    const store = MemoryStore.make()
    const name = `${directory}upload-manifest.json`
    return Effect.gen(function* () {
      const settings = job({ [directory + hour]: "1\n", [name]: "mine" }, { include: ["**"], manifest: false })
      yield* exportOnce(settings, store.layer)
      const report = yield* exportOnce({ ...settings, manifest: true }, store.layer)
      expect(report.manifests).toMatchObject({ written: 0, failures: [{ directory }] })
      expect(String(latest(store, manifestKey))).toBe("mine")

      const other = job({ [directory + hour]: "1\n", [name]: "mine" }, { include: ["**"], bucket: "other" })
      const refused = yield* exportOnce(other, store.layer)
      expect(refused.result.exitCode).toBe(41)
      expect(refused.failures).toMatchObject([{ file: name }])
      expect(manifestIn(store).files).toMatchObject([{ key: `p/${directory}${hour}` }])
    })
  })

  it.live("is made for every directory by the first run with --manifest, with null for unknown values", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const settings = job({ [directory + hour]: lines(2), "d/a.jsonl": lines(100_000) }, { manifest: false })
      const without = yield* exportOnce(settings, store.layer)
      expect(without.manifests).toBeNull()
      expect([...store.versions.keys()].filter(isManifest)).toEqual([])
      yield* exportOnce({ ...settings, manifest: true }, store.layer)
      // the digest of small content is the SHA-256 of the whole content
      expect(manifestIn(store).files).toMatchObject([{ sha256: sha256(lines(2)), lines: null, firstTsUnixSec: null }])
      expect(manifestIn(store, "p/d/upload-manifest.json").files).toMatchObject([{ sha256: null, lines: null }])
    })
  })

  it.live("is also written to a local file, one per line", () => {
    const store = MemoryStore.make()
    const file = join(emptyDirectory(), "manifests")
    return Effect.gen(function* () {
      const settings = job(
        { [directory + hour]: lines(2), "d/a.jsonl": "1\n" },
        { manifestFile: file, manifest: false }
      )
      const report = yield* exportOnce(settings, store.layer)
      expect(report.manifests).toEqual({ written: 0, waiting: 0, failures: [], file: { path: file, error: null } })
      expect([...store.versions.keys()].filter(isManifest)).toEqual([])
      const local = () => readFileSync(file, "utf8")
      expect(
        local()
          .trimEnd()
          .split("\n")
          .map((text) => (JSON.parse(text) as Manifest.Manifest).directory)
      ).toEqual(["d/", directory])
      const both = yield* exportOnce({ ...settings, manifest: true }, store.layer)
      expect(both.manifests).toMatchObject({ written: 2 })
      expect(local()).toBe(`${latest(store, "p/d/upload-manifest.json")}${latest(store, manifestKey)}`)

      const unwritable = yield* exportOnce({ ...settings, manifestFile: join(file, "below-a-file") }, store.layer)
      expect(unwritable.result.exitCode).toBe(0)
      expect(unwritable.manifests?.file?.error).toMatch(/\w/)
      const dry = { ...settings, dryRun: true, manifestFile: `${file}.dry` }
      expect((yield* exportOnce(dry, store.layer)).manifests).toBeNull()
      expect(existsSync(dry.manifestFile)).toBe(false)
    })
  })

  it.live("marks a live file as live, and changes when the file grows", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const settings = job({ [`${directory}status.jsonl`]: lines(2) })
      const path = join(settings.input, directory, "status.jsonl")
      utimesSync(path, new Date(), new Date())
      yield* exportOnce(settings, store.layer)
      expect(manifestIn(store).files).toMatchObject([{ state: "live", lines: 2 }])
      utimesSync(path, new Date(0), new Date(0))
      yield* exportOnce(settings, store.layer)
      expect(manifestIn(store).files).toMatchObject([{ state: "final", lines: 2 }])
    })
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Ajv2020 } from "ajv/dist/2020.js"
import { Clock, Effect, JSONSchema } from "effect"
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import * as MemoryStore from "../../scripts/simulate/MemoryStore.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import * as Verification from "../../src/report/Verification.ts"
import * as Verify from "../../src/services/Verify.ts"
import * as Directory from "../../src/services/Verify/Directory.ts"
import { exportOnce } from "../fixtures/Export.ts"
import { settingsWith } from "../fixtures/Settings.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"

const schemaFile = new URL("../../docs/verify.schema.json", import.meta.url)
const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(schemaFile, "utf8")))

const directory = "ibsr-20261122-141500Z/"
const start = Date.UTC(2026, 10, 22, 14) / 1000
const line = (minute: number, pad = 20) =>
  `{"version":5,"ts_unix_sec":${start + 60 * minute},"interval_sec":60,"run_id":"r","pad":"${"x".repeat(pad)}"}\n`
const hourName = (hour: number) => `${directory}snapshot_20261122${14 + hour}.jsonl`
const hourText = (hour: number, pad?: number) =>
  Array.from({ length: 60 }, (_, minute) => line(60 * hour + minute, pad)).join("")
const fourHours = (pad?: number) => ({
  ...Object.fromEntries([0, 1, 2, 3].map((hour) => [hourName(hour), hourText(hour, pad)])),
  [`${directory}status.jsonl`]: line(0)
})

/** Writes what the bucket holds to a directory, as `aws s3 sync` does. */
const sync = (store: MemoryStore.MemoryStore) => {
  const root = emptyDirectory()
  for (const [key, versions] of store.versions) {
    const path = join(root, key.slice("p/".length))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, versions.at(-1)!)
  }
  return root
}

/** Uploads the files and returns a copy of the bucket. */
const uploaded = (files: Readonly<Record<string, string | Uint8Array>>, changed: Partial<Settings> = {}) => {
  const store = MemoryStore.make()
  const settings = settingsWith({ input: tree(files), stateDir: emptyDirectory(), manifest: true, ...changed })
  return Effect.map(exportOnce(settings, store.layer), () => ({ root: sync(store), settings, store }))
}

const verify = (root: string, withoutManifest = false, nowMillis = Date.now()) =>
  Verify.verify({ source: root, version: "0", withoutManifest }).pipe(
    Effect.provide(Directory.layer(root)),
    Effect.withClock({ ...Clock.make(), currentTimeMillis: Effect.succeed(nowMillis) }),
    Effect.tap((verification) =>
      Effect.sync(() =>
        expect(validate(JSON.parse(JSON.stringify(verification))), JSON.stringify(validate.errors)).toBe(true)
      )
    )
  )

const findingsOf = ({ directories }: Verification.Verification) =>
  directories.flatMap(({ findings }) => findings.map(({ file, kind }) => `${kind} ${file}`))

type Damage = (root: string) => void
const edit =
  (name: string, change: (bytes: Buffer) => Uint8Array): Damage =>
  (root) => {
    const path = join(root, name)
    writeFileSync(path, change(readFileSync(path)))
  }
const flip = (name: string) =>
  edit(name, (bytes) => {
    bytes[bytes.length - 3]! ^= 1
    return bytes
  })
const cutLine = (name: string) =>
  edit(name, (bytes) => {
    const from = bytes.indexOf("\n") + 1
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(bytes.indexOf("\n", from) + 1)])
  })
const cutEnd = (name: string) => edit(name, (bytes) => bytes.subarray(0, -5))
const remove =
  (name: string): Damage =>
  (root) =>
    rmSync(join(root, name))

describe("Verify.verify", () => {
  it("has the published schema", () => {
    const published: unknown = JSON.parse(readFileSync(schemaFile, "utf8"))
    expect(published).toEqual(JSONSchema.make(Verification.Verification, { target: "jsonSchema2020-12" }))
  })

  it.live.each(["none", "zstd", "gzip"] as const)("proves that an upload with --compress %s is complete", (compress) =>
    Effect.gen(function* () {
      const { root } = yield* uploaded(
        { ...fourHours(), "other/a.pcap.gz": gzipSync("x"), "top.jsonl": line(0) },
        {
          compress,
          include: ["**"]
        }
      )
      const verification = yield* verify(root)
      expect(findingsOf(verification)).toEqual([])
      expect(verification.result).toMatchObject({ exitCode: 0, name: "ok", hint: null })
      expect(verification.directories).toMatchObject([
        { directory: "", objects: 1, proven: 1 },
        {
          directory,
          objects: 5,
          proven: 5,
          live: 0,
          generations: 0,
          firstLine: "2026-11-22T14:00:00Z",
          lastLine: "2026-11-22T17:59:00Z"
        },
        { directory: "other/", objects: 1, proven: 1 }
      ])
      // copies only the run directory, like a reader of a single directory
      expect((yield* verify(join(root, directory))).result.exitCode).toBe(0)
    })
  )

  it.live.each<readonly [string, Damage, number, ReadonlyArray<string>]>([
    ["a flipped byte", flip(hourName(1)), 44, [`differs ${hourName(1)}`]],
    ["a line cut out", cutLine(hourName(1)), 44, [`shorter ${hourName(1)}`, `hole ${directory}`]],
    ["a cut end", cutEnd(hourName(3)), 44, [`shorter ${hourName(3)}`]],
    ["a removed hour", remove(hourName(1)), 43, [`missing ${hourName(1)}`, `hole ${directory}`]],
    ["a removed last hour", remove(hourName(3)), 43, [`missing ${hourName(3)}`]],
    ["a further object", (root) => writeFileSync(join(root, directory, "x"), ""), 43, [`not-listed ${directory}x`]],
    ["a longer object", (root) => appendFileSync(join(root, hourName(3)), line(240)), 43, [`longer ${hourName(3)}`]],
    [
      "a damaged manifest",
      flip(`${directory}upload-manifest.json`),
      44,
      [`bad-manifest ${directory}upload-manifest.json`]
    ],
    ["a removed manifest", remove(`${directory}upload-manifest.json`), 43, [`no-manifest ${directory}`]]
  ])("finds %s", ([, damage, exitCode, expected]) =>
    Effect.gen(function* () {
      const { root } = yield* uploaded(fourHours())
      damage(root)
      const verification = yield* verify(root)
      expect(findingsOf(verification)).toEqual(expected)
      expect(verification.result.exitCode).toBe(exitCode)
      expect(Verification.ending(verification)).toMatch(new RegExp(`^exit ${exitCode} (corrupt|incomplete): .*\\.`))
      expect(Verification.body(verification).join("\n")).toContain(expected[0]!.replace(" ", ": "))
    })
  )

  it.live.each(["zstd", "gzip"] as const)("finds damage in objects compressed with %s", (compress) =>
    Effect.gen(function* () {
      const suffix = { zstd: ".zst", gzip: ".gz" }[compress]
      for (const [damage, kinds] of [
        [flip, ["damaged"]],
        [cutEnd, ["damaged"]],
        [(name: string) => edit(name, () => Buffer.alloc(0)), ["damaged", "shorter"]]
      ] as const) {
        const { root } = yield* uploaded(fourHours(5000), { compress })
        damage(hourName(3) + suffix)(root)
        for (const withManifest of [true, false]) {
          if (!withManifest) remove(`${directory}upload-manifest.json`)(root)
          const verification = yield* verify(root, true)
          const [found = ""] = findingsOf(verification)
          if (!withManifest && kinds.length > 1 && found === "") continue
          expect(found).toMatch(new RegExp(`^(${kinds.join("|")}) ${hourName(3)}`))
          expect(verification.result.exitCode).toBe(44)
        }
      }
    })
  )

  it.live("looks for holes and torn lines without manifests", () =>
    Effect.gen(function* () {
      const files = fourHours()
      const whole = yield* verify(tree(files), true)
      expect([whole.result.exitCode, findingsOf(whole)]).toEqual([0, []])
      expect(Verification.ending(whole)).toContain("0 are proven")
      expect((yield* verify(tree(files))).result.exitCode).toBe(43)

      for (const [damage, exitCode, expected] of [
        [remove(hourName(1)), 43, /^60 lines missing between .*, 1 hour without a file$/],
        [cutLine(hourName(1)), 43, /^1 line missing between 2026-11-22T15:00:00Z and 2026-11-22T15:02:00Z$/],
        [cutEnd(hourName(3)), 44, /incomplete line/]
      ] as const) {
        const root = tree(files)
        damage(root)
        const { directories, result } = yield* verify(root, true)
        expect(directories[0]!.findings.map(({ detail }) => detail)).toEqual([expect.stringMatching(expected)])
        expect(result.exitCode).toBe(exitCode)
      }
      const named = [0, 2].map((hour) => [hourName(hour), "no times\n"])
      expect(findingsOf(yield* verify(tree(Object.fromEntries(named)), true))).toEqual([`hole ${directory}`])
    })
  )

  it.live("accepts generations, and both objects of an hour from before and after --compress", () =>
    Effect.gen(function* () {
      const { settings, store } = yield* uploaded(fourHours())
      writeFileSync(join(settings.input, directory, "status.jsonl"), line(9))
      appendFileSync(join(settings.input, hourName(3)), line(240))
      yield* exportOnce({ ...settings, compress: "zstd" }, store.layer)
      const verification = yield* verify(sync(store))
      expect(findingsOf(verification)).toEqual([])
      expect(verification.directories).toMatchObject([{ objects: 7, proven: 7, generations: 2 }])
    })
  )

  it.live("accepts an object that is newer than its manifest, if it begins with the content in the manifest", () =>
    Effect.gen(function* () {
      const status = `${directory}status.jsonl`
      const input = tree({ [status]: line(0) })
      utimesSync(join(input, status), new Date(), new Date())
      const { root } = yield* uploaded({}, { input })
      expect((yield* verify(root)).directories).toMatchObject([{ live: 1, proven: 1 }])
      appendFileSync(join(root, status), line(1))
      expect((yield* verify(root)).result.exitCode).toBe(0)
      writeFileSync(join(root, status), line(5) + line(6))
      expect(findingsOf(yield* verify(root))).toEqual([`differs ${status}`])
    })
  )

  it.live("finds an object that stayed live although runs are expected", () =>
    Effect.gen(function* () {
      const status = `${directory}status.jsonl`
      const input = tree({ [status]: line(0) })
      utimesSync(join(input, status), new Date(), new Date())
      const { root } = yield* uploaded({}, { input })
      const inHours = (hours: number) => verify(root, false, Date.now() + hours * 3_600_000)
      expect(findingsOf(yield* inHours(2.9))).toEqual([])
      expect(findingsOf(yield* inHours(3.1))).toEqual([`stayed-live ${status}`])
    })
  )

  it.live("finds files that are pending or were lost on the host", () =>
    Effect.gen(function* () {
      const { settings, store } = yield* uploaded(fourHours())
      const name = `${directory}unreadable.jsonl`
      writeFileSync(join(settings.input, name), "x".repeat(70 * 1024 * 1024))
      utimesSync(join(settings.input, name), new Date(), new Date())
      yield* exportOnce(settings, store.layer)
      expect(findingsOf(yield* verify(sync(store)))).toEqual([`pending ${name}`])
      rmSync(join(settings.input, name))
      yield* exportOnce(settings, store.layer)
      expect(findingsOf(yield* verify(sync(store)))).toEqual([`lost ${name}`])
    })
  )

  it.live("cannot prove large files that were stored without --manifest", () =>
    Effect.gen(function* () {
      const large = { [hourName(0)]: hourText(0, 200_000), [hourName(1)]: hourText(1) }
      const { settings, store } = yield* uploaded(large, { manifest: false })
      yield* exportOnce({ ...settings, manifest: true }, store.layer)
      expect(findingsOf(yield* verify(sync(store)))).toEqual([`no-digest ${hourName(0)}`])
      yield* exportOnce({ ...settings, manifest: true, force: true }, store.layer)
      expect(findingsOf(yield* verify(sync(store)))).toEqual([])
    })
  )

  it.live("reads a manifest and objects that are longer than a piece", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 1000 }, (_, at) => `${directory}${"n".repeat(100)}${at}.jsonl`)
      const { root } = yield* uploaded({
        ...Object.fromEntries(names.map((name) => [name, line(0)])),
        [hourName(0)]: hourText(0, 50_000)
      })
      expect(statSync(join(root, directory, "upload-manifest.json")).size).toBeGreaterThan(512 * 1024)
      expect((yield* verify(root)).directories).toMatchObject([{ objects: 1001, proven: 1001 }])
    })
  )

  it.live("ignores the objects by which s3 and check test the store", () =>
    Effect.gen(function* () {
      const { root } = yield* uploaded({ "top.jsonl": line(0) })
      for (const name of ["ibsr-export.check", "ibsr-export.no-overwrite"]) writeFileSync(join(root, name), "")
      expect((yield* verify(root)).directories).toMatchObject([{ objects: 1, proven: 1, findings: [] }])
      const { root: other } = yield* uploaded({ "d/a.jsonl": line(0) })
      writeFileSync(join(other, "ibsr-export.check"), "")
      expect((yield* verify(other)).directories).toMatchObject([{ directory: "d/", objects: 1 }])
    })
  )

  it.live("notes when the collector did not run", () =>
    Effect.gen(function* () {
      const [first, second] = [directory, "ibsr-20261122-200000Z/"]
      const { root } = yield* uploaded({
        [`${first}snapshot_2026112214.jsonl`]: hourText(0),
        [`${second}snapshot_2026112220.jsonl`]: hourText(6)
      })
      const { directories, result } = yield* verify(root)
      expect(result.exitCode).toBe(0)
      expect(directories.map(({ notes }) => notes)).toEqual([
        ["the collector did not run until 2026-11-22T20:00:00Z"],
        []
      ])
    })
  )

  it.live("names at most 100 findings of a kind", () =>
    Effect.gen(function* () {
      const { root } = yield* uploaded(fourHours())
      for (let at = 0; at < 150; at++) writeFileSync(join(root, directory, `x${at}`), "")
      const verification = yield* verify(root)
      expect(verification.findings).toBe(150)
      expect(verification.directories).toMatchObject([{ omitted: 50 }])
      expect(verification.result.cause).toContain("150 findings in all")
    })
  )

  it.live("fails without objects", () =>
    Effect.gen(function* () {
      expect((yield* verify(emptyDirectory())).result.exitCode).toBe(43)
      const missing = yield* Effect.flip(verify(join(emptyDirectory(), "missing")))
      expect(missing).toMatchObject({ _tag: "InputUnusable", code: "ENOENT" })
    })
  )
})

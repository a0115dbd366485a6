/** Ledgers that may not know what is stored, because they come from another host, a copy or a backup. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { copyFileSync, cpSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { LedgerConcern } from "../../../src/domain/LedgerConcern.ts"
import * as ObjectKey from "../../../src/domain/ObjectKey.ts"
import type { Settings } from "../../../src/domain/Settings.ts"
import { Ledger, type OpenLedger } from "../../../src/services/Ledger.ts"
import * as Sqlite from "../../../src/services/Ledger/Sqlite.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"

const content = { sizeBytes: 10, digest: "a".repeat(64), head: "a".repeat(64) }
const stat = { size: 10n, mtimeNs: 1n, ctimeNs: 1n, dev: 1n, ino: 1n }

/**
 * Distinct times, because the lock file remembers the start of the last run. None is a whole second, which would mean a
 * file system with coarse times.
 */
let lastStart = Math.floor(Date.now() / 1000) * 1000 - 86_400_000 + 1

interface Host {
  readonly stateDir: string
  readonly machineId?: string
  readonly settings?: Partial<Settings>
  /** Whether the run ends after it has seen all files. */
  readonly sawAll?: boolean
}

const run = <A, E>(
  { machineId = "1", sawAll = true, settings, stateDir }: Host,
  use: (ledger: OpenLedger) => Effect.Effect<A, E>
) =>
  Effect.flatMap(Ledger, (ledgers) => ledgers.open({ id: "r", startedAt: (lastStart += 10) })).pipe(
    Effect.flatMap((ledger) =>
      Effect.zipLeft(use(ledger), ledger.runEnded({ exitCode: 0, endedAt: lastStart, sawAll, cause: null }))
    ),
    Effect.scoped,
    Effect.provide(Sqlite.layer(settingsWith({ stateDir, ...settings }), () => machineId))
  )

const store = (ledger: OpenLedger, path: string) =>
  Effect.gen(function* () {
    const known = yield* ledger.markPending(path)
    const generation = yield* ledger.reserveGeneration(path, known?.generation ?? 1, "")
    yield* ledger.announce(path, generation, content)
    const key = Either.getOrThrow(ObjectKey.of(settingsWith().prefix, path))
    yield* ledger.acknowledge(path, {
      key,
      generation,
      content,
      objectBytes: content.sizeBytes,
      state: "live",
      stat,
      etag: "e",
      versionId: undefined
    })
    return generation
  })

const concernsOf = (host: Host): Effect.Effect<ReadonlyArray<LedgerConcern["_tag"]>, unknown> =>
  run(host, ({ concerns }) => Effect.succeed(concerns.map(({ _tag }) => _tag)))

/** A state directory in which a run has stored the file `a`, and its copy from before. */
const withBackup = Effect.gen(function* () {
  const stateDir = emptyDirectory()
  yield* run({ stateDir }, (ledger) => store(ledger, "a"))
  const backup = join(emptyDirectory(), "backup")
  cpSync(stateDir, backup, { recursive: true, preserveTimestamps: true })
  yield* run({ stateDir }, () => Effect.void)
  return { stateDir, backup, path: join(stateDir, "ledger.db") }
})

describe("a ledger", () => {
  it.live.each<readonly [string, (files: Effect.Effect.Success<typeof withBackup>) => void, string | undefined]>([
    ["is unchanged", () => {}, undefined],
    ["was renamed and back", ({ path }) => [renameSync(path, `${path}.x`), renameSync(`${path}.x`, path)], undefined],
    ["has lost its lock file", ({ stateDir }) => unlinkSync(join(stateDir, "ledger.lock")), undefined],
    [
      "has garbage in its lock file",
      ({ stateDir }) => writeFileSync(join(stateDir, "ledger.lock"), "x".repeat(600)),
      undefined
    ],
    ["was deleted", ({ path }) => unlinkSync(path), undefined],
    [
      "was restored with its directory",
      ({ backup, stateDir }) => {
        rmSync(stateDir, { recursive: true })
        cpSync(backup, stateDir, { recursive: true, preserveTimestamps: true })
      },
      "OlderCopy"
    ],
    [
      "was overwritten by an older one in place",
      ({ backup, path }) => copyFileSync(join(backup, "ledger.db"), path),
      "OlderCopy"
    ],
    [
      "was replaced by an older one",
      ({ backup, path }) => {
        copyFileSync(join(backup, "ledger.db"), `${path}.x`)
        renameSync(`${path}.x`, path)
      },
      "OlderCopy"
    ]
  ])("that %s causes the right concern, until a run has seen all files", ([, change, concern]) =>
    Effect.gen(function* () {
      const files = yield* withBackup
      change(files)
      const expected = concern === undefined ? [] : [concern]
      expect(yield* concernsOf({ ...files, sawAll: false })).toEqual(expected)
      expect(yield* concernsOf(files)).toEqual(expected)
      expect(yield* concernsOf(files)).toEqual([])
    })
  )

  it.live("of another machine gives new and changed files keys that no other machine uses, in every run", () =>
    Effect.gen(function* () {
      const { backup, stateDir } = yield* withBackup
      const use = (ledger: OpenLedger) =>
        Effect.gen(function* () {
          expect(ledger.concerns.map(({ _tag }) => _tag)).toEqual(["OtherMachine"])
          expect((yield* ledger.markPending("a"))?.doubt).toBe("unknown-content")
          expect(yield* ledger.announceNew([{ path: "new", content }])).toEqual([false])
          return [yield* store(ledger, "a"), yield* store(ledger, "new")]
        })
      const first = yield* run({ stateDir, machineId: "2" }, use)
      const second = yield* run({ stateDir: backup, machineId: "3" }, use)
      const numbers = [...first, ...second]
      expect(numbers.every((generation) => generation > 1e14)).toBe(true)
      expect(new Set(numbers).size).toBe(2)
      yield* run({ stateDir, machineId: "2" }, (ledger) =>
        Effect.gen(function* () {
          expect(ledger.concerns).toEqual([{ _tag: "OtherMachine", generation: first[0] }])
          expect(yield* ledger.markPending("a")).toMatchObject({ generation: first[0], doubt: undefined })
          expect(yield* store(ledger, "later")).toBe(first[0])
        })
      )
    })
  )

  it.live("that was restored causes doubt about the files that it knows, but not about new files", () =>
    Effect.gen(function* () {
      const { backup } = yield* withBackup
      yield* run({ stateDir: backup }, (ledger) => ledger.markPending("seen"))
      yield* run({ stateDir: backup }, (ledger) =>
        Effect.gen(function* () {
          expect(
            yield* ledger.announceNew([
              { path: "seen", content },
              { path: "new", content }
            ])
          ).toEqual([false, true])
          expect((yield* ledger.markPending("a"))?.doubt).toBe("unknown-content")
          expect((yield* ledger.markPending("new"))?.doubt).toBeUndefined()
        })
      )
    })
  )

  it.live("of another machine forgets that machine's uploads in progress", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const key = Either.getOrThrow(ObjectKey.of(settingsWith().prefix, "a"))
      const upload = {
        uploadId: "u",
        key,
        generation: 1,
        state: "live",
        partSizeBytes: 1,
        attributes: "",
        checksum: "SHA256",
        sizeBytes: 1
      } as const
      yield* run({ stateDir }, (ledger) => ledger.uploadStarted("a", upload))
      yield* run({ stateDir, machineId: "2" }, (ledger) =>
        Effect.gen(function* () {
          expect(yield* ledger.keptUpload("a")).toBeUndefined()
          expect(yield* ledger.unfinishedUploads("", 9)).toEqual([])
        })
      )
    })
  )

  it.live("gives a key to only one file, even if the prefix of one target contains that of another", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const below = (text: string): Host => ({
        stateDir,
        settings: { prefix: Either.getOrThrow(ObjectKey.parsePrefix(text)) }
      })
      expect(yield* run(below("a"), (ledger) => store(ledger, "b/x.jsonl"))).toBe(1)
      yield* run(below("a/b"), (ledger) =>
        Effect.gen(function* () {
          expect(ledger.concerns).toEqual([{ _tag: "OverlappingPrefix", prefix: "a" }])
          expect(
            yield* ledger.announceNew([
              { path: "x.jsonl", content },
              { path: "y.jsonl", content }
            ])
          ).toEqual([false, true])
          expect(yield* store(ledger, "x.jsonl")).toBe(2)
        })
      )
      expect(yield* run(below("a"), (ledger) => store(ledger, "b/x.g2.jsonl"))).toBe(2)
      expect(yield* run(below("/"), (ledger) => store(ledger, "a/b/y.jsonl"))).toBe(2)
      expect(yield* run(below("ab"), (ledger) => store(ledger, "x.jsonl")), "which only looks similar").toBe(1)
      const elsewhere = { ...below("a/b"), settings: { ...below("a/b").settings, bucket: "other" } }
      expect(yield* run(elsewhere, (ledger) => store(ledger, "x.jsonl"))).toBe(1)
    })
  )

  it.live("reports that an earlier run uploaded another input directory, if that directory still exists", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const [one, two] = [emptyDirectory(), emptyDirectory()]
      const from = (input: string): Host => ({ stateDir, settings: { input } })
      yield* run(from(one), (ledger) => store(ledger, "a"))
      yield* run(from(two), (ledger) =>
        Effect.gen(function* () {
          expect(ledger.concerns).toEqual([{ _tag: "OtherInput", input: one }])
          expect((yield* ledger.markPending("a"))?.doubt).toBe("other-input")
        })
      )
      expect(yield* concernsOf(from(two))).toEqual([])
      rmSync(two, { recursive: true })
      expect(yield* concernsOf(from(one))).toEqual([])
    })
  )
})

import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Exit, Scope, TestClock } from "effect"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { KeySuffix } from "../../../src/domain/Compression.ts"
import type { ContentDigest } from "../../../src/domain/ContentDigest.ts"
import * as ObjectKey from "../../../src/domain/ObjectKey.ts"
import type { Settings } from "../../../src/domain/Settings.ts"
import { type AcknowledgedObject, Ledger, LedgerStatus, type OpenLedger } from "../../../src/services/Ledger.ts"
import * as Schema from "../../../src/services/Ledger/Schema.ts"
import * as Sqlite from "../../../src/services/Ledger/Sqlite.ts"
import * as SqliteStatus from "../../../src/services/Ledger/SqliteStatus.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"

const prefix = Either.getOrThrow(ObjectKey.parsePrefix("p"))
const content = (sizeBytes: number, byte: string): ContentDigest => ({
  sizeBytes,
  digest: byte.repeat(64),
  head: byte.repeat(64)
})
const stat = {
  size: 10n,
  mtimeNs: 1_795_000_000_123_456_789n,
  ctimeNs: 1_795_000_000_987_654_321n,
  dev: 2n ** 64n - 1n,
  ino: 2n ** 63n + 1n
}
const object = (
  path: string,
  digest: ContentDigest,
  overrides: Partial<AcknowledgedObject> = {}
): AcknowledgedObject => ({
  key: Either.getOrThrow(ObjectKey.of(prefix, path)),
  generation: 1,
  content: digest,
  objectBytes: digest.sizeBytes,
  state: "final",
  stat,
  etag: "e",
  versionId: undefined,
  ...overrides
})
const found = (relativePath: string, changes: Partial<typeof stat> = {}) => ({
  file: { path: `/in/${relativePath}`, relativePath },
  fileStat: { ...stat, ...changes }
})
const statesOf = (ledger: OpenLedger, files: ReadonlyArray<ReturnType<typeof found>>) =>
  ledger.lookUp((storedAs) => files.map(({ file, fileStat }) => storedAs(file, fileStat)))

const open = (stateDir: string, startedAt = 0) =>
  Effect.flatMap(Ledger, (ledger) => ledger.open({ id: `run-${startedAt}`, startedAt })).pipe(
    Effect.provide(Sqlite.layer(settingsWith({ stateDir })))
  )

const using = <A, E>(stateDir: string, use: (ledger: OpenLedger) => Effect.Effect<A, E>, startedAt?: number) =>
  Effect.scoped(Effect.flatMap(open(stateDir, startedAt), use))

const store = (ledger: OpenLedger, path: string, digest: ContentDigest, overrides?: Partial<AcknowledgedObject>) =>
  Effect.gen(function* () {
    yield* ledger.markPending(path)
    yield* ledger.announce(path, overrides?.generation ?? 1, digest)
    yield* ledger.acknowledge(path, object(path, digest, overrides))
  })

describe("the ledger", () => {
  it.live("remembers which checksum a target's store accepts, separately for each target", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      yield* using(stateDir, (ledger) => {
        expect(ledger.checksum).toBe("SHA256")
        return ledger.rememberChecksum("MD5")
      })
      yield* using(stateDir, (ledger) => Effect.sync(() => expect(ledger.checksum).toBe("MD5")))
      const elsewhere = Sqlite.layer(settingsWith({ stateDir, bucket: "other" }))
      const other = Effect.flatMap(Ledger, (ledger) => ledger.open({ id: "run-2", startedAt: 0 }))
      expect((yield* Effect.scoped(Effect.provide(other, elsewhere))).checksum).toBe("SHA256")
    })
  )

  it.live(
    "distinguishes targets by endpoint and region; a target without a region adopts the first region that a run names",
    () =>
      Effect.gen(function* () {
        const stateDir = emptyDirectory()
        const storedIn = (changes: Partial<Settings>) =>
          Effect.flatMap(Ledger, (ledger) => ledger.open({ id: "r", startedAt: 0 })).pipe(
            Effect.flatMap((ledger) =>
              Effect.tap(statesOf(ledger, [found("a")]), () => store(ledger, "a", content(10, "a")))
            ),
            Effect.scoped,
            Effect.provide(Sqlite.layer(settingsWith({ stateDir, ...changes })))
          )
        const endpoint = new URL("http://m:9000")
        for (const [changes, state] of [
          [{}, undefined],
          [{ region: "r1" }, "final"],
          [{ region: "r2" }, undefined],
          [{ region: "r1" }, "final"],
          [{}, "final"],
          [{ endpoint }, undefined],
          [{ endpoint, region: "r2" }, "final"],
          [{ endpoint, region: "r1" }, undefined]
        ] as const) {
          expect(yield* storedIn(changes), JSON.stringify(changes)).toEqual([state])
        }
        const status = yield* Effect.flatMap(LedgerStatus, ({ read }) => read).pipe(
          Effect.provide(SqliteStatus.layer(stateDir))
        )
        expect(status.targets.map((target) => [target.endpoint, target.region, target.stored])).toEqual([
          [null, "r1", 1],
          [null, "r2", 1],
          ["http://m:9000/", "r2", 1],
          ["http://m:9000/", "r1", 1]
        ])
      })
  )

  it.live("makes manifests of the directories that a ledger of an older version knows", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const db = new DatabaseSync(join(stateDir, "ledger.db"))
      Schema.migrate(db, 14)
      db.exec(`
        INSERT INTO targets (id, endpoint, bucket, prefix, mapping, input, region)
          VALUES (7, '', 'b', 'p', 'path', '/in', '');
        INSERT INTO runs (id, target, name, started_at) VALUES (1, 7, 'before', 6);
        INSERT INTO files (target, path, first_seen, generation, key, size, digest, head, state, acknowledged_at, run)
          VALUES (7, 'd/e/a', 1, 1, 'p/d/e/a', 9, zeroblob(36), zeroblob(32), 'live', 5, 1),
                 (7, 'b', 1, 1, 'p/b', 9, zeroblob(32), zeroblob(32), 'final', 5, 1);
      `)
      db.close()
      yield* using(stateDir, ({ manifests }) =>
        Effect.gen(function* () {
          expect(yield* manifests.changed).toEqual([
            ["", [""]],
            ["d/", ["d/e/"]]
          ])
          const [old] = yield* manifests.filesOf("d/")
          expect(old).toMatchObject({ path: "d/e/a", pendingSince: null, fate: null })
          const unknown = { objectBytes: null, sha256: null, lines: null, firstTime: null, collectorRun: null }
          expect(old?.objects).toMatchObject([{ key: "p/d/e/a", sizeBytes: 9, storedAt: 5, ...unknown }])
          expect((yield* manifests.filesOf(""))[0]?.objects).toMatchObject([{ sha256: "0".repeat(64), lines: null }])
          yield* manifests.written("d/", "a".repeat(64), ["d/e/"])
          expect(yield* manifests.writtenDigest("d/")).toBe("a".repeat(64))
        })
      )
      yield* using(stateDir, ({ manifests }) =>
        Effect.map(manifests.changed, (changed) => expect(changed).toEqual([["", [""]]]))
      )
    })
  )

  it.live("keeps the files of a ledger that an older version wrote without regions", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const db = new DatabaseSync(join(stateDir, "ledger.db"))
      Schema.migrate(db, 6)
      db.exec(`
        INSERT INTO targets (id, endpoint, bucket, prefix, mapping, input, input_since, retention_least)
          VALUES (7, '', 'b', 'p', 'path', '/in', 0, 1000);
        INSERT INTO runs (target, name, started_at) VALUES (7, 'before', 6);
        INSERT INTO files (target, path, first_seen, pending_since) VALUES (7, 'a', 1, 1);
      `)
      db.close()
      const before = yield* Effect.flatMap(LedgerStatus, ({ read }) => read).pipe(
        Effect.provide(SqliteStatus.layer(stateDir))
      )
      expect(before.targets, "read without a change").toMatchObject([{ region: null, waiting: 1 }])
      yield* Effect.flatMap(Ledger, (ledger) => ledger.open({ id: "dry", startedAt: 7 })).pipe(
        Effect.flatMap((ledger) => ledger.reserveGeneration("a", 1, "")),
        Effect.tap((generation) => Effect.sync(() => expect(generation).toBe(1))),
        Effect.scoped,
        Effect.provide(Sqlite.layerReadOnly(settingsWith({ stateDir, region: "r1" })))
      )
      const layer = Sqlite.layer(settingsWith({ stateDir, region: "r1" }))
      yield* Effect.flatMap(Ledger, (ledger) => ledger.open({ id: "r", startedAt: 7 })).pipe(
        Effect.flatMap((ledger) =>
          Effect.gen(function* () {
            expect([ledger.previousRuns, ledger.retention?.least]).toEqual([[6], 1000])
            expect((yield* ledger.unfinishedFiles("", 9)).map(({ path }) => path)).toEqual(["a"])
          })
        ),
        Effect.scoped,
        Effect.provide(layer)
      )
      const after = new DatabaseSync(join(stateDir, "ledger.db"))
      expect(after.prepare("PRAGMA foreign_key_check").all()).toEqual([])
      expect(after.prepare("SELECT id, region FROM targets").all()).toMatchObject([{ id: 7, region: "r1" }])
      after.close()
    })
  )

  it.live("recognizes a stored file by its size, mtime, ctime, device and inode together", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      yield* using(stateDir, (ledger) => store(ledger, "a", content(10, "a"), { state: "live" }))
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          const files = [
            found("a"),
            found("a", { size: 11n }),
            found("a", { mtimeNs: stat.mtimeNs + 1n }),
            found("a", { ctimeNs: stat.ctimeNs + 1n }),
            found("a", { dev: 1n }),
            found("a", { ino: 1n }),
            found("b")
          ]
          expect(yield* statesOf(ledger, files)).toEqual(["live", ...files.slice(1).map(() => undefined)])
          expect(yield* ledger.markPending("a")).toEqual({
            generation: 1,
            content: content(10, "a"),
            acknowledged: "live"
          })
          expect(yield* statesOf(ledger, [found("a")]), "it is pending").toEqual([undefined])
          yield* ledger.confirmUnchanged("a", { ...stat, mtimeNs: 7n })
          expect(yield* statesOf(ledger, [found("a", { mtimeNs: 7n })])).toEqual(["live"])
        })
      )
    })
  )

  it.live("records times that do not fit into a 64-bit number of nanoseconds", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const times = [2n ** 63n, -(2n ** 63n) - 1n, 15_000_000_000_000_000_000n, 2n ** 63n * 1_000_000_000n, -1n]
      yield* using(stateDir, (ledger) =>
        Effect.forEach(times, (mtimeNs, at) =>
          store(ledger, `${at}`, content(10, "a"), { stat: { ...stat, mtimeNs, ctimeNs: mtimeNs } })
        )
      )
      const foundAt = (shift: bigint) =>
        times.map((time, at) => found(`${at}`, { mtimeNs: time + shift, ctimeNs: time + shift }))
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          expect(yield* statesOf(ledger, foundAt(0n))).toEqual(times.map(() => "final"))
          expect(yield* statesOf(ledger, foundAt(1n))).toEqual(times.map(() => undefined))
        })
      )
    })
  )

  it.live("adopts the ctime of a file that an older version stored without it", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      yield* using(stateDir, (ledger) => store(ledger, "a", content(10, "a")))
      const db = new DatabaseSync(join(stateDir, "ledger.db"))
      db.exec("UPDATE files SET ctime_ns = NULL")
      db.close()
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          expect(yield* statesOf(ledger, [found("a", { mtimeNs: 1n })]), "another mtime").toEqual([undefined])
          expect(yield* statesOf(ledger, [found("a", { ctimeNs: 5n })])).toEqual(["final"])
        })
      )
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          expect(yield* statesOf(ledger, [found("a", { ctimeNs: 5n })])).toEqual(["final"])
          expect(yield* statesOf(ledger, [found("a")])).toEqual([undefined])
        })
      )
    })
  )

  it.live("treats an announced upload with no result as the object's longest possible content", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          yield* store(ledger, "a", content(10, "a"))
          yield* ledger.markPending("a")
          yield* ledger.announce("a", 1, content(20, "b"))
        })
      )
      const known = yield* using(stateDir, (ledger) => ledger.markPending("a"))
      expect(known).toEqual({ generation: 1, content: content(20, "b"), acknowledged: undefined })
    })
  )

  it.live("restores the previous entry, even of an upload in doubt, when an announcement is withdrawn", () =>
    using(emptyDirectory(), (ledger) =>
      Effect.gen(function* () {
        yield* ledger.markPending("a")
        yield* ledger.announce("a", 1, content(20, "b"))
        yield* ledger.withdrawAnnouncement("a", undefined)
        expect(yield* ledger.markPending("a")).toBeUndefined()
        yield* ledger.announce("a", 1, content(20, "b"))
        const before = yield* ledger.markPending("a")
        yield* ledger.announce("a", 2, content(30, "c"))
        yield* ledger.withdrawAnnouncement("a", before)
        expect(yield* ledger.markPending("a")).toEqual(before)
        yield* store(ledger, "a", content(10, "a"))
        const known = yield* ledger.markPending("a")
        yield* ledger.reserveGeneration("a", 2, "")
        yield* ledger.announce("a", 2, content(30, "c"))
        yield* ledger.withdrawAnnouncement("a", known)
        expect(yield* ledger.markPending("a"), "reserving a key does not change the generation").toEqual(known)
      })
    )
  )

  it.live("writes an announcement to disk before the ledger is closed", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const scope = yield* Scope.make()
      const ledger = yield* Scope.extend(open(stateDir), scope)
      yield* ledger.markPending("a")
      yield* ledger.announce("a", 1, content(20, "b"))
      const other = new DatabaseSync(join(stateDir, "ledger.db"), { readOnly: true })
      expect(other.prepare("SELECT path, size FROM attempts").all()).toMatchObject([{ path: "a", size: 20 }])
      other.close()
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.live("never reserves one key for two files", () =>
    using(emptyDirectory(), (ledger) =>
      Effect.gen(function* () {
        const reserve = (path: string, least: number) =>
          Effect.zipRight(ledger.markPending(path), ledger.reserveGeneration(path, least, ""))
        expect(yield* reserve("s.jsonl", 1)).toBe(1)
        expect(yield* reserve("s.jsonl", 2)).toBe(2)
        expect(yield* reserve("s.jsonl", 2), "the same again, because it was not used").toBe(2)
        expect(yield* reserve("s.g2.jsonl", 1), "its name is another file's key").toBe(2)
        expect(yield* reserve("s.g4.jsonl", 1)).toBe(1)
        expect(yield* reserve("s.jsonl", 3)).toBe(3)
        expect(yield* reserve("s.jsonl", 4), "another file has that name").toBe(5)
      })
    )
  )

  it.live("never reserves a compressed key that another file has used or may use", () =>
    using(emptyDirectory(), (ledger) =>
      Effect.gen(function* () {
        const reserve = (path: string, least: number, suffix: KeySuffix = "") =>
          Effect.zipRight(ledger.markPending(path), ledger.reserveGeneration(path, least, suffix))
        expect(yield* reserve("a.jsonl", 1, ".zst")).toBe(1)
        expect(yield* reserve("a.jsonl.zst", 1), "a.jsonl is stored under that name").toBe(2)
        expect(yield* reserve("b.jsonl.zst", 1)).toBe(1)
        expect(yield* reserve("b.jsonl", 1, ".zst"), "another file has that name").toBe(2)
        expect(yield* reserve("b.jsonl", 2, ".zst"), "the same again").toBe(2)
        expect(yield* reserve("b.jsonl.gz", 1), "no file has that suffix yet").toBe(1)
        expect(yield* reserve("b.jsonl", 2, ".gz")).toBe(2)
        expect(yield* reserve("b.g2.jsonl.gz", 1)).toBe(2)
        expect(yield* reserve("b.g3.jsonl.gz", 1)).toBe(1)
        expect(yield* reserve("b.jsonl", 3), "it may be compressed again").toBe(4)
        expect(yield* reserve("c.g2.jsonl.zst", 1)).toBe(1)
        expect(yield* reserve("c.jsonl", 1)).toBe(1)
        expect(yield* reserve("c.jsonl", 2), "it was never compressed").toBe(2)
        expect(yield* reserve("c.jsonl", 2, ".zst"), "now it is compressed").toBe(3)
        expect(yield* reserve("d.g2.jsonl", 1)).toBe(1)
        expect(yield* reserve("d.jsonl", 2, ".zst"), "it may be stored uncompressed again").toBe(3)
        expect(yield* reserve("e.g2.jsonl", 1, ".zst")).toBe(1)
        expect(yield* reserve("e.jsonl", 2, ".zst")).toBe(3)
        expect(yield* reserve("e.g2.jsonl", 1, ".zst"), "the key that e.jsonl skipped").toBe(1)
      })
    )
  )

  it.live("remembers every suffix that a file's keys have had", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          yield* store(ledger, "a.jsonl", content(10, "a"))
          yield* ledger.reserveGeneration("a.jsonl", 1, ".zst")
          yield* ledger.reserveGeneration("a.jsonl", 1, ".gz")
        })
      )
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          for (const path of ["a.jsonl.zst", "a.jsonl.gz"]) {
            yield* ledger.markPending(path)
            expect(yield* ledger.reserveGeneration(path, 1, ""), path).toBe(2)
          }
        })
      )
    })
  )

  it.live("forgets a file with nothing to store, if this run was the first to see the file", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const later = Date.now() + 1_000_000
      const paths = (ledger: OpenLedger) =>
        Effect.map(ledger.unfinishedFiles("", 10), (all) => all.map(({ path }) => path))
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          yield* Effect.forEach(["new", "old", "tried"], ledger.markPending)
          yield* ledger.announce("tried", 1, content(1, "a"))
          yield* ledger.clearPending("new")
          expect(yield* paths(ledger)).toEqual(["old", "tried"])
        })
      )
      yield* using(
        stateDir,
        (ledger) =>
          Effect.gen(function* () {
            yield* ledger.clearPending("old")
            expect(yield* paths(ledger), "an earlier run saw it").toEqual(["old", "tried"])
          }),
        later
      )
    })
  )

  it.live("lists pending and live files page by page until they are deleted", () =>
    using(emptyDirectory(), (ledger) =>
      Effect.gen(function* () {
        yield* store(ledger, "final", content(1, "a"))
        yield* store(ledger, "live", content(1, "a"), { state: "live" })
        yield* Effect.forEach(["p1", "p2"], ledger.markPending)
        expect(yield* ledger.unfinishedFiles("", 2)).toEqual([
          { path: "live", pending: false, acknowledgedAt: expect.any(Number) },
          { path: "p1", pending: true, acknowledgedAt: undefined }
        ])
        expect(yield* ledger.unfinishedFiles("p1", 2)).toMatchObject([{ path: "p2", pending: true }])
        yield* ledger.markGone("p1", true)
        yield* ledger.markGone("live", false)
        expect((yield* ledger.unfinishedFiles("", 10)).map(({ path }) => path)).toEqual(["p2"])
        yield* ledger.markPending("p1")
        expect(
          (yield* ledger.unfinishedFiles("", 10)).map(({ path }) => path),
          "p1 exists again"
        ).toEqual(["p1", "p2"])
      })
    )
  )

  it.live("lists the start times of earlier runs, latest first, and no files of another input directory", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const openWith = (input: string, startedAt: number) =>
        Effect.flatMap(Ledger, (ledger) => ledger.open({ id: "r", startedAt })).pipe(
          Effect.flatMap((ledger) =>
            Effect.map(ledger.unfinishedFiles("", 10), (files) => ({
              files: files.length,
              previousRuns: ledger.previousRuns
            }))
          ),
          Effect.scoped,
          Effect.provide(Sqlite.layer(settingsWith({ stateDir, input })))
        )
      yield* using(stateDir, (ledger) => ledger.markPending("a"), 1000)
      const later = Date.now() + 1_000_000
      expect(yield* openWith("/in", 2000)).toEqual({ files: 1, previousRuns: [1000] })
      expect(yield* openWith("/elsewhere", later)).toEqual({ files: 0, previousRuns: [2000, 1000] })
      expect(yield* openWith("/elsewhere", later + 1)).toEqual({ files: 0, previousRuns: [later, 2000, 1000] })
    })
  )

  it.effect("lists unfinished files even if the clock was ahead in an earlier run", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      // after this run, the ledger knows the input directory
      yield* using(stateDir, () => Effect.void, 2_000_000_000_000)
      yield* TestClock.setTime(1000)
      yield* using(
        stateDir,
        (ledger) => Effect.zipRight(ledger.markPending("a"), store(ledger, "b", content(1, "a"), { state: "live" })),
        1000
      )
      const files = yield* using(stateDir, (ledger) => ledger.unfinishedFiles("", 10), 2000)
      expect(files.map(({ path }) => path)).toEqual(["a", "b"])
    })
  )

  it.effect(
    "keeps a pending file pending if nothing of it can be sent, even if the clock was ahead in an earlier run",
    () =>
      Effect.gen(function* () {
        const stateDir = emptyDirectory()
        yield* TestClock.setTime(2_000_000_000_000)
        yield* using(stateDir, (ledger) => ledger.markPending("a"), 2_000_000_000_000)
        const files = yield* using(
          stateDir,
          (ledger) =>
            Effect.gen(function* () {
              yield* ledger.markPending("a")
              yield* ledger.clearPending("a")
              return yield* ledger.unfinishedFiles("", 10)
            }),
          1000
        )
        expect(files).toMatchObject([{ path: "a", pending: true }])
      })
  )

  it.live("can be opened by only one run at a time", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const second = yield* using(stateDir, () => Effect.flip(Effect.scoped(open(stateDir))))
      expect(second._tag).toBe("Locked")
      yield* Effect.scoped(open(stateDir))
    })
  )

  it.live("finds the latest snapshot of a directory, and remembers how long the collector keeps snapshots", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const paths = [
        "d/snapshot_2026112214.jsonl",
        "d/snapshot_2026112215.jsonl",
        "d/status.jsonl",
        "e/snapshot_2026112216.jsonl"
      ]
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          for (const path of paths) yield* ledger.markPending(path)
          yield* ledger.markGone(paths[1]!, true)
          expect(ledger.retention).toBeUndefined()
          expect(yield* ledger.latestSnapshot("d/")).toBe(paths[1])
          expect(yield* ledger.latestSnapshot("d/", paths[1])).toBe(paths[0])
          expect(yield* ledger.latestSnapshot("d/", paths[0])).toBeUndefined()
          expect(yield* ledger.latestSnapshot("")).toBeUndefined()
          yield* ledger.rememberRetention({ least: 1.4, most: undefined })
        })
      )
      yield* using(stateDir, (ledger) => {
        expect(ledger.retention).toEqual({ least: 1, most: undefined })
        return ledger.rememberRetention({ least: 2, most: 3 })
      })
      yield* using(stateDir, (ledger) => Effect.sync(() => expect(ledger.retention).toEqual({ least: 2, most: 3 })))
    })
  )
})

import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Exit, Scope, TestClock } from "effect"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { ContentDigest } from "../../../src/domain/ContentDigest.ts"
import * as ObjectKey from "../../../src/domain/ObjectKey.ts"
import type { KeptPart } from "../../../src/domain/Resumption.ts"
import { type StartedUpload, Ledger, type OpenLedger } from "../../../src/services/Ledger.ts"
import * as Schema from "../../../src/services/Ledger/Schema.ts"
import * as Sqlite from "../../../src/services/Ledger/Sqlite.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"

const MiB = 1024 ** 2
const prefix = Either.getOrThrow(ObjectKey.parsePrefix("p"))

const upload = (path: string, uploadId: string): StartedUpload => ({
  uploadId,
  key: Either.getOrThrow(ObjectKey.of(prefix, path)),
  generation: 2,
  state: "live",
  partSizeBytes: 8 * MiB,
  attributes: "digest",
  checksum: "MD5",
  sizeBytes: 20 * MiB
})
const part = (number: number, byte: string): KeptPart => ({
  number,
  sizeBytes: number,
  sha256: byte.repeat(64),
  etag: `"${byte}"`,
  checksum: undefined
})
const digest: ContentDigest = { sizeBytes: 1, digest: "a".repeat(64), head: "b".repeat(64) }

const open = (stateDir: string, bucket = "b") =>
  Effect.flatMap(Ledger, (ledger) => ledger.open({ id: "run", startedAt: 0 })).pipe(
    Effect.provide(Sqlite.layer(settingsWith({ stateDir, bucket })))
  )
const using = <A, E>(stateDir: string, use: (ledger: OpenLedger) => Effect.Effect<A, E>, bucket?: string) =>
  Effect.scoped(Effect.flatMap(open(stateDir, bucket), use))

describe("the ledger's multipart uploads", () => {
  it.effect("are known to the target's next run with their parts, and to no other target", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      yield* TestClock.setTime(5000)
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          expect(yield* ledger.keptUpload("a")).toBeUndefined()
          yield* ledger.uploadStarted("a", upload("a", "u1"))
          yield* ledger.partStored("a", part(2, "c"))
          yield* ledger.partStored("a", part(1, "d"))
          yield* ledger.partStored("a", part(2, "e"))
          yield* TestClock.adjust("1 second")
          yield* ledger.uploadStarted("b", upload("b", "u2"))
        })
      )
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          expect(yield* ledger.keptUpload("a")).toEqual({
            ...upload("a", "u1"),
            usedAt: 5000,
            parts: new Map([
              [1, part(1, "d")],
              [2, part(2, "e")]
            ])
          })
          expect((yield* ledger.keptUpload("b"))?.parts).toEqual(new Map())
        })
      )
      expect(yield* using(stateDir, (ledger) => ledger.keptUpload("a"), "other")).toBeUndefined()
    })
  )

  it.effect("count as used when a part is stored and when they are resumed", () =>
    using(emptyDirectory(), (ledger) =>
      Effect.gen(function* () {
        const usage = Effect.map(ledger.keptUpload("a"), (kept) => [kept?.usedAt, kept?.sizeBytes])
        yield* ledger.uploadStarted("a", upload("a", "u"))
        expect(yield* usage).toEqual([0, 20 * MiB])
        yield* TestClock.adjust("1 second")
        yield* ledger.partStored("a", part(1, "c"))
        expect(yield* usage).toEqual([1000, 20 * MiB])
        yield* TestClock.adjust("1 second")
        yield* ledger.uploadResumed("a", 21 * MiB)
        expect(yield* usage).toEqual([2000, 21 * MiB])
      })
    )
  )

  it.live("are limited to one per file, and are forgotten with their parts when they end", () =>
    using(emptyDirectory(), (ledger) =>
      Effect.gen(function* () {
        yield* ledger.uploadStarted("a", upload("a", "u1"))
        yield* ledger.partStored("a", part(1, "c"))
        yield* ledger.uploadStarted("a", upload("a", "u2"))
        expect(yield* ledger.keptUpload("a")).toMatchObject({ uploadId: "u2", parts: new Map() })
        yield* ledger.partStored("a", part(1, "c"))
        yield* ledger.uploadEnded("a")
        expect(yield* ledger.keptUpload("a")).toBeUndefined()
        yield* ledger.uploadStarted("a", upload("a", "u3"))
        expect((yield* ledger.keptUpload("a"))?.parts).toEqual(new Map())
      })
    )
  )

  it.live("are on disk before the ledger is closed", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const scope = yield* Scope.make()
      const ledger = yield* Scope.extend(open(stateDir), scope)
      yield* ledger.uploadStarted("a", upload("a", "u"))
      const other = new DatabaseSync(join(stateDir, "ledger.db"), { readOnly: true })
      expect(other.prepare("SELECT path, upload_id FROM uploads").all()).toMatchObject([{ path: "a", upload_id: "u" }])
      other.close()
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.live("are listed page by page, and show whether their file is stored", () =>
    using(emptyDirectory(), (ledger) =>
      Effect.gen(function* () {
        for (const path of ["a", "b", "c"]) yield* ledger.uploadStarted(path, upload(path, `u-${path}`))
        yield* ledger.markPending("b")
        yield* ledger.markPending("c")
        yield* ledger.announce("c", 1, digest)
        const stat = { size: 1n, mtimeNs: 1n, ctimeNs: 1n, dev: 1n, ino: 1n }
        const { key } = upload("c", "u")
        const object = {
          key,
          generation: 1,
          content: digest,
          objectBytes: digest.sizeBytes,
          state: "final",
          stat,
          etag: "e",
          versionId: undefined
        } as const
        yield* ledger.acknowledge("c", object)
        const rows = (yield* ledger.unfinishedUploads("", 2)).map(({ path, isStored, uploadId }) => [
          path,
          uploadId,
          isStored
        ])
        expect(rows, "a is not pending").toEqual([
          ["a", "u-a", true],
          ["b", "u-b", false]
        ])
        expect(yield* ledger.unfinishedUploads("b", 2)).toMatchObject([{ path: "c", key: "p/c", isStored: true }])
      })
    )
  )
})

describe("the checksum of a part", () => {
  it.effect("is known to the next run only if the store confirmed it", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const checksum = Buffer.from("c".repeat(64), "hex").toString("base64")
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          yield* ledger.uploadStarted("a", { ...upload("a", "u"), checksum: "SHA256" })
          yield* ledger.partStored("a", { ...part(1, "c"), checksum })
          yield* ledger.partStored("a", part(2, "d"))
        })
      )
      const kept = yield* using(stateDir, (ledger) => ledger.keptUpload("a"))
      expect(kept?.parts.get(1)?.checksum).toBe(checksum)
      expect(kept?.parts.get(2)?.checksum).toBeUndefined()
    })
  )

  it.live("is named in the completion of an upload that an older version began", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const db = new DatabaseSync(join(stateDir, "ledger.db"))
      Schema.migrate(db, 6)
      db.exec(`
        INSERT INTO targets (endpoint, bucket, prefix, mapping, input, input_since) VALUES ('', 'b', 'p', 'path', '/in', 0);
        INSERT INTO uploads (target, path, upload_id, key, generation, state, part_size, attributes, size, used_at, checksum)
          VALUES (1, 'a', 'u', 'p/a', 1, 'final', 8388608, 'x', 20971520, 1, 'SHA256');
        INSERT INTO parts VALUES (1, 'a', 1, 8388608, x'${"cc".repeat(32)}', '"e"')`)
      db.close()
      const kept = yield* using(stateDir, (ledger) => ledger.keptUpload("a"))
      expect(kept?.parts.get(1)?.checksum).toBe(Buffer.from("cc".repeat(32), "hex").toString("base64"))
    })
  )
})

describe("a ledger from a version that kept no uploads", () => {
  it.live("keeps its files and their digests of the whole content", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const db = new DatabaseSync(join(stateDir, "ledger.db"))
      Schema.migrate(db, 2)
      db.exec(`
        INSERT INTO targets (endpoint, bucket, prefix, mapping, input, input_since) VALUES ('', 'b', 'p', 'path', '/in', 0);
        INSERT INTO files (target, path, first_seen, generation, key, size, digest, head, state)
          VALUES (1, 'a', 0, 1, 'p/a', 20000000, x'${"ab".repeat(32)}', x'${"cd".repeat(32)}', 'final')`)
      db.close()
      const content = { sizeBytes: 20_000_000, digest: "ab".repeat(32), head: "cd".repeat(32) }
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          expect(ledger.setAside).toBeUndefined()
          expect(yield* ledger.markPending("a")).toEqual({ generation: 1, content, acknowledged: "final" })
          const blocks = { ...content, digest: `${"ef".repeat(32)}-10000` }
          yield* ledger.announce("a", 1, blocks)
          expect((yield* ledger.markPending("a"))?.content).toEqual(blocks)
        })
      )
    })
  )
})

describe("a ledger from a version that used CRC-32", () => {
  it.live("switches to SHA-256, keeps MD5 for a store that accepts nothing else, and keeps its CRC-32 upload", () =>
    Effect.gen(function* () {
      const stateDir = emptyDirectory()
      const db = new DatabaseSync(join(stateDir, "ledger.db"))
      Schema.migrate(db, 4)
      db.exec(`
        INSERT INTO targets (endpoint, bucket, prefix, mapping, input, input_since, checksum)
          VALUES ('', 'b', 'p', 'path', '/in', 0, 'CRC32'), ('', 'old', 'p', 'path', '/in', 0, 'MD5');
        INSERT INTO uploads VALUES (1, 'a', 'u', 'p/a', 1, 'final', 8388608, 'x', 'CRC32', 20971520, 1);
        INSERT INTO parts VALUES (1, 'a', 1, 8388608, x'${"cc".repeat(32)}', '"e"', 'AAAAAA==')`)
      db.close()
      yield* using(stateDir, (ledger) =>
        Effect.gen(function* () {
          expect(ledger.setAside).toBeUndefined()
          expect(ledger.checksum).toBe("SHA256")
          const kept = yield* ledger.keptUpload("a")
          expect(kept).toMatchObject({ uploadId: "u", checksum: "CRC32" })
          expect(kept?.parts.get(1)?.checksum).toBeUndefined()
          yield* ledger.uploadStarted("a", { ...upload("a", "u2"), checksum: "none" })
          yield* ledger.rememberChecksum("none")
        })
      )
      expect(yield* using(stateDir, (ledger) => Effect.succeed(ledger.checksum), "old")).toBe("MD5")
      expect(yield* using(stateDir, (ledger) => Effect.succeed(ledger.checksum))).toBe("none")
      expect(yield* using(stateDir, (ledger) => ledger.keptUpload("a"))).toMatchObject({ checksum: "none" })
    })
  )
})

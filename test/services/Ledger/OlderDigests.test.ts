/** Ledgers of older versions contain one SHA-256 of a whole large file instead of a block digest. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { appendFileSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as MemoryStore from "../../../scripts/simulate/MemoryStore.ts"
import { exportOnce } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"

const MiB = 1024 ** 2

describe("a large file that an older version stored", () => {
  it.live("is recognised as touched, grown or replaced", () => {
    const settings = settingsWith({ input: emptyDirectory(), stateDir: emptyDirectory() })
    const path = join(settings.input, "a.jsonl")
    const content = Buffer.alloc(20 * MiB, "line\n")
    let mtime = Date.now() / 1000 - 864_000
    const touch = () => utimesSync(path, ++mtime, mtime)
    const store = MemoryStore.make()
    const run = Effect.map(exportOnce(settings, store.layer), ({ totals }) => totals)
    return Effect.gen(function* () {
      writeFileSync(path, content)
      touch()
      yield* run
      const db = new DatabaseSync(join(settings.stateDir, "ledger.db"))
      db.prepare("UPDATE files SET digest = ?").run(createHash("sha256").update(content).digest())
      db.close()
      touch()
      expect(yield* run).toMatchObject({ unchanged: 1, uploaded: 0 })
      appendFileSync(path, "more\n")
      touch()
      expect(yield* run).toMatchObject({ uploaded: 1 })
      expect([...store.versions.keys()]).toEqual(["p/a.jsonl"])
      content[15 * MiB] = 0x2e
      writeFileSync(path, content)
      touch()
      expect(yield* run).toMatchObject({ uploaded: 1 })
      expect([...store.versions.keys()]).toEqual(["p/a.jsonl", "p/a.g2.jsonl"])
    })
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Found } from "../../src/domain/SourceFile.ts"
import { Traversal } from "../../src/services/Traversal.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"

const found = (input: string, followSymlinks = false) =>
  Effect.gen(function* () {
    const traversal = yield* Traversal
    return Chunk.toReadonlyArray(yield* Stream.runCollect(traversal.files(input)))
  }).pipe(Effect.provide(Traversal.layer({ followSymlinks })))

const shown = (item: Found) =>
  item._tag === "File"
    ? item.file.relativePath
    : `${item._tag === "Skipped" ? item.why : "unreadable"}: ${item.relativePath}`

describe("Traversal", () => {
  it.live("finds the files of a directory oldest first, then the files of its subdirectories", () =>
    Effect.gen(function* () {
      const input = tree({
        "status.jsonl": "",
        "snapshot_2026112215.jsonl": "",
        "snapshot_2026112214.jsonl": "",
        "snapshot_1700000000.jsonl": "",
        "b/1.jsonl": "",
        "a/2.jsonl": "",
        "a/1.jsonl": "",
        "a/a/3.jsonl": ""
      })
      expect((yield* found(input)).map(shown)).toEqual([
        "snapshot_1700000000.jsonl",
        "snapshot_2026112214.jsonl",
        "snapshot_2026112215.jsonl",
        "status.jsonl",
        "a/1.jsonl",
        "a/2.jsonl",
        "a/a/3.jsonl",
        "b/1.jsonl"
      ])
    })
  )

  it.live("visits the current run directories first, then the older ones, newest first", () =>
    Effect.gen(function* () {
      const input = tree({
        "note.jsonl": "",
        "a/1.jsonl": "",
        "eth0/ibsr-20261101-000000Z/1.jsonl": "",
        "eth0/ibsr-20261122-141500Z/1.jsonl": "",
        "eth1/ibsr-20261110-000000Z/1.jsonl": "",
        "eth1/ibsr-20261115-000000Z/1.jsonl": "",
        "ibsr-20261120-141500Z/snapshot_2026112015.jsonl": "",
        "ibsr-20261120-141500Z/snapshot_2026112014.jsonl": "",
        "ibsr-20261118-000000Z/1.jsonl": "",
        "ibsr-20261119-000000Z/1.jsonl": "",
        "ibsr-payload-20261112-000000Z/1.jsonl": ""
      })
      expect((yield* found(input)).map(shown)).toEqual([
        "note.jsonl",
        "ibsr-20261120-141500Z/snapshot_2026112014.jsonl",
        "ibsr-20261120-141500Z/snapshot_2026112015.jsonl",
        "ibsr-payload-20261112-000000Z/1.jsonl",
        "a/1.jsonl",
        "eth0/ibsr-20261122-141500Z/1.jsonl",
        "eth1/ibsr-20261115-000000Z/1.jsonl",
        "ibsr-20261119-000000Z/1.jsonl",
        "ibsr-20261118-000000Z/1.jsonl",
        "eth1/ibsr-20261110-000000Z/1.jsonl",
        "eth0/ibsr-20261101-000000Z/1.jsonl"
      ])
    })
  )

  it.live("yields paths that can be opened, even if the input ends in a slash", () =>
    Effect.gen(function* () {
      const input = tree({ "a/b.jsonl": "" })
      const [first] = yield* found(`${input}/`)
      expect(first).toMatchObject({ file: { path: join(input, "a/b.jsonl"), relativePath: "a/b.jsonl" } })
    })
  )

  it.live("yields links and special files without following or opening them", () =>
    Effect.gen(function* () {
      const input = tree({ "a.jsonl": "" })
      symlinkSync("a.jsonl", join(input, "link.jsonl"))
      symlinkSync("/", join(input, "root"))
      execFileSync("mkfifo", [join(input, "fifo.jsonl")])
      expect((yield* found(input)).map(shown).toSorted()).toEqual([
        "a.jsonl",
        "special: fifo.jsonl",
        "symlink: link.jsonl",
        "symlink: root"
      ])
    })
  )

  it.live("follows links with --follow-symlinks, and stops at a cycle", () =>
    Effect.gen(function* () {
      const elsewhere = tree({ "x.jsonl": "" })
      const input = tree({ "a/a.jsonl": "" })
      symlinkSync("a/a.jsonl", join(input, "file.jsonl"))
      symlinkSync(elsewhere, join(input, "else"))
      symlinkSync("..", join(input, "a/up"))
      symlinkSync("nowhere", join(input, "dead.jsonl"))
      symlinkSync("self.jsonl", join(input, "self.jsonl"))
      expect((yield* found(input, true)).map(shown).toSorted()).toEqual([
        "a/a.jsonl",
        "dead-link: a/up",
        "dead-link: dead.jsonl",
        "dead-link: self.jsonl",
        "else/x.jsonl",
        "file.jsonl"
      ])
    })
  )

  it.live("fails for a missing input, and for an input that is a file", () =>
    Effect.gen(function* () {
      const input = tree({ "a.jsonl": "" })
      expect((yield* Effect.flip(found(join(input, "missing"))))._tag).toBe("InputUnusable")
      expect((yield* Effect.flip(found(join(input, "a.jsonl"))))._tag).toBe("InputUnusable")
    })
  )

  it.live("finds every file of a directory that is larger than a sorted block", () =>
    Effect.gen(function* () {
      const input = emptyDirectory()
      mkdirSync(join(input, "d"))
      for (let at = 0; at < 20_000; at++) writeFileSync(join(input, "d", `${at}.jsonl`), "")
      const names = new Set((yield* found(input)).map(shown))
      expect(names.size).toBe(20_000)
    })
  )

  it.live("does not list a directory outside the input that replaces one inside it", () =>
    Effect.gen(function* () {
      const outside = tree({ "secret.jsonl": "", "b/secret.jsonl": "" })
      // a full chunk of files (the link counts as one), so that the next directory is listed only after the last file
      // was seen
      const chunk = Array.from({ length: 1024 }, (_, at) => `${String(at).padStart(4, "0")}.jsonl`)
      const input = tree({ "a/x.jsonl": "", "c/b/y.jsonl": "" })
      for (const file of [...chunk, ...chunk.map((name) => `c/${name}`)]) writeFileSync(join(input, file), "")
      const replace = (name: string) => {
        renameSync(join(input, name), join(outside, `was-${name}`))
        symlinkSync(outside, join(input, name))
      }
      const replacing = (item: Found) =>
        Effect.sync(() => {
          if (shown(item) === "1023.jsonl") replace("a")
          if (shown(item) === "c/1022.jsonl") replace("c")
          return shown(item)
        })
      const traversal = yield* Traversal
      const seen = yield* Stream.runCollect(Stream.mapEffect(traversal.files(input), replacing))
      const others = Chunk.toReadonlyArray(seen).filter((text) => !chunk.includes(text.replace(/^c\//, "")))
      expect(others).toEqual(["symlink: a/", "unreadable: c/b/"])
    }).pipe(Effect.provide(Traversal.layer({ followSymlinks: false })))
  )
})

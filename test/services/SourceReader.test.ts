import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, symlinkSync, truncateSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import * as SourceReader from "../../src/services/SourceReader.ts"
import { tree } from "../fixtures/Tree.ts"

const open = (path: string, followSymlinks = false) =>
  SourceReader.open({ path, relativePath: "a.jsonl" }, { followSymlinks })

describe("SourceReader", () => {
  it.scopedLive("reads what the file was when it was opened, though it grows", () =>
    Effect.gen(function* () {
      const path = join(tree({ "a.jsonl": "one\n" }), "a.jsonl")
      const source = yield* open(path)
      appendFileSync(path, "two\n")
      expect(source.sizeBytes).toBe(4)
      expect(Buffer.from(yield* source.bytes).toString()).toBe("one\n")
      const pieces = yield* Effect.promise(() => Array.fromAsync(source.pieces()))
      expect(Buffer.concat(pieces).toString()).toBe("one\n")
    })
  )

  it.scopedLive("reads a file to its end that is rotated away after it was opened", () =>
    Effect.gen(function* () {
      const path = join(tree({ "a.jsonl": "one\n" }), "a.jsonl")
      const source = yield* open(path)
      unlinkSync(path)
      expect(Buffer.from(yield* source.bytes).toString()).toBe("one\n")
    })
  )

  it.scopedLive("fails when the file shrinks before it was read", () =>
    Effect.gen(function* () {
      const path = join(tree({ "a.jsonl": "one\ntwo\n" }), "a.jsonl")
      const source = yield* open(path)
      truncateSync(path, 3)
      const error = yield* Effect.flip(source.bytes)
      expect(error.message).toContain("shrank from 8 to 3 bytes")
      const pieces = yield* Effect.exit(Effect.promise(() => Array.fromAsync(source.pieces())))
      expect(Exit.isFailure(pieces)).toBe(true)
    })
  )

  it.scopedLive("tells a file that vanished from one that cannot be read", () =>
    Effect.gen(function* () {
      const root = tree({ "a.jsonl": "" })
      expect((yield* Effect.flip(open(join(root, "gone.jsonl"))))._tag).toBe("Vanished")
      // a file where a directory should be: it was replaced meanwhile
      expect((yield* Effect.flip(open(join(root, "a.jsonl/b.jsonl"))))._tag).toBe("Vanished")
    })
  )

  it.scopedLive("refuses a link, a FIFO and a directory that took the place of a file, without waiting", () =>
    Effect.gen(function* () {
      const root = tree({ "a.jsonl": "", "d/x": "" })
      symlinkSync("a.jsonl", join(root, "link.jsonl"))
      execFileSync("mkfifo", [join(root, "fifo.jsonl")])
      expect(yield* Effect.flip(open(join(root, "link.jsonl")))).toMatchObject({ _tag: "NotRegular", why: "symlink" })
      expect(yield* Effect.flip(open(join(root, "fifo.jsonl")))).toMatchObject({ _tag: "NotRegular", why: "special" })
      expect(yield* Effect.flip(open(join(root, "d")))).toMatchObject({ _tag: "NotRegular", why: "special" })
      expect((yield* open(join(root, "link.jsonl"), true)).sizeBytes).toBe(0)
    })
  )
})

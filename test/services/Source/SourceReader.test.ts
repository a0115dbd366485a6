import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Exit } from "effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { SourceUnreadable } from "../../../src/domain/Errors.ts"
import * as Containment from "../../../src/services/Source/Containment.ts"
import { isTruncated } from "../../../src/services/Source/OpenFile.ts"
import * as SourceReader from "../../../src/services/Source/SourceReader.ts"
import { tree } from "../../fixtures/Tree.ts"

const openAs = (path: string, relativePath: string, followSymlinks = false) => {
  const options = { input: dirname(path), followSymlinks, finalAfter: Duration.minutes(2) }
  return SourceReader.open({ path, relativePath }, options, Containment.make(options))
}
const open = (path: string, followSymlinks?: boolean) => openAs(path, "a.jsonl", followSymlinks)

describe("SourceReader", () => {
  it.scopedLive("reads the content as it was when the file was opened, even if the file grows", () =>
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

  it.scopedLive("reads an unlinked file to its end", () =>
    Effect.gen(function* () {
      const path = join(tree({ "a.jsonl": "one\n" }), "a.jsonl")
      const source = yield* open(path)
      unlinkSync(path)
      expect(Buffer.from(yield* source.bytes).toString()).toBe("one\n")
    })
  )

  it.scopedLive("fails when the file was truncated before it was read", () =>
    Effect.gen(function* () {
      const path = join(tree({ "a.jsonl": "one\ntwo\n" }), "a.jsonl")
      const source = yield* open(path)
      truncateSync(path, 3)
      const error = yield* Effect.flip(source.bytes)
      expect(error.message).toContain("it was truncated while it was read")
      const pieces = yield* Effect.exit(Effect.promise(() => Array.fromAsync(source.pieces())))
      expect(Exit.isFailure(pieces)).toBe(true)
    })
  )

  it.scopedLive.each([
    ["with another beginning", "TWO\nTHREE\n"],
    ["with the same beginning and another end", "one\ntwo three\n"]
  ] as const)("fails when the file was truncated and has grown again %s", ([, content]) =>
    Effect.gen(function* () {
      const path = join(tree({ "a.jsonl": "" }), "a.jsonl")
      writeFileSync(path, "one\ntwo\n")
      const source = yield* open(path)
      truncateSync(path)
      appendFileSync(path, content)
      expect(isTruncated(yield* Effect.flip(source.bytes))).toBe(true)
      const pieces = yield* Effect.flip(
        Effect.tryPromise({ try: () => Array.fromAsync(source.pieces()), catch: (error) => error as SourceUnreadable })
      )
      expect(isTruncated(pieces)).toBe(true)
    })
  )

  it.scopedLive.each([
    ["one and a half lines", "one\ntw", 4],
    ["two lines", "one\ntwo\n", 8],
    ["a line and a long half", `one\n${"x".repeat(600_000)}`, 4],
    ["a long line and a half", `${"x".repeat(600_000)}\ny`, 600_001]
  ] as const)("reads only the complete lines of a live file of %s", ([, content, bytes]) =>
    Effect.gen(function* () {
      const path = join(tree({ "a.jsonl": "" }), "a.jsonl")
      writeFileSync(path, content)
      const source = yield* open(path)
      expect(source).toMatchObject({ sizeBytes: bytes, state: "live", torn: false })
      expect(Buffer.from(yield* source.bytes).toString()).toBe(content.slice(0, bytes))
    })
  )

  it.scopedLive.each(["", "half a line", "x".repeat(600_000)])(
    "reports NotReady for a live file without a complete line",
    (content) =>
      Effect.gen(function* () {
        const path = join(tree({ "a.jsonl": "" }), "a.jsonl")
        writeFileSync(path, content)
        expect((yield* Effect.flip(open(path)))._tag).toBe("NotReady")
      })
  )

  it.scopedLive(
    "searches only the last 64 MiB for a line break: without one, fails a live file and sends a final file as torn",
    () =>
      Effect.gen(function* () {
        const path = join(tree({ "a.jsonl": "one\n" }), "a.jsonl")
        truncateSync(path, 2 ** 41)
        expect(yield* Effect.flip(open(path))).toMatchObject({ _tag: "SourceUnreadable", code: "NO_LINE_BREAK" })
        utimesSync(path, 1, 1)
        expect(yield* open(path)).toMatchObject({ sizeBytes: 2 ** 41, state: "final", torn: true })
      })
  )

  it.scopedLive("fails a file that is larger than any object", () =>
    Effect.gen(function* () {
      const path = join(tree({ "a.pcap": "" }), "a.pcap")
      try {
        truncateSync(path, 2 ** 46)
      } catch {
        return // skipped if the file system does not support files of this size
      }
      expect(yield* Effect.flip(openAs(path, "a.pcap"))).toMatchObject({ _tag: "SourceUnreadable", code: "EFBIG" })
    })
  )

  it.scopedLive("reads all of a final file, and reports whether the file is torn", () =>
    Effect.gen(function* () {
      const root = tree({ "a.jsonl": "one\ntw", "b.jsonl": "one\n", "c.jsonl": "" })
      expect(yield* open(join(root, "a.jsonl"))).toMatchObject({ sizeBytes: 6, state: "final", torn: true })
      expect(yield* open(join(root, "b.jsonl"))).toMatchObject({ sizeBytes: 4, state: "final", torn: false })
      expect(yield* open(join(root, "c.jsonl"))).toMatchObject({ sizeBytes: 0, state: "final", torn: false })
    })
  )

  it.scopedLive("reads all of a live file that is not line-based", () =>
    Effect.gen(function* () {
      const path = join(tree({ "a.pcap": "" }), "a.pcap")
      writeFileSync(path, "binary")
      const source = yield* openAs(path, "a.pcap")
      expect(source).toMatchObject({ sizeBytes: 6, state: "live", torn: false })
    })
  )

  it.scopedLive("reports a vanished file", () =>
    Effect.gen(function* () {
      const root = tree({ "a.jsonl": "" })
      expect((yield* Effect.flip(open(join(root, "gone.jsonl"))))._tag).toBe("Vanished")
      // a file has replaced a directory
      expect((yield* Effect.flip(open(join(root, "a.jsonl/b.jsonl"))))._tag).toBe("Vanished")
    })
  )

  it.scopedLive("refuses a link, a FIFO and a directory in place of a file, without waiting", () =>
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

import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as ObjectKey from "../../src/domain/ObjectKey.ts"

const prefixOf = (text: string) => Either.getOrThrow(ObjectKey.parsePrefix(text))
const keyOf = (prefix: string, path: string) => ObjectKey.of(prefixOf(prefix), path)

describe("ObjectKey.parsePrefix", () => {
  it.each([
    ["", ""],
    ["/", ""],
    ["///", ""],
    ["a", "a"],
    ["/a/b", "a/b"],
    ["a/b/", "a/b"],
    ["//a/b//", "a/b"],
    ["a b/ü/日本", "a b/ü/日本"],
    [".a/..b/c..", ".a/..b/c.."]
  ])("reads %j as %j", (text, prefix) => {
    expect(ObjectKey.parsePrefix(text)).toEqual(Either.right(prefix))
  })

  it.each([
    ["an empty segment", "ibsr//snapshots", "empty segments"],
    ["the segment '.'", "a/./b", "'.' and '..'"],
    ["the segment '..'", "a/../b", "'.' and '..'"],
    ["'..' alone", "..", "'.' and '..'"],
    ["'.' at the end", "a/.", "'.' and '..'"],
    ["U+FFFD", "a/\uFFFD", "valid UTF-8"],
    ["a lone surrogate", "a/\uD800", "valid UTF-8"]
  ])("refuses %s", (_, text, reason) => {
    expect(Either.flip(ObjectKey.parsePrefix(text))).toEqual(Either.right(expect.stringContaining(reason)))
  })

  it.each([
    ["1,022 bytes of ASCII", "p".repeat(1022), true],
    ["1,023 bytes of ASCII", "p".repeat(1023), false],
    ["511 characters of two bytes", "ü".repeat(511), true],
    ["512 characters of two bytes", "ü".repeat(512), false],
    ["1,022 bytes between slashes", `/${"p".repeat(1022)}/`, true]
  ])("accepts a prefix only if it leaves room for a name of one byte: %s", (_, text, accepted) => {
    expect(Either.isRight(ObjectKey.parsePrefix(text))).toBe(accepted)
  })
})

describe("ObjectKey.of", () => {
  it("puts the path below the prefix", () => {
    expect(keyOf("/ibsr/host/", "2026/a b.jsonl")).toEqual(Either.right("ibsr/host/2026/a b.jsonl"))
  })

  it("uses the path itself at the root of the bucket", () => {
    expect(keyOf("/", "2026/a.jsonl")).toEqual(Either.right("2026/a.jsonl"))
  })

  it.each([
    ["1,024 bytes of ASCII", "", "a".repeat(1024)],
    ["1,024 bytes with the prefix", "p".repeat(500), "a".repeat(523)],
    ["1,024 bytes in characters of two bytes", "", "ü".repeat(512)],
    ["1,024 bytes in characters of four bytes", "", "😀".repeat(256)]
  ])("accepts a key of %s", (_, prefix, path) => {
    expect(Either.isRight(keyOf(prefix, path))).toBe(true)
  })

  it.each([
    ["ASCII", "", "a".repeat(1025)],
    ["ASCII with the prefix", "p".repeat(500), "a".repeat(524)],
    ["characters of two bytes", "", `${"ü".repeat(512)}a`],
    ["characters of four bytes", "", `${"😀".repeat(256)}a`]
  ])("refuses a key of 1,025 bytes: %s", (_, prefix, path) => {
    expect(Either.flip(keyOf(prefix, path))).toEqual(Either.right(expect.stringContaining("1025 bytes; 1024")))
  })

  it("refuses a name that is not UTF-8", () => {
    expect(Either.flip(keyOf("a", "d/\uFFFD.jsonl"))).toEqual(Either.right(expect.stringContaining("not valid UTF-8")))
  })

  // generates any valid path: segments of text, joined by slashes
  const segment = FastCheck.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter(
    (text) => !/[/\uFFFD]/.test(text) && text !== "." && text !== ".."
  )
  const paths = FastCheck.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"))
  const prefixes = FastCheck.constantFrom("/", "a", "a/b", "ibsr/host-17/snapshots")
  // the second path differs only slightly, because a lossy mapping could miss such a difference
  const pairs = FastCheck.oneof(
    FastCheck.tuple(paths, paths),
    paths.map((path) => [path, path.toUpperCase()] as const),
    paths.map((path) => [path, path.normalize("NFD")] as const),
    paths.map((path) => [path, `${path} `] as const),
    paths.map((path) => [path, encodeURIComponent(path)] as const),
    paths.map((path) => [path, `a/${path}`] as const)
  )

  it.prop("gives distinct paths distinct bytes", [prefixes, pairs], ([prefix, [first, second]]) => {
    const [a, b] = [keyOf(prefix, first), keyOf(prefix, second)]
    if (Either.isLeft(a) || Either.isLeft(b)) return
    expect(Buffer.from(a.right).equals(Buffer.from(b.right))).toBe(first === second)
  })

  it.prop("keeps the path unchanged", [prefixes, paths], ([prefix, path]) => {
    const below = prefixOf(prefix) === "" ? "" : `${prefix}/`
    expect(keyOf(prefix, path)).toEqual(Either.right(`${below}${path}`))
  })
})

describe("ObjectKey.contentType", () => {
  it.each([
    ["a/snapshot_1.jsonl", "application/x-ndjson"],
    ["a.json", "application/json"],
    ["a.jsonl.gz", "application/gzip"],
    ["a.jsonl.zst", "application/zstd"],
    ["a.pcap", "application/vnd.tcpdump.pcap"],
    ["a.csv", "text/csv"],
    ["a.txt", "text/plain"],
    ["README.MD", "text/markdown"],
    ["a.bin", "application/octet-stream"],
    ["noextension", "application/octet-stream"],
    ["dir.json/file", "application/octet-stream"],
    ["a.", "application/octet-stream"]
  ])("given %s, returns %s", (key, type) => {
    expect(ObjectKey.contentType(key)).toBe(type)
  })

  it.each(["a.constructor", "a.__proto__", "a.tostring"])(
    "given %s, whose extension names an object property, returns the default",
    (key) => {
      expect(ObjectKey.contentType(key)).toBe("application/octet-stream")
    }
  )

  it("returns the default for a name without an extension", () => {
    expect(ObjectKey.contentType("json")).toBe("application/octet-stream")
  })
})

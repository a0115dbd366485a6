import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Selection from "../../src/domain/Selection.ts"

const keeps = (include: ReadonlyArray<string>, exclude: ReadonlyArray<string>, path: string) =>
  Selection.make({ include, exclude }).keeps(path)

describe("keeps", () => {
  it.each([
    ["**/*.jsonl", "a.jsonl", true],
    ["**/*.jsonl", "d/a.jsonl", true],
    ["**/*.jsonl", "d/e/f/a.jsonl", true],
    ["**/*.jsonl", "a.jsonl.gz", false],
    ["**/*.jsonl", "a.JSONL", false],
    ["**/*.jsonl", ".a.jsonl", true],
    ["**/*.jsonl", ".jsonl", true],
    ["**/*.jsonl", ".d/a.jsonl", true],
    ["**/*.jsonl", "d/.e/.a.jsonl", true],
    ["**/*.jsonl", "a b (1) [x].jsonl", true],
    ["**/*.jsonl", "日本/ü.jsonl", true],
    ["**/*.jsonl", "line\nbreak.jsonl", true],
    ["**/*.jsonl", "line\nbreak/a.jsonl", true],
    ["*.jsonl", "a.jsonl", true],
    ["*.jsonl", "d/a.jsonl", true],
    ["snapshot_*.jsonl", "ibsr-20261122-141500Z/snapshot_2026112214.jsonl", true],
    ["snapshot_*.jsonl", "ibsr-20261122-141500Z/status.jsonl", false],
    ["/*.jsonl", "a.jsonl", true],
    ["/*.jsonl", "d/a.jsonl", false],
    ["./*.jsonl", "a.jsonl", true],
    ["./*.jsonl", "d/a.jsonl", false],
    ["d/*.jsonl", "d/a.jsonl", true],
    ["d/*.jsonl", "e/d/a.jsonl", false],
    ["d/", "d/a", true],
    ["d/", "d/e/f/a", true],
    ["d/", "e/d/a", true],
    ["d/", "d", false],
    ["d/", "e/d", false],
    ["d/", "dd/a", false],
    ["/d/", "d/a", true],
    ["/d/", "e/d/a", false],
    ["d/e/", "d/e/a", true],
    ["d/e/", "f/d/e/a", false],
    ["ibsr-*/", "ibsr-20261122-141500Z/snapshot_2026112214.jsonl", true],
    ["ibsr-*/", "snapshots/ibsr-20261122-141500Z/status.jsonl", true],
    ["{a,b}/", "b/x", true],
    ["[x]/", "[x]/a", true],
    ["[x].jsonl", "d/[x].jsonl", true],
    ["**", "a", true],
    ["**", "d/.a", true],
    ["d/**", "d/e/a", true],
    ["d/**", "e/d/a", false],
    ["**/d/**", "e/d/a", true],
    ["*.{jsonl,csv}", "a.jsonl", true],
    ["*.{jsonl,csv}", "a.csv", true],
    ["*.{jsonl,csv}", "a.json", false],
    ["{a,b}/**/*.jsonl", "b/c/x.jsonl", true],
    ["{a,b}/**/*.jsonl", "c/x.jsonl", false],
    ["snapshot_?.jsonl", "snapshot_1.jsonl", true],
    ["snapshot_?.jsonl", "snapshot_12.jsonl", false],
    ["[ab].jsonl", "b.jsonl", true],
    ["[ab].jsonl", "c.jsonl", false],
    ["{a,b}.jsonl", "{a,b}.jsonl", true],
    ["!(*.tmp).jsonl", "d/a.jsonl", true],
    ["!(*.tmp).jsonl", "d/a.tmp.jsonl", false],
    ["a.jsonl", "a.jsonl", true],
    ["a.jsonl", "axjsonl", false]
  ])("given --include %j and the path %j, returns %s", (include, path, kept) => {
    expect(keeps([include], [], path)).toBe(kept)
  })

  it.each([
    ["a.csv", true],
    ["d/a.jsonl", true],
    ["d/a.csv", false]
  ])("given several patterns and the path %j, returns %s", (path, kept) => {
    expect(keeps(["**/*.jsonl", "/*.csv"], [], path)).toBe(kept)
  })

  it.each([
    [["**/*.tmp.jsonl"], "a.tmp.jsonl", false],
    [["**/*.tmp.jsonl"], "a.jsonl", true],
    [["dir/**"], "dir/a.jsonl", false],
    [["dir/**"], "dir/e/a.jsonl", false],
    [["dir/**"], "other/dir/a.jsonl", true],
    [["dir/**"], "directory/a.jsonl", true],
    [["dir/"], "other/dir/a.jsonl", false],
    [["/dir/"], "other/dir/a.jsonl", true],
    [["status.jsonl"], "d/status.jsonl", false],
    [["/status.jsonl"], "d/status.jsonl", true],
    [["x.jsonl", "y.jsonl"], "y.jsonl", false],
    [["**/.*"], "d/.a.jsonl", false],
    [["**"], "a.jsonl", false]
  ])("given --exclude %j and the included path %j, returns %s", (exclude, path, kept) => {
    expect(keeps(["**/*.jsonl"], exclude, path)).toBe(kept)
  })

  it("returns false if no pattern includes the file", () => {
    expect(keeps([], [], "a.jsonl")).toBe(false)
  })
})

describe("excludes", () => {
  it.each([
    ["dir/**", "dir", true],
    ["dir/**", "dir/e", true],
    ["dir/**", "directory", false],
    ["dir/**", "e/dir", false],
    ["**/dir/**", "e/dir", true],
    ["**/.git/**", ".git", true],
    ["dir/*.jsonl", "dir", false],
    ["dir/", "dir/x", true],
    ["dir/", "e/dir/x", true],
    ["/dir/", "e/dir/x", false],
    ["*.tmp", "dir", false],
    ["**/*.tmp", "dir", false]
  ])("given --exclude %j and the directory %j, returns %s", (exclude, path, excluded) => {
    expect(Selection.make({ include: ["**"], exclude: [exclude] }).excludes(path)).toBe(excluded)
  })

  it("returns false for a file that no pattern includes", () => {
    expect(Selection.make({ include: ["*.jsonl"], exclude: [] }).excludes("a.csv")).toBe(false)
  })
})

describe("unmatched", () => {
  const unmatched = (include: ReadonlyArray<string>, ...paths: ReadonlyArray<string>) => {
    const selection = Selection.make({ include, exclude: ["excluded.jsonl"] })
    for (const path of paths) selection.keeps(path)
    return selection.unmatched()
  }

  it("names the globs that have matched no path", () => {
    expect(unmatched(["*.jsonl", "*.csv", "/a.jsonl"], "d/a.jsonl", "b.txt")).toEqual(["*.csv", "/a.jsonl"])
  })

  it("tests every unmatched glob, even with paths that another glob matches", () => {
    expect(unmatched(["*.jsonl", "a.*"], "a.jsonl")).toEqual([])
  })

  it("counts an excluded path as matched", () => {
    expect(unmatched(["*.jsonl"], "excluded.jsonl")).toEqual([])
  })
})

describe("Selection.parseGlob", () => {
  it.each(["*.jsonl", "d/", "/d/*.jsonl", "./a", "{a,b}/**", "[ab]?", "!(a).jsonl", "\\[a", "a b"])(
    "accepts %j",
    (glob) => {
      expect(Selection.parseGlob(glob)).toEqual(Either.right(glob))
    }
  )

  it.each([
    ["!a.jsonl", "--exclude"],
    ["/", "names a file"],
    ["./", "names a file"],
    ["../a", "without '..'"],
    ["a/../b", "without '..'"],
    ["[a.jsonl", "balanced"],
    ["{a,b", "balanced"],
    ["*(a", "balanced"]
  ])("rejects %j, and says that it expects %j", (glob, expected) => {
    const message = Either.flip(Selection.parseGlob(glob))
    expect(Either.getOrThrow(message)).toContain(expected)
  })
})

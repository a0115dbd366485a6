import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import * as Load from "../../scripts/bench/Load.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"

describe.each([
  [30, 5_000],
  [2, 5_000_001]
])("a load of %i files of %i bytes", (count, bytes) => {
  const load = Load.make(emptyDirectory(), count, bytes)
  const contents = load.files.map((file) => readFileSync(join(load.folder, file), "latin1"))

  it("has the requested number and size of files", () => {
    expect(load.files.map((file) => statSync(join(load.folder, file)).size)).toEqual(load.files.map(() => bytes))
    expect(load.files).toHaveLength(count)
    expect(load.bytes).toBe(count * bytes)
  })

  it("consists of whole JSON lines that differ between files", () => {
    for (const content of contents) {
      expect(content.at(-1)).toBe("\n")
      for (const line of content.slice(0, -1).split("\n")) expect(() => JSON.parse(line)).not.toThrow()
    }
    expect(new Set(contents).size).toBe(count)
  })

  it("has the same content each time it is created", () => {
    const again = Load.make(emptyDirectory(), count, bytes)
    expect(again.files).toEqual(load.files)
    expect(again.files.map((file) => readFileSync(join(again.folder, file), "latin1"))).toEqual(contents)
  })
})

import { closeSync, mkdirSync, openSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it, vi } from "vitest"
import * as Containment from "../../../src/services/Source/Containment.ts"
import { emptyDirectory, tree } from "../../fixtures/Tree.ts"

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>()
  return { ...fs, readlinkSync: vi.fn(fs.readlinkSync) }
})

const withoutProc = () => {
  vi.mocked(readlinkSync).mockImplementation(() => {
    throw Object.assign(new Error("ENOENT"), { code: "ENOENT" })
  })
}

let opened: Array<number> = []
afterEach(() => {
  opened.forEach(closeSync)
  opened = []
})

/** Opens a file, changes the tree by `between`, and checks. */
const check = (input: string, relativePath: string, between: () => void = () => {}, followSymlinks = false) => {
  const contain = Containment.make({ input, followSymlinks })
  const path = join(input, relativePath)
  const fd = openSync(path, "r")
  opened.push(fd)
  between()
  return () => contain(fd, { path, relativePath })
}

/** An input with a link `d` to a directory outside that has a file of the same name as `real/a.jsonl`. */
const withLink = () => {
  const input = tree({ "real/a.jsonl": "mine\n" })
  symlinkSync(tree({ "a.jsonl": "secret\n" }), join(input, "d"))
  return input
}
const outside = expect.objectContaining({ _tag: "SourceUnreadable", code: "OUTSIDE" }) as Error

describe.each(["with /proc", "without /proc"])("a file on a system %s", (system) => {
  const prepare = () => {
    vi.mocked(readlinkSync).mockReset()
    if (system === "without /proc") withoutProc()
  }

  it("below the input is allowed, even if the input is a link", () => {
    prepare()
    const input = tree({ "d/a.jsonl": "1\n" })
    const link = join(emptyDirectory(), "link")
    symlinkSync(input, link)
    expect(check(input, "d/a.jsonl")).not.toThrow()
    expect(check(`${link}/`, "d/a.jsonl")).not.toThrow()
  })

  it("behind a link is refused, unless links are followed", () => {
    prepare()
    expect(check(withLink(), "d/a.jsonl")).toThrow(outside)
    expect(check(withLink(), "d/a.jsonl", undefined, true)).not.toThrow()
  })

  it("behind a link is refused, even if the real directory is back at the time of the check", () => {
    prepare()
    const input = withLink()
    const swap = () => {
      renameSync(join(input, "d"), join(input, "link"))
      renameSync(join(input, "real"), join(input, "d"))
    }
    expect(check(input, "d/a.jsonl", swap)).toThrow(outside)
  })

  it("in a directory beside the input, whose name begins with the input's, is refused", () => {
    prepare()
    const parent = tree({ "in/b.jsonl": "", "inside/a.jsonl": "secret\n" })
    symlinkSync(join(parent, "inside"), join(parent, "in/d"))
    expect(check(join(parent, "in"), "d/a.jsonl")).toThrow(outside)
  })
})

describe("a file", () => {
  it("that was deleted after it was opened is allowed", () => {
    vi.mocked(readlinkSync).mockReset()
    const input = tree({ "d/a.jsonl": "1\n" })
    expect(check(input, "d/a.jsonl", () => unlinkSync(join(input, "d/a.jsonl")))).not.toThrow()
  })

  it("whose directory was moved out of the input is refused", () => {
    vi.mocked(readlinkSync).mockReset()
    const input = tree({ "d/a.jsonl": "1\n" })
    const elsewhere = emptyDirectory()
    mkdirSync(join(elsewhere, "archive"))
    const move = () => renameSync(join(input, "d"), join(elsewhere, "archive/d"))
    expect(check(input, "d/a.jsonl", move)).toThrow(outside)
  })
})

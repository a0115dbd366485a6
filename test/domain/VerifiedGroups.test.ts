import { describe, expect, it } from "vitest"
import * as VerifiedGroups from "../../src/domain/VerifiedGroups.ts"

const run = "ibsr-20261122-141500Z"

describe("the directory of a verified object", () => {
  it.each([
    ["a.jsonl", [], ""],
    [`${run}/a.jsonl`, [], `${run}/`],
    [`x/${run}/y/a.jsonl`, [], `x/${run}/`],
    ["x/y/a", [], "x/y/"],
    ["x/y/a", ["x/"], "x/"],
    ["x/y/a", [""], ""],
    [`x/${run}/a`, ["x/"], `x/${run}/`],
    ["x/upload-manifest.json", ["x/"], "x/"]
  ] as const)("%s, with manifests in %j, is '%s'", (name, withManifest, expected) => {
    expect(VerifiedGroups.directoryOf(name, new Set(withManifest))).toBe(expected)
  })

  it("counts as a directory with a manifest if it contains one", () => {
    const names = ["upload-manifest.json", "x/upload-manifest.json", "y/other-upload-manifest.json", "z/a"]
    expect([...VerifiedGroups.withManifest(names)]).toEqual(["", "x/"])
  })
})

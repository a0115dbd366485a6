import { describe, expect, it } from "vitest"
import * as ManifestDirectory from "../../src/domain/ManifestDirectory.ts"

describe("ManifestDirectory", () => {
  it.each([
    ["ibsr-20261122-141500Z/a.jsonl", "ibsr-20261122-141500Z/"],
    ["ibsr-payload-20261122-141500Z/a.jsonl", "ibsr-payload-20261122-141500Z/"],
    ["ibsr-20261122-141500Z/x/a", "ibsr-20261122-141500Z/"],
    ["x/ibsr-20261122-141500Z/a", "x/ibsr-20261122-141500Z/"],
    ["ibsr-20261122-141500Z/y/ibsr-20261123-141500Z/a", "ibsr-20261122-141500Z/y/ibsr-20261123-141500Z/"],
    ["ibsr-20261322-141500Z/y/a", "ibsr-20261322-141500Z/"],
    ["x/y/a", "x/"],
    ["x/a", "x/"],
    ["ibsr-20261122-141500Z", ""],
    ["a", ""]
  ])("of: given %s, returns '%s'", (path, directory) => {
    expect(ManifestDirectory.of(path)).toBe(directory)
  })

  it.each([
    ["upload-manifest.json", true],
    ["x/upload-manifest.json", true],
    ["x/ibsr-20261122-141500Z/upload-manifest.json", true],
    ["x/y/upload-manifest.json", false],
    ["x/other.json", false]
  ])("isManifest: given %s, returns %s", (path, expected) => {
    expect(ManifestDirectory.isManifest(path)).toBe(expected)
  })
})

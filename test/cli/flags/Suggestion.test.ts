import { describe, expect, it } from "@effect/vitest"
import { s3Flags } from "../../../src/cli/flags/S3Flags.ts"
import * as Suggestion from "../../../src/cli/flags/Suggestion.ts"

const names = Object.values(s3Flags).map(({ name }) => `--${name}`)

describe("Suggestion.nearest", () => {
  it.each([
    ["--buckett", "--bucket"],
    ["--overwrit", "--overwrite"],
    ["--no-overwrit", "--no-overwrite"],
    ["--noo-overwrite", "--no-overwrite"],
    ["--frobnicate", undefined]
  ])("given %s, returns %s", (name, nearest) => {
    expect(Suggestion.nearest(name, names)).toBe(nearest)
  })

  it.each([
    ["--quiet", ["--no-quiet"]],
    ["--no-quiet", ["--quiet"]],
    ["--overwrite", ["--no-overwrite"]],
    ["--noverwrite", ["--overwrite"]],
    ["--on-overwrite", ["--no-overwrite", "--overwrite"]]
  ])("never returns the negation: %s", (name, known) => {
    expect(Suggestion.nearest(name, known)).toBeUndefined()
  })

  it.each(names)("returns %s for the same name with a doubled last letter", (name) => {
    expect(Suggestion.nearest(name + name.at(-1), names)).toBe(name)
  })

  it.each(names.filter((name) => !name.startsWith("--no-")))("does not return %s if its negation is given", (name) => {
    expect(Suggestion.nearest(`--no-${name.slice(2)}`, [name])).toBeUndefined()
  })
})

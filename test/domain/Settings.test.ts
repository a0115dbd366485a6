import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Settings from "../../src/domain/Settings.ts"
import { settingsWith } from "../fixtures/Settings.ts"

const MiB = 1024 ** 2
const GiB = 1024 ** 3

const sound = settingsWith({ memoryBytes: 8 * MiB, partSizeBytes: 8 * MiB })

const encrypted = (encryption: Settings.Encryption): Settings.Settings => ({
  ...sound,
  attributes: { ...sound.attributes, encryption }
})

describe("check", () => {
  it.each<[title: string, settings: Settings.Settings]>([
    ["memory for exactly one part", sound],
    ["the largest part", { ...sound, partSizeBytes: 5 * GiB, memoryBytes: 5 * GiB }],
    ["KMS with the bucket's key", encrypted({ _tag: "Kms", keyId: undefined, context: undefined })],
    ["KMS with a key", encrypted({ _tag: "Kms", keyId: "k", context: undefined })],
    ["KMS with a context for the bucket's key", encrypted({ _tag: "Kms", keyId: undefined, context: { a: "b" } })],
    ["KMS with a key and a context", encrypted({ _tag: "Kms", keyId: "k", context: { a: "b" } })],
    ["keys of the store", encrypted({ _tag: "S3" })]
  ])("accepts %s", (_, settings) => {
    expect(Settings.check(settings)).toEqual(Either.right(settings))
  })

  it.each<[title: string, settings: Settings.Settings, flags: ReadonlyArray<ReadonlyArray<string>>]>([
    ["memory for less than a part", { ...sound, memoryBytes: 8 * MiB - 1 }, [["--memory", "--part-size"]]],
    [
      "a part that S3 does not allow",
      { ...sound, partSizeBytes: 5 * GiB + 1, memoryBytes: 20 * GiB },
      [["--part-size", "5GiB"]]
    ],
    [
      "all of these at once",
      {
        ...encrypted({ _tag: "Kms", keyId: undefined, context: {} }),
        partSizeBytes: 5 * GiB + 1,
        memoryBytes: 5 * GiB
      },
      [
        ["--memory", "--part-size"],
        ["--part-size", "5GiB"]
      ]
    ]
  ])("refuses %s, and names the flags", (_, settings, flags) => {
    const problems = Either.getOrThrow(Either.flip(Settings.check(settings)))
    expect(problems).toHaveLength(flags.length)
    for (const [at, names] of flags.entries()) {
      for (const name of names) expect(problems[at]).toContain(name)
    }
  })
})

import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import * as Settings from "../../src/domain/Settings.ts"
import { settingsWith } from "../fixtures/Settings.ts"

const MiB = 1024 ** 2
const GiB = 1024 ** 3

const sound = settingsWith({ memoryBytes: 8 * MiB, partSizeBytes: 8 * MiB })

const kms = (changed: Partial<Settings.Settings> = {}): Settings.Settings => ({ ...sound, sse: "kms", ...changed })

describe("Settings.make", () => {
  it("turns on --final-only if --no-overwrite is given", () => {
    expect(Settings.make({ ...sound, noOverwrite: true })).toMatchObject({ right: { finalOnly: true } })
  })

  it.each([
    [undefined, undefined, "none"],
    [undefined, "k", "kms"],
    ["kms", undefined, "kms"],
    ["s3", undefined, "s3"]
  ] as const)("given --sse %s and --kms-key-id %s, sets the mode to %s", (sse, kmsKeyId, mode) => {
    expect(Settings.make({ ...sound, sse, kmsKeyId })).toMatchObject({ right: { sse: mode } })
  })

  it.each<[title: string, settings: Settings.Settings]>([
    ["a --memory of exactly one part", sound],
    ["the largest part", { ...sound, partSizeBytes: 5 * GiB, memoryBytes: 5 * GiB }],
    ["KMS with the bucket's default key", kms()],
    ["KMS with a key", kms({ kmsKeyId: "k" })],
    ["KMS with a context for the bucket's default key", kms({ kmsContext: { a: "b" } })],
    ["KMS with a key and a context", kms({ kmsKeyId: "k", kmsContext: { a: "b" } })],
    ["encryption with the store's keys", { ...sound, sse: "s3" }]
  ])("accepts %s", (_, settings) => {
    expect(Settings.make(settings)).toEqual(Either.right(settings))
  })

  it.each<[title: string, settings: Settings.Settings, flags: ReadonlyArray<ReadonlyArray<string>>]>([
    ["a --memory of less than one part", { ...sound, memoryBytes: 8 * MiB - 1 }, [["--memory", "--part-size"]]],
    [
      "a part larger than S3 allows",
      { ...sound, partSizeBytes: 5 * GiB + 1, memoryBytes: 20 * GiB },
      [["--part-size", "5GiB"]]
    ],
    ["a KMS key without encryption", { ...sound, kmsKeyId: "k" }, [["--kms-key-id", "--sse kms"]]],
    [
      "--overwrite with --no-overwrite",
      { ...sound, overwrite: true, noOverwrite: true },
      [["--overwrite", "--no-overwrite"]]
    ],
    [
      "a KMS context for encryption with the store's keys",
      { ...sound, sse: "s3", kmsContext: {} },
      [["--kms-context", "--sse kms"]]
    ],
    [
      "several problems at once",
      kms({ kmsContext: {}, partSizeBytes: 5 * GiB + 1, memoryBytes: 5 * GiB }),
      [
        ["--memory", "--part-size"],
        ["--part-size", "5GiB"]
      ]
    ]
  ])("refuses %s, and names the flags", (_, settings, flags) => {
    const problems = Either.getOrThrow(Either.flip(Settings.make(settings)))
    expect(problems).toHaveLength(flags.length)
    for (const [at, names] of flags.entries()) {
      for (const name of names) expect(problems[at]).toContain(name)
    }
  })
})

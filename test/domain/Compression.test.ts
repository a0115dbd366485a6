import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as Compression from "../../src/domain/Compression.ts"
import * as Generation from "../../src/domain/Generation.ts"

const KiB = 1024
const MiB = 1024 ** 2

const { Stream, TooLarge, Whole } = Compression.Plan

describe("the compression of a file", () => {
  it.each([
    ["none", "a.jsonl", "none"],
    ["none", "a.gz", "none"],
    ["zstd", "a.jsonl", "zstd"],
    ["gzip", "a.jsonl", "gzip"],
    ["zstd", "2026/snapshot_2026112215.jsonl", "zstd"],
    ["zstd", "status.g2.jsonl", "zstd"],
    ["zstd", "a.csv", "zstd"],
    ["zstd", "packets.pcap", "zstd"],
    ["zstd", "no extension", "zstd"],
    ["zstd", "a.gz/b", "zstd"],
    ["zstd", "status.jsonl.1", "zstd"],
    ["zstd", "packets.pcap.gz", "none"],
    ["gzip", "packets.pcap.gz", "none"],
    ["gzip", "a.jsonl.zst", "none"],
    ["zstd", "A.JSONL.ZST", "none"],
    ["zstd", "a.parquet", "none"],
    ["zstd", "a.jsonl.gpg", "none"]
  ] as const)("given --compress %s and the name %s, is %s", (mode, path, expected) => {
    expect(Compression.of(mode, path)).toBe(expected)
  })
})

describe("Compression.possibleSources", () => {
  it.each([
    ["a.jsonl", [["a.jsonl", 1, ""]]],
    [
      "a.jsonl.zst",
      [
        ["a.jsonl.zst", 1, ""],
        ["a.jsonl", 1, ".zst"]
      ]
    ],
    [
      "a.g2.jsonl.gz",
      [
        ["a.g2.jsonl.gz", 1, ""],
        ["a.g2.jsonl", 1, ".gz"],
        ["a.jsonl", 2, ".gz"]
      ]
    ],
    [
      "a.g3.zst",
      [
        ["a.g3.zst", 1, ""],
        ["a.zst", 3, ""],
        ["a.g3", 1, ".zst"],
        ["a", 3, ".zst"]
      ]
    ],
    ["packets.gz.zst", [["packets.gz.zst", 1, ""]]]
  ])("given %s, returns %j", (name, expected) => {
    expect(Compression.possibleSources(name).map(({ generation, path, suffix }) => [path, generation, suffix])).toEqual(
      expected
    )
  })

  it("returns every file, generation and mode that leads to the name", () => {
    const paths = fc.stringMatching(/^[ab.]{1,4}(\.g2|\.g3)?(\.jsonl|\.zst|\.gz)?$/)
    fc.assert(
      fc.property(
        paths,
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom<Compression.Mode>("none", "zstd", "gzip"),
        (path, generation, mode) => {
          const suffix = Compression.keySuffixes[Compression.of(mode, path)]
          expect(Compression.possibleSources(Generation.named(path, generation) + suffix)).toContainEqual({
            path,
            generation,
            suffix
          })
        }
      ),
      { numRuns: 2000 }
    )
  })
})

describe("Compression.decide", () => {
  const limits = { memoryBytes: 64 * MiB, partSizeBytes: 8 * MiB }

  it.each([
    ["an empty file", 0, "zstd", Whole({ parts: 1, memoryBytes: 2 * KiB + MiB })],
    ["a small file", 4096, "zstd", Whole({ parts: 1, memoryBytes: 2 * (4096 + 16 + KiB) + MiB + 4 * 4096 })],
    ["a small file", 4096, "gzip", Whole({ parts: 1, memoryBytes: 2 * (4096 + 16 + KiB) + MiB })],
    [
      "a file that may become larger than a part",
      8 * MiB,
      "gzip",
      Stream({ partSizeBytes: 8 * MiB, parts: 2, queueSize: 2, memoryBytes: 33 * MiB })
    ],
    [
      "a large file",
      300 * MiB,
      "gzip",
      Stream({ partSizeBytes: 8 * MiB, parts: 38, queueSize: 4, memoryBytes: 49 * MiB })
    ],
    [
      "a large file",
      300 * MiB,
      "zstd",
      Stream({ partSizeBytes: 8 * MiB, parts: 38, queueSize: 4, memoryBytes: 53 * MiB })
    ]
  ] as const)(
    "reserves memory for the compressor and its largest possible output: %s, %d bytes, %s",
    (_, sizeBytes, mode, plan) => {
      expect(Compression.decide(sizeBytes, mode, limits)).toEqual(plan)
    }
  )

  it("respects the store's limits on parts per object and on concurrent parts", () => {
    const given = { memoryBytes: 1024 * MiB, partSizeBytes: 8 * MiB, maxParts: 10, partsAtOnce: 2 }
    expect(Compression.decide(800 * MiB, "gzip", given)).toMatchObject({ parts: 10, queueSize: 2 })
  })

  it("reports how much memory a file needs if it does not fit", () => {
    const plan = Compression.decide(10 ** 12, "zstd", limits)
    const partBytes = Math.ceil((10 ** 12 + Math.ceil(10 ** 12 / 256) + KiB) / 10_000)
    expect(plan).toEqual(TooLarge({ neededMemoryBytes: 3 * partBytes + 5 * MiB }))
  })

  it("never exceeds --memory, if --memory has room for three parts and the compressor", () => {
    const sizes = fc.integer({ min: 0, max: 10 ** 12 })
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 5 * MiB, max: 100 * MiB }),
        fc.nat(64 * MiB),
        fc.constantFrom<Compression.Format>("zstd", "gzip"),
        (sizeBytes, partSizeBytes, more, mode) => {
          const memoryBytes = 3 * partSizeBytes + Compression.maxWorkBytes(mode) + more
          const plan = Compression.decide(sizeBytes, mode, { memoryBytes, partSizeBytes })
          if (plan._tag !== "TooLarge") expect(plan.memoryBytes).toBeLessThanOrEqual(memoryBytes)
          else expect(plan.neededMemoryBytes).toBeGreaterThan(memoryBytes)
        }
      ),
      { numRuns: 2000 }
    )
  })
})

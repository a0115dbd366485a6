import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as Generation from "../../src/domain/Generation.ts"

describe("Generation.named", () => {
  it.each([
    ["status.jsonl", 1, "status.jsonl"],
    ["status.jsonl", 2, "status.g2.jsonl"],
    ["a/b/packets.pcap.gz", 3, "a/b/packets.pcap.g3.gz"],
    ["a.b/c", 2, "a.b/c.g2"],
    ["a/.jsonl", 2, "a/.g2.jsonl"],
    ["no extension", 12, "no extension.g12"],
    ["a\nb.jsonl", 2, "a\nb.g2.jsonl"]
  ])("turns %s and generation %d into %s", (path, generation, expected) => {
    expect(Generation.named(path, generation)).toBe(expected)
  })
})

describe("Generation.possibleOrigins", () => {
  it.each([
    ["status.jsonl", []],
    ["status.g2.jsonl", [{ path: "status.jsonl", generation: 2 }]],
    ["status.g1.jsonl", []],
    ["status.g02.jsonl", []],
    ["a/c.g7", [{ path: "a/c", generation: 7 }]],
    ["s.g2.g3.jsonl", [{ path: "s.g2.jsonl", generation: 3 }]],
    ["s.jsonl.g2", []]
  ])("given %s, returns %j", (path, expected) => {
    expect(Generation.possibleOrigins(path)).toEqual(expected)
  })

  it("includes the file from whose path and generation the name was made", () => {
    const segment = fc.stringMatching(/^[a-c.g23/]{1,8}$/)
    fc.assert(
      fc.property(segment, fc.integer({ min: 2, max: 30 }), (path, generation) => {
        expect(Generation.possibleOrigins(Generation.named(path, generation))).toContainEqual({ path, generation })
      }),
      { numRuns: 2000 }
    )
  })
})

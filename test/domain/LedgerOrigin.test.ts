import { describe, expect, it } from "@effect/vitest"
import * as Generation from "../../src/domain/Generation.ts"
import * as LedgerOrigin from "../../src/domain/LedgerOrigin.ts"

const origin: LedgerOrigin.Origin = { machine: "a", inode: 1n, bornNs: 5n }

describe("LedgerOrigin.doubtOf", () => {
  it.each<
    readonly [Partial<LedgerOrigin.Origin>, Partial<LedgerOrigin.Origin>, boolean, LedgerOrigin.Doubt | undefined]
  >([
    [{}, {}, true, undefined],
    [{}, {}, false, "copy"],
    [{}, { machine: "b" }, true, "machine"],
    [{}, { machine: "b", bornNs: 6n }, false, "machine"],
    [{ machine: "" }, {}, true, undefined],
    [{}, { machine: "" }, true, undefined],
    [{}, { machine: "", bornNs: 6n }, true, "copy"],
    [{}, { bornNs: 6n }, true, "copy"],
    [{}, { inode: 2n }, true, undefined],
    [{ bornNs: 0n }, {}, true, undefined],
    [{ bornNs: 0n }, { inode: 2n }, true, "copy"],
    [{}, { bornNs: 0n }, true, undefined],
    [{}, { bornNs: 0n, inode: 2n }, true, "copy"]
  ])("given %o, seen as %o, with the last run known: %s, returns %s", (recorded, seen, knowsLastRun, doubt) => {
    expect(LedgerOrigin.doubtOf({ ...origin, ...recorded }, { ...origin, ...seen }, knowsLastRun)).toBe(doubt)
  })
})

describe("LedgerOrigin.firstGeneration", () => {
  const day = Date.UTC(2026, 10, 27, 23, 59)

  it.each([
    [day, 0, 261_127_000_000_000],
    [day, 0.999_999_999_9, 261_127_999_999_999],
    [day + 60_000, 0, 261_128_000_000_000],
    [Date.UTC(2099, 11, 31), 0.5, 991_231_500_000_000]
  ])(
    "given the time %d and the random number %d, returns %d, which fits into the name of a generation",
    (now, random, generation) => {
      expect(LedgerOrigin.firstGeneration(now, random)).toBe(generation)
      expect(Generation.possibleOrigins(Generation.named("d/status.jsonl", generation))).toContainEqual({
        path: "d/status.jsonl",
        generation
      })
    }
  )
})

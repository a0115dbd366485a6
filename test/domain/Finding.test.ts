import { describe, expect, it } from "vitest"
import * as Finding from "../../src/domain/Finding.ts"

const entry = (changed: Partial<Finding.Entry> = {}): Finding.Entry => ({
  state: "final",
  appendOnly: true,
  bytes: 10,
  sha256: "a",
  ...changed
})
const read = (contentBytes: number, sha256: string) => ({ contentBytes, sha256 })

describe("an object and its entry", () => {
  it.each([
    ["is proven", entry(), read(10, "a"), undefined],
    ["is proven, although live", entry({ state: "live" }), read(10, "a"), undefined],
    ["has no digest", entry({ sha256: null }), read(10, "b"), "no-digest"],
    ["has no digest, and another size", entry({ sha256: null }), read(9, "b"), "shorter"],
    ["has no digest, and is longer", entry({ sha256: null, state: "live" }), read(11, "b"), "longer"],
    ["is longer and live", entry({ state: "live" }), read(11, "a"), undefined],
    ["is longer and final", entry(), read(11, "a"), "longer"],
    ["is longer and begins otherwise", entry({ state: "live" }), read(11, "b"), "differs"],
    ["is shorter", entry(), read(9, "b"), "shorter"],
    ["has another digest", entry(), read(10, "b"), "differs"],
    ["is not append-only, live and other", entry({ appendOnly: false, state: "live" }), read(10, "b"), "changed"],
    ["is not append-only, live and longer", entry({ appendOnly: false, state: "live" }), read(11, "a"), "changed"],
    ["is not append-only, live and shorter", entry({ appendOnly: false, state: "live" }), read(9, "b"), "changed"],
    ["is not append-only, final and other", entry({ appendOnly: false }), read(10, "b"), "differs"],
    ["is not append-only, final and longer", entry({ appendOnly: false }), read(11, "a"), "differs"],
    ["is not append-only, final and shorter", entry({ appendOnly: false }), read(9, "a"), "shorter"]
  ] as const)("%s", (_, described, observed, kind) => {
    expect(Finding.judge(described, observed)?.kind).toBe(kind)
  })
})

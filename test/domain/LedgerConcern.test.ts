import { describe, expect, it } from "@effect/vitest"
import { LedgerConcern, sentence } from "../../src/domain/LedgerConcern.ts"

describe("a concern about the ledger", () => {
  it.each<readonly [LedgerConcern, ReadonlyArray<string>]>([
    [
      LedgerConcern.OtherMachine({ generation: 7 }),
      ["/s/ledger.db", "another machine", "NAME.g7.jsonl", "{machine-id}"]
    ],
    [LedgerConcern.OlderCopy({ generation: 7 }), ["/s/ledger.db", "copied or restored", "NAME.g7.jsonl"]],
    [LedgerConcern.OtherInput({ input: "/other" }), ["/other", "a prefix of its own"]],
    [LedgerConcern.OverlappingPrefix({ prefix: "a" }), ["this prefix and a,", "a prefix outside"]],
    [LedgerConcern.OverlappingPrefix({ prefix: "" }), ["the bucket's root"]]
  ])("is reported with its cause and the remedy: %o", (concern, parts) => {
    for (const part of parts) expect(sentence("/s/ledger.db")(concern)).toContain(part)
  })
})

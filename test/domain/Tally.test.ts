import { describe, expect, it } from "@effect/vitest"
import { AccessDenied, InternalError } from "../../src/domain/Errors.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Tally from "../../src/domain/Tally.ts"

const { Excluded, Failed, Interrupted, NotTried, Planned, Skipped, Uploaded, Vanished } = Outcome

const tallied = (...outcomes: ReadonlyArray<Outcome>) => {
  const tally = Tally.empty()
  for (const outcome of outcomes) Tally.add(tally, outcome)
  return tally
}

const failure = (relativePath: string) =>
  Failed({ relativePath, key: undefined, error: new InternalError({ detail: relativePath }) })
const denied = Failed({
  relativePath: "d",
  key: "k",
  error: new AccessDenied({ operation: "PutObject", detail: "no", retryable: false })
})
const planned = Planned({ relativePath: "a", key: "k/a", sizeBytes: 7, compression: "none", parts: 1 })

describe("Tally.add", () => {
  it("sums up the files and bytes that were stored", () => {
    expect(
      tallied(
        Uploaded({ relativePath: "a", torn: false, sizeBytes: 5, objectBytes: 5, replaces: undefined }),
        Uploaded({ relativePath: "a", torn: false, sizeBytes: 7, objectBytes: 3, replaces: undefined })
      )
    ).toEqual({
      ...Tally.empty(),
      uploaded: 2,
      uploadedBytes: 12,
      objectBytes: 8
    })
  })

  it.each([
    ["excluded", Excluded()],
    ["vanished", Vanished()],
    ["interrupted", Interrupted()],
    ["notTried", NotTried()]
  ] as const)("counts an outcome only in `%s`", (field, outcome) => {
    expect(tallied(outcome, outcome)).toEqual({ ...Tally.empty(), [field]: 2 })
  })

  it("counts skipped entries in total and by reason", () => {
    const tally = tallied(
      Skipped({ why: "symlink" }),
      Skipped({ why: "symlink" }),
      Skipped({ why: "dead-link" }),
      Skipped({ why: "special" })
    )
    expect(tally).toEqual({
      ...Tally.empty(),
      skipped: 4,
      skippedBy: { symlink: 2, "dead-link": 1, special: 1 }
    })
  })

  it("keeps failures and their classes", () => {
    const first = failure("a")
    expect(tallied(first, denied, denied)).toEqual({
      ...Tally.empty(),
      failed: 3,
      denied: 2,
      failedClasses: new Map([
        ["InternalError", { files: 1, first }],
        ["AccessDenied", { files: 2, first: denied }]
      ]),
      failures: [first, denied, denied]
    })
  })

  it("keeps the plan in order", () => {
    const other = { ...planned, relativePath: "b" }
    expect(tallied(planned, other)).toEqual({ ...Tally.empty(), plan: [planned, other] })
  })

  it("keeps the first failures, and only counts later failures", () => {
    const many = Array.from({ length: Tally.maxListed + 5 }, (_, index) => failure(`f${index}`))
    const tally = tallied(...many, denied)
    expect(tally.failures.map(({ relativePath }) => relativePath)).toEqual(
      Array.from({ length: Tally.maxListed }, (_, index) => `f${index}`)
    )
    expect(tally.failed).toBe(Tally.maxListed + 6)
    expect([...tally.failedClasses].map(([tag, { files }]) => [tag, files])).toEqual([
      ["InternalError", Tally.maxListed + 5],
      ["AccessDenied", 1]
    ])
  })
})

describe("Tally.empty", () => {
  it("shares nothing with another tally", () => {
    const tally = tallied(denied, planned, Skipped({ why: "special" }))
    expect(tally.failed).toBe(1)
    expect(tallied(Excluded())).toEqual({ ...Tally.empty(), excluded: 1 })
    expect(Tally.empty().failures).toEqual([])
    expect(Tally.empty().skippedBy.special).toBe(0)
  })
})

describe("Tally.selected", () => {
  it.each([
    [
      "an uploaded file",
      1,
      Uploaded({ relativePath: "a", torn: false, sizeBytes: 1, objectBytes: 1, replaces: undefined })
    ],
    ["a planned file", 1, planned],
    ["a failed file", 1, denied],
    ["a vanished file", 1, Vanished()],
    ["an interrupted file", 1, Interrupted()],
    ["a file that was not tried", 1, NotTried()],
    ["an excluded file", 0, Excluded()],
    ["a skipped symlink", 0, Skipped({ why: "symlink" })]
  ])("counts %s as %d", (_, count, outcome) => {
    expect(Tally.selected(tallied(outcome))).toBe(count)
  })

  it("counts failures whose details are not kept", () => {
    const many = Array.from({ length: Tally.maxListed + 1 }, (_, index) => failure(`f${index}`))
    expect(Tally.selected(tallied(...many))).toBe(Tally.maxListed + 1)
  })
})

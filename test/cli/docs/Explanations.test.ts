import { Either } from "effect"
import { describe, expect, it } from "@effect/vitest"
import * as Explanations from "../../../src/cli/docs/Explanations.ts"
import * as ExitCode from "../../../src/domain/ExitCode.ts"

describe("explain", () => {
  it.each(ExitCode.table.map((row) => [row.code, row] as const))("has a page for %i, by code and by name", (code, row) => {
    const page = Either.getOrThrow(Explanations.page(String(code)))
    expect(page.startsWith(`exit ${code} ${row.name}: ${row.meaning}\n`)).toBe(true)
    for (const heading of ["CAUSE", "HOW TO FIND OUT", "WHAT TO DO", "RETRY"]) expect(page).toContain(`\n${heading}\n  `)
    expect(page.includes("again soon can help")).toBe(row.retrySoon)
    expect(page.split("\n").slice(1).filter((line) => line.length > 79)).toEqual([])
    expect(Either.isRight(Explanations.page(row.name))).toBe(true)
  })

  it.each(["2", "022", "", "constructor"])("refuses '%s', and lists the codes", (subject) => {
    const { problems } = Either.getOrThrow(Either.flip(Explanations.page(subject)))
    expect(problems).toEqual([expect.stringContaining("is none of the exit codes 0, 10, 11, ")])
  })
})

import { describe, expect, it } from "vitest"
import { searchedBytes } from "../../../src/domain/LineHeader.ts"
import * as LineScanner from "../../../src/services/Source/LineScanner.ts"

const scan = (text: string, pieceBytes: number) => {
  const lines: Array<string> = []
  const scanner = LineScanner.make((beginning) => lines.push(Buffer.from(beginning).toString()))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) scanner.update(bytes.subarray(at, at + pieceBytes))
  return { lines, isTorn: scanner.isTorn() }
}

describe("the line scanner", () => {
  const long = "x".repeat(3 * searchedBytes)
  const text = `first\n\n${long}1\nlast\n${long}`

  it.each([1, 2, 3, 7, 1000, 1024, 1025, 100_000])("finds the same lines in pieces of %i bytes", (pieceBytes) => {
    expect(scan(text, pieceBytes)).toEqual({ lines: ["first", "", long.slice(0, searchedBytes), "last"], isTorn: true })
    expect(scan("a\n", pieceBytes)).toEqual({ lines: ["a"], isTorn: false })
    expect(scan("", pieceBytes)).toEqual({ lines: [], isTorn: false })
  })

  it.each([1, 5, 100, 100_000])("gathers facts from pieces of %i bytes", (pieceBytes) => {
    const line = (time: number, run: string) =>
      Buffer.from(`{"ts_unix_sec":${time},"interval_sec":60,"run_id":"${run}","pad":"${long}"}\n`)
    const bytes = Buffer.concat([line(100, "a"), line(160, "a"), line(220, "b"), Buffer.from(`{"ts_unix_sec":280,`)])
    const facts = LineScanner.facts()
    for (let at = 0; at < bytes.length; at += pieceBytes) facts.update(bytes.subarray(at, at + pieceBytes))
    expect(facts.facts()).toEqual({ count: 3, firstTime: 100, lastTime: 220, intervalSeconds: 60, runId: "b" })
  })

  it("returns no times for a file without lines", () => {
    const none = { firstTime: undefined, lastTime: undefined, intervalSeconds: undefined, runId: undefined }
    expect(LineScanner.facts().facts()).toEqual({ count: 0, ...none })
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as ProgressLine from "../../src/report/ProgressLine.ts"

const { rateOf, render } = ProgressLine

const half: ProgressLine.Progress = {
  done: { files: 6, bytes: 2_400_000 },
  total: { files: 12, bytes: 4_800_000 },
  counted: true,
  rate: 600_000,
  lastRetry: undefined
}

describe("the progress line", () => {
  it("shows the percentage, files, bytes, rate and remaining time", () => {
    expect(render(half, 80)).toBe("50 % [#####-----] 6 of 12 files, 2.4 MB of 4.8 MB, 600.0 kB/s, 4.0 s left")
  })

  it("omits the percentage and the remaining time while the files are being counted", () => {
    expect(render({ ...half, counted: false }, 80)).toBe("6 of 12+ files, 2.4 MB of 4.8 MB, 600.0 kB/s")
  })

  it("is valid before the first file, and with only empty files", () => {
    const nothing = { files: 0, bytes: 0 }
    expect(render({ ...half, done: nothing, total: nothing, rate: 0 }, 80)).toContain("0 of 0 files")
    const empty = { ...half, done: { files: 1, bytes: 0 }, total: { files: 2, bytes: 0 } }
    expect(render(empty, 80)).toContain("50 % [#####-----] 1 of 2 files")
  })

  it("says that nothing makes progress, and why", () => {
    expect(render({ ...half, rate: undefined }, 80)).toMatch(/4\.8 MB, stalled$/)
    expect(render({ ...half, rate: undefined, lastRetry: "slow\u001B" }, 80)).toMatch(/, retrying: slow\\033$/)
  })

  it("shows no remaining time if the estimate would be unreliable", () => {
    expect(render({ ...half, rate: 1 }, 80)).toMatch(/, 1 B\/s$/)
  })

  it.each([
    [40, "50 % 600.0 kB/s, 4.0 s left, 6 of 12 fi"],
    [59, "50 % 600.0 kB/s, 4.0 s left, 6 of 12 files, 2.4 MB of 4.8 "]
  ])("fits a terminal of %i columns, without the bar and with the time left first", (columns, line) => {
    expect(render(half, columns)).toBe(line)
  })
})

describe("the rate", () => {
  const at = (atMillis: number, bytes: number, files = 0) => ({ atMillis, done: { files, bytes } })

  it.each([
    ["no sample", [], undefined],
    ["one sample", [at(0, 7)], 0],
    ["the first and the last sample", [at(1000, 100), at(2000, 100), at(3000, 300)], 100],
    ["a short pause", [at(0, 100), at(4999, 100)], 0],
    ["a long pause", [at(0, 100), at(5000, 100)], undefined],
    ["empty files", [at(0, 100, 1), at(5000, 100, 2)], 0]
  ])("comes from %s", (_, samples, rate) => {
    expect(rateOf(samples)).toBe(rate)
  })
})

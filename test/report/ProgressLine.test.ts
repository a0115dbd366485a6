import { describe, expect, it } from "@effect/vitest"
import { render } from "../../src/report/ProgressLine.ts"

const half = {
  done: { files: 6, bytes: 2_400_000 },
  total: { files: 12, bytes: 4_800_000 },
  counted: true,
  elapsedMillis: 4000
}

describe("the progress line", () => {
  it("shows files, bytes, rate and the time left", () => {
    expect(render(half, 80)).toBe("[#####-----] 6 of 12 files, 2.4 MB of 4.8 MB, 600.0 kB/s, 4.0 s left")
  })

  it("omits the time left while the files are being counted", () => {
    expect(render({ ...half, counted: false }, 80)).toBe("[----------] 6 of 12+ files, 2.4 MB of 4.8 MB, 600.0 kB/s")
  })

  it("is valid before the first file, and with only empty files", () => {
    const nothing = { files: 0, bytes: 0 }
    expect(render({ done: nothing, total: nothing, counted: true, elapsedMillis: 0 }, 80)).toContain("0 of 0 files")
    const empty = { done: { files: 1, bytes: 0 }, total: { files: 2, bytes: 0 }, counted: true, elapsedMillis: 100 }
    expect(render(empty, 80)).toContain("[#####-----] 1 of 2 files")
  })

  it("fits the terminal", () => {
    expect(render(half, 40)).toHaveLength(39)
  })
})

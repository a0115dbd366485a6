import { describe, expect, it } from "vitest"
import * as Coverage from "../../src/domain/Coverage.ts"

const segmentsOf = (times: ReadonlyArray<number>, interval = 60) => {
  const coverage = Coverage.collector()
  for (const time of times) coverage.add(time, interval)
  return coverage.segments
}
const holesIn = (...files: ReadonlyArray<ReadonlyArray<number>>) =>
  Coverage.holes(
    files.flatMap((times) => segmentsOf(times)),
    60
  )

describe("the times of lines", () => {
  it.each([
    ["no lines", [], []],
    ["one line", [[100]], []],
    ["lines one interval apart", [[100, 160, 220]], []],
    ["lines 1.5 intervals apart", [[100, 190]], []],
    ["lines that are further apart", [[100, 191]], [{ from: 100, to: 191, missingLines: 1 }]],
    ["a missing line", [[100, 220]], [{ from: 100, to: 220, missingLines: 1 }]],
    ["a hole between files", [[100, 160], [3760]], [{ from: 160, to: 3760, missingLines: 59 }]],
    [
      "files in another order",
      [
        [220, 280],
        [100, 160]
      ],
      []
    ],
    ["files that overlap", [[100, 160, 220], [160, 220, 280], [100]], []],
    [
      "a file within a hole of another",
      [
        [100, 400],
        [160, 220, 280, 340]
      ],
      []
    ],
    ["a clock that was set back", [[1000, 1060, 100, 160, 220]], [{ from: 220, to: 1000, missingLines: 12 }]]
  ] as const)("with %s", (_, files, expected) => {
    expect(holesIn(...files)).toEqual(expected)
  })
})

describe("hours without a file", () => {
  const hour = 3600
  it.each([
    [[], []],
    [[5], []],
    [[5, 6, 6, 7], []],
    [
      [9, 5],
      [6, 7, 8]
    ],
    [
      [5, 7, 8, 10],
      [6, 9]
    ]
  ])("of %j are %j", (hours, missing) => {
    expect(Coverage.missingHours(hours.map((at) => at * hour))).toEqual(missing.map((at) => at * hour))
  })
})

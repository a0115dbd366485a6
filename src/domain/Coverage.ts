/** Which times the lines of a collector cover, and where they have holes. Times are in seconds since 1970. */

/** Lines without a hole between them. */
export interface Segment {
  readonly from: number
  readonly to: number
}

export interface Hole extends Segment {
  /** How many lines would fit between the line before and the line after it. */
  readonly missingLines: number
}

/** A later line is expected after one interval. Two lines that are further apart than this have a hole between them. */
const longestIntervals = 1.5

/** The interval of a collector that does not say it. */
export const usualInterval = 60

const isApart = (from: number, to: number, interval: number) => to - from > longestIntervals * interval

/** Collects the times of one file's lines. Mutable. */
export const collector = () => {
  const segments: Array<{ from: number; to: number }> = []
  let last: { from: number; to: number } | undefined
  return {
    segments: segments as ReadonlyArray<Segment>,
    add: (time: number, interval: number) => {
      // a clock that was set back begins a segment, too
      if (last !== undefined && time >= last.from && !isApart(last.to, time, interval))
        last.to = Math.max(last.to, time)
      else segments.push((last = { from: time, to: time }))
    }
  }
}

/**
 * The holes between the segments of all files of a run directory. The segments of two generations, or of a live and a
 * compressed object of the same hour, may overlap.
 */
export const holes = (segments: ReadonlyArray<Segment>, interval: number): ReadonlyArray<Hole> => {
  const found: Array<Hole> = []
  let end: number | undefined
  for (const { from, to } of segments.toSorted((a, b) => a.from - b.from)) {
    if (end !== undefined && isApart(end, from, interval))
      found.push({ from: end, to: from, missingLines: Math.max(1, Math.round((from - end) / interval) - 1) })
    end = Math.max(end ?? to, to)
  }
  return found
}

const hour = 3600

/** The hours without a file between the first and the last that have one. Hours are those of their starts. */
export const missingHours = (hours: Iterable<number>): ReadonlyArray<number> => {
  const sorted = [...new Set(hours)].toSorted((a, b) => a - b)
  return sorted.flatMap((start, at) => {
    const before = sorted[at - 1] ?? start
    return Array.from({ length: Math.max(0, (start - before) / hour - 1) }, (_, index) => before + (index + 1) * hour)
  })
}

/** Finds the times that a collector's lines cover, and the holes between them. Times are in seconds since 1970. */

/** A series of lines without a hole. */
export interface Segment {
  readonly from: number
  readonly to: number
}

export interface Hole extends Segment {
  /** How many lines are missing between the line before the hole and the line after it. */
  readonly missingLines: number
}

/**
 * The next line is expected after one interval. If two lines are more than this many intervals apart, there is a hole
 * between them.
 */
const longestIntervals = 1.5

/** The interval to assume for a collector whose lines do not contain it. */
export const usualInterval = 60

const isApart = (from: number, to: number, interval: number) => to - from > longestIntervals * interval

/** Collects the times of one file's lines. Mutable. */
export const collector = () => {
  const segments: Array<{ from: number; to: number }> = []
  let last: { from: number; to: number } | undefined
  return {
    segments: segments as ReadonlyArray<Segment>,
    add: (time: number, interval: number) => {
      // a new segment also starts where the clock was set back
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

/**
 * Returns the hours without a file between the first and the last hour that have one. An hour is given by its start.
 */
export const missingHours = (hours: Iterable<number>): ReadonlyArray<number> => {
  const sorted = [...new Set(hours)].toSorted((a, b) => a - b)
  return sorted.flatMap((start, at) => {
    const before = sorted[at - 1] ?? start
    return Array.from({ length: Math.max(0, (start - before) / hour - 1) }, (_, index) => before + (index + 1) * hour)
  })
}

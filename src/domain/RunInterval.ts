/** When the next run is expected. */
import { Duration } from "effect"

const hour = Duration.toMillis("1 hour")
const day = Duration.toMillis("24 hours")

/** Fewer intervals are not reliable: days may pass between a trial run and the first run of the timer. */
const leastIntervals = 3

/** Number of run starts that `expected` uses, including the present run. */
export const startsUsed = 6

/**
 * The interval between runs, in milliseconds: the median of recent intervals, which one long pause does not change.
 * With fewer than three intervals, it is an hour. It is always from an hour to a day. `starts`: milliseconds since
 * 1970, latest first.
 */
export const expected = (starts: ReadonlyArray<number>): number => {
  const intervals = starts
    .slice(0, startsUsed)
    .flatMap((start, at, all) => (at === 0 ? [] : [all[at - 1]! - start]))
    .sort((a, b) => a - b)
  if (intervals.length < leastIntervals) return hour
  return Math.min(day, Math.max(hour, intervals[Math.floor((intervals.length - 1) / 2)]!))
}

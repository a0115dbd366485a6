/** When the next run is expected. */
import { Duration } from "effect"

const hour = Duration.toMillis("1 hour")
const day = Duration.toMillis("24 hours")

/** Fewer intervals say little: after a trial run, the timer may be enabled days later. */
const leastIntervals = 3

/** Starts of runs that `expected` looks at, the present one included. */
export const startsUsed = 6

/**
 * The interval between runs, in milliseconds: the median of the latest ones, so that one long pause does not change it. An
 * hour if there are fewer than three; at least an hour and at most a day. `starts` are in milliseconds since 1970, latest first.
 */
export const expected = (starts: ReadonlyArray<number>): number => {
  const intervals = starts
    .slice(0, startsUsed)
    .flatMap((start, at, all) => (at === 0 ? [] : [all[at - 1]! - start]))
    .sort((a, b) => a - b)
  if (intervals.length < leastIntervals) return hour
  return Math.min(day, Math.max(hour, intervals[Math.floor((intervals.length - 1) / 2)]!))
}

/** Limits how often systemd starts a failing run before it alerts. */
import { Duration } from "effect"
import type { Settings } from "../domain/Settings.ts"

/** The settings that limit the duration of a run whose requests all fail. */
export type Limits = Pick<Settings, "deadline" | "giveUpAfter" | "grace" | "lockWait" | "timeout">

/** The pause before a retry: long enough for a store to recover, and short enough for two retries within the hour. */
export const pause = Duration.minutes(2)

/**
 * The interval in which systemd counts starts. It is below an hour, so that systemd does not refuse the timer's next
 * start.
 */
export const window = Duration.minutes(50)

/** Time limit for counting the remaining files when a run ends early. */
const countingTime = Duration.seconds(12)

/**
 * The longest run against a store that is down: `giveUpAfter`, then one more pause and request. A deadline, if given,
 * limits every run.
 */
const longestRun = ({ deadline, giveUpAfter, grace, lockWait, timeout }: Limits) =>
  [
    ...(deadline === undefined ? [giveUpAfter, Duration.minutes(1), timeout, grace] : [deadline]),
    lockWait,
    countingTime
  ].reduce(Duration.sum)

/**
 * The number of consecutive runs, including the first. All their starts, and one more that systemd refuses, must fit
 * into the window: systemd alerts when it refuses a start.
 */
export const attempts = (limits: Limits): 1 | 2 | 3 => {
  const runs = Math.floor(Duration.toMillis(window) / Duration.toMillis(Duration.sum(longestRun(limits), pause)))
  return runs >= 3 ? 3 : runs === 2 ? 2 : 1
}

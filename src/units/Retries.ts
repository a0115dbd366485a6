/** How often systemd retries a failed run before it alerts. */
import { Duration } from "effect"
import type { Settings } from "../domain/Settings.ts"

/** The settings that limit the duration of a run whose requests all fail. */
export type Limits = Pick<Settings, "deadline" | "giveUpAfter" | "grace" | "lockWait" | "timeout">

/** Long enough for a store to recover, and short enough for two pauses within the hour. */
export const pause = Duration.minutes(2)

/** Shorter than an hour, so that systemd does not refuse the timer's next start. */
export const window = Duration.minutes(50)

/** For counting the remaining files when a run ends early. */
const countingTime = Duration.seconds(12)

/**
 * The longest run against a dead store: `giveUpAfter`, then one more pause and request. A deadline, if there is one, limits
 * every run.
 */
const longestRun = ({ deadline, giveUpAfter, grace, lockWait, timeout }: Limits) =>
  [
    ...(deadline === undefined ? [giveUpAfter, Duration.minutes(1), timeout, grace] : [deadline]),
    lockWait,
    countingTime
  ].reduce(Duration.sum)

/**
 * Runs in a row, including the first. They and the start that systemd refuses after them must fall into the window;
 * otherwise systemd would not refuse it, and never alert.
 */
export const attempts = (limits: Limits): 1 | 2 | 3 => {
  const runs = Math.floor(Duration.toMillis(window) / Duration.toMillis(Duration.sum(longestRun(limits), pause)))
  return runs >= 3 ? 3 : runs === 2 ? 2 : 1
}

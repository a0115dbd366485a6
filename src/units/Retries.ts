/** How often systemd starts a failed run again before it calls for help. */
import { Duration } from "effect"
import type { Settings } from "../domain/Settings.ts"

/** What a run's length depends on when nothing goes well. */
export type Limits = Pick<Settings, "deadline" | "giveUpAfter" | "grace" | "lockWait" | "timeout">

/** Long enough for a store to come back, short enough for two of them within the hour. */
export const pause = Duration.minutes(2)

/** Shorter than an hour, so that the timer's next run finds nothing that speaks against it. */
export const window = Duration.minutes(50)

/** Counting what is left when a run ends early. */
const counting = Duration.seconds(12)

/**
 * The longest that a run takes over a store that is dead: one more pause and request come on top of its patience. With a
 * deadline, which a run that goes well meets, too, it is that.
 */
const longest = ({ deadline, giveUpAfter, grace, lockWait, timeout }: Limits) =>
  [
    ...(deadline === undefined ? [giveUpAfter, Duration.minutes(1), timeout, grace] : [deadline]),
    lockWait,
    counting
  ].reduce(Duration.sum)

/**
 * Runs in a row, the first one included. All must begin within the window, and the one after them, too, or systemd would
 * not count it, start it, and never call for help.
 */
export const attempts = (limits: Limits): 1 | 2 | 3 => {
  const fitting = Math.floor(Duration.toMillis(window) / Duration.toMillis(Duration.sum(longest(limits), pause)))
  return fitting >= 3 ? 3 : fitting === 2 ? 2 : 1
}

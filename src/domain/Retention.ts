/**
 * Estimates how long the collector keeps a snapshot file.
 *
 * After each line that it writes, the collector rotates its current run directory: it deletes a file when `now - start
 * of its hour > --max-age`. So the files in such a directory give a lower and an upper bound of `--max-age`.
 */
import { Duration } from "effect"

/**
 * In milliseconds. The collector keeps a file for at least `least`, and for less than `most`, which is undefined if
 * unknown.
 */
export interface Bounds {
  readonly least: number
  readonly most: number | undefined
}

const hour = Duration.toMillis("1 hour")

/** The collector's default. Source: `--max-age` of its command line, 86,400 s. */
export const usual = Duration.toMillis("24 hours")

/**
 * Derives bounds from one listing of a rotated directory. All times are in milliseconds since 1970. `lastWrite`: the
 * latest change in the directory. `oldest`: the start of the hour of its oldest snapshot file. `deleted`: the start of
 * the latest hour before `oldest` whose file the ledger knows. The collector has deleted that file.
 */
export const observe = (lastWrite: number, oldest: number, deleted: number | undefined): Bounds => ({
  least: lastWrite - oldest,
  most: deleted === undefined ? undefined : lastWrite - deleted
})

/** Adds an observation. If it contradicts the earlier ones, it replaces them: the collector's setting was changed. */
export const merge = (known: Bounds | undefined, seen: Bounds): Bounds => {
  if (known === undefined) return seen
  const least = Math.max(known.least, seen.least)
  const most = Math.min(known.most ?? Infinity, seen.most ?? Infinity)
  return least >= most ? seen : { least, most: most === Infinity ? undefined : most }
}

/**
 * | `--retention` | bounds                                | milliseconds                                          |
 * | ------------- | ------------------------------------- | ----------------------------------------------------- |
 * | given         |                                       | as given                                              |
 * |               | none, or they contain 24 h            | 24 h                                                  |
 * |               | no `most`, and `least` exceeds 24 h   | undefined: there is no upper bound                    |
 * |               | both, and a whole hour between them   | the smallest whole hour                               |
 * |               | both, and no whole hour between them  | `least`                                               |
 */
export const estimate = (given: Duration.Duration | undefined, bounds: Bounds | undefined): number | undefined => {
  if (given !== undefined) return Duration.toMillis(given)
  if (bounds === undefined) return usual
  const { least, most } = bounds
  if (least <= usual && usual < (most ?? Infinity)) return usual
  if (most === undefined) return undefined
  const wholeHour = Math.ceil(least / hour) * hour
  return wholeHour < most ? wholeHour : least
}

/** Which files and run directories on the host may be deleted, because the store has all of them. */
import { Duration } from "effect"

/** What a ledger says about a file on disk. Only a `stored` file may be deleted. */
export type Standing =
  /** Stored as final, and not changed since then. */
  | "stored"
  /** Stored as live: the file could still grow when it was read. */
  | "live"
  /** Not completely stored. */
  | "waiting"
  /** Stored, but changed on disk since then. */
  | "changed"
  /** Not known to the ledger. */
  | "unknown"

/**
 * One file can have several targets, such as an old bucket and a new one.
 *
 * | targets that upload the file | standing                           |
 * | ---------------------------- | ---------------------------------- |
 * | none                         | `unknown`                          |
 * | some                         | of the first where it is not `stored` |
 * | some, `stored` in each       | `stored`                           |
 */
export const combine = (standings: ReadonlyArray<Standing>): Standing =>
  standings.length === 0 ? "unknown" : (standings.find((standing) => standing !== "stored") ?? "stored")

/** By default, a running collector writes once a minute. An hour allows for longer intervals. */
const idleAfter = Duration.toMillis("1 hour")

/** The content of one run directory. */
export interface Content {
  readonly files: number
  /** The files that are `stored`. */
  readonly stored: number
  /** The latest change of a file, in milliseconds since 1970. */
  readonly changedAt: number
  /** Whether it is the newest run directory of its kind in its parent directory. */
  readonly isNewest: boolean
}

/**
 * Whether the directory as a whole may be deleted.
 *
 * | files                  | newest run directory | last change      | whole |
 * | ---------------------- | -------------------- | ---------------- | ----- |
 * | none                   | any                  |                  | no    |
 * | not all are `stored`   | any                  | any              | no    |
 * | all are `stored`       | yes                  | within an hour   | no: the collector may be at work in it |
 * | all are `stored`       | yes                  | longer ago       | yes   |
 * | all are `stored`       | no                   | any              | yes   |
 */
export const isWhole = ({ changedAt, files, isNewest, stored }: Content, nowMillis: number): boolean =>
  files > 0 && stored === files && !(isNewest && nowMillis - changedAt < idleAfter)

/** The risk of losing a file that is not completely stored at the end of a run. */
import { Data } from "effect"
import * as Snapshot from "./Snapshot.ts"

/** A file that is pending, or whose stored object is live. Times are in milliseconds since 1970. */
export interface UnfinishedFile {
  /** Relative to the input directory. */
  readonly path: string
  readonly pending: boolean
  /** When the store acknowledged its object; undefined if it has none. */
  readonly acknowledgedAt: number | undefined
}

/** Facts about the file's directory and the run. Times are in milliseconds since 1970. */
export interface Surroundings {
  readonly exists: boolean
  /** Whether the file only grows. Deleting any other file is normal, for example after it was archived. */
  readonly isAppendOnly: boolean
  /** Whether the collector is writing to the file's directory. It deletes old files only there. */
  readonly isRotated: boolean
  /**
   * Whether a run has seen a later snapshot in the directory. If so, the collector wrote this snapshot until the end of
   * its hour.
   */
  readonly hasLaterSnapshot: boolean
  /** How long the collector keeps a snapshot after the start of its hour, in milliseconds; undefined if unknown. */
  readonly retention: number | undefined
  readonly now: number
  readonly nextRunAt: number
}

export type LossRisk = Data.TaggedEnum<{
  /** A later run can store it. */
  Waits: {}
  /** It will be rotated away before the next run. `rotatedAt` is in milliseconds since 1970. */
  AtRisk: { readonly rotatedAt: number }
  /** It was deleted before all of it was stored. */
  Lost: {}
  /** It was deleted. Every line that a run saw is stored, and nothing shows that the file had more lines. */
  EndNotSeen: {}
  /** It was deleted or archived, and the store has all of it. */
  Gone: {}
}>
export const LossRisk = Data.taggedEnum<LossRisk>()

/**
 * | file    | name        | pending | and                                                    | risk         |
 * | ------- | ----------- | ------- | ------------------------------------------------------ | ------------ |
 * | exists  | a snapshot  | any     | it will be rotated away by `nextRunAt`                 | `AtRisk`     |
 * | exists  | any         | any     | otherwise                                              | `Waits`      |
 * | deleted | not append-only | any |                                                        | `Gone`       |
 * | deleted | append-only | yes     |                                                        | `Lost`       |
 * | deleted | a snapshot  | no      | stored after its hour                                  | `EndNotSeen` |
 * | deleted | a snapshot  | no      | stored within its hour; a later snapshot was seen      | `Lost`       |
 * | deleted | a snapshot  | no      | stored within its hour; no later snapshot was seen     | `EndNotSeen` |
 * | deleted | any other   | no      |                                                        | `Gone`       |
 *
 * A file that is not pending here is stored as `live`: completely stored files are not checked.
 */
export const of = (file: UnfinishedFile, surroundings: Surroundings): LossRisk => {
  const { exists, hasLaterSnapshot, isAppendOnly, isRotated, nextRunAt, now, retention } = surroundings
  const hour = Snapshot.hourOf(file.path)
  if (exists) {
    if (hour === undefined || !isRotated || retention === undefined) return LossRisk.Waits()
    const rotatedAt = hour.start + retention
    return rotatedAt > now && rotatedAt <= nextRunAt ? LossRisk.AtRisk({ rotatedAt }) : LossRisk.Waits()
  }
  if (!isAppendOnly) return LossRisk.Gone()
  if (file.pending) return LossRisk.Lost()
  if (hour === undefined) return LossRisk.Gone()
  const isStoredToItsEnd = (file.acknowledgedAt ?? 0) >= hour.end
  return hasLaterSnapshot && !isStoredToItsEnd ? LossRisk.Lost() : LossRisk.EndNotSeen()
}

/** How the operator can prevent further losses. Both arguments are in milliseconds. */
export const hint = (interval: number, retention: number | undefined): string => {
  const kept = retention === undefined ? "" : `, which keeps a snapshot for ${inHours(retention)}`
  return `run ibsr-export more often than every ${inHours(interval)}, or raise --max-age of the collector${kept}`
}

const inHours = (millis: number) => `${Number((millis / 3_600_000).toFixed(1))} h`

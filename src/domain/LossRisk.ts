/** What becomes of a file that is not wholly stored when a run is over. */
import { Data } from "effect"
import * as Snapshot from "./Snapshot.ts"

export type LossRisk = Data.TaggedEnum<{
  /** A later run will see to it. */
  Waits: {}
  /** It will be rotated away before the next run. Milliseconds since 1970. */
  AtRisk: { readonly rotatedAt: number }
  /** It is not there any more; `lost`: with something that is not stored. */
  Gone: { readonly lost: boolean }
}>
export const LossRisk = Data.taggedEnum<LossRisk>()

/**
 * | file  | something is not stored | name       | fate                                                            |
 * | ----- | ----------------------- | ---------- | --------------------------------------------------------------- |
 * | there | yes, or no              | a snapshot | `AtRisk` if it is rotated away by `nextRunAt`, else `Waits`     |
 * | there | yes, or no              | any other  | `Waits`                                                         |
 * | gone  | yes                     | any        | lost                                                            |
 * | gone  | no                      | a snapshot | lost: it was stored while it was live, and its end never was    |
 * | gone  | no                      | any other  | not lost                                                        |
 *
 * A file of which nothing is missing is only asked about if what is stored is `live`.
 */
export const of = (
  file: { readonly path: string; readonly pending: boolean },
  isThere: boolean,
  nextRunAt: number
): LossRisk => {
  const rotatedAt = Snapshot.rotatedAt(file.path)
  if (!isThere) return LossRisk.Gone({ lost: file.pending || rotatedAt !== undefined })
  return rotatedAt !== undefined && rotatedAt <= nextRunAt ? LossRisk.AtRisk({ rotatedAt }) : LossRisk.Waits()
}

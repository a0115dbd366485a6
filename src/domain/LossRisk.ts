/** Whether a file that is not completely stored at the end of a run is at risk, or already lost. */
import { Data } from "effect"
import * as Snapshot from "./Snapshot.ts"

export type LossRisk = Data.TaggedEnum<{
  /** A later run can store it. */
  Waits: {}
  /** It will be rotated away before the next run. `rotatedAt` is in milliseconds since 1970. */
  AtRisk: { readonly rotatedAt: number }
  /** It no longer exists. `lost`: before all of it was stored. */
  Gone: { readonly lost: boolean }
}>
export const LossRisk = Data.taggedEnum<LossRisk>()

/**
 * | file   | pending | name       | risk                                                         |
 * | ------ | ------- | ---------- | ------------------------------------------------------------ |
 * | exists | any     | a snapshot | `AtRisk` if it is rotated away by `nextRunAt`, else `Waits`  |
 * | exists | any     | any other  | `Waits`                                                      |
 * | gone   | yes     | any        | lost                                                         |
 * | gone   | no      | a snapshot | lost: it was stored while it was live, but never to its end  |
 * | gone   | no      | any other  | not lost                                                     |
 *
 * Callers ask about a file that is not pending only if its stored state is `live`.
 */
export const of = (
  file: { readonly path: string; readonly pending: boolean },
  exists: boolean,
  nextRunAt: number
): LossRisk => {
  const rotatedAt = Snapshot.rotatedAt(file.path)
  if (!exists) return LossRisk.Gone({ lost: file.pending || rotatedAt !== undefined })
  return rotatedAt !== undefined && rotatedAt <= nextRunAt ? LossRisk.AtRisk({ rotatedAt }) : LossRisk.Waits()
}

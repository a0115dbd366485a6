/** The rows of one target's lost completions. The methods have the same names as in `OpenLedger`. */
import type { DatabaseSync } from "node:sqlite"
import * as LostCompletion from "../../domain/LostCompletion.ts"

export const make = (db: DatabaseSync, target: number) => {
  const select = db.prepare("SELECT count, at FROM lost_completions WHERE target = ? AND path = ?")
  const upsert = db.prepare(
    `INSERT INTO lost_completions (target, path, count, at) VALUES (?, ?, 1, ?)
     ON CONFLICT DO UPDATE SET count = count + 1, at = excluded.at`
  )
  const remove = db.prepare("DELETE FROM lost_completions WHERE target = ? AND path = ?")
  return {
    lostCompletions: (path: string): LostCompletion.LostCompletions => {
      const row = select.get(target, path)
      return row === undefined ? LostCompletion.none : { count: Number(row["count"]), at: Number(row["at"]) }
    },
    completionLost: (path: string, now: number): void => {
      upsert.run(target, path, now)
    },
    completionAnswered: (path: string): void => {
      remove.run(target, path)
    }
  }
}

/**
 * Postpones the snapshots of an hour that has just ended to the end of the run, when they are final. Otherwise, a run
 * that starts within `--final-after` of the hour's end would send them as live, and the next run would send them again
 * as final. A cron job at minute 0 always starts so early: with hourly runs, it would send 2.1 times the bytes.
 */
import { Clock, type Context, Duration, Effect } from "effect"
import type { StateUnusable } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import type { OpenLedger } from "../Ledger.ts"
import type { Stop } from "../Stop.ts"

/** Maximum wait. If `--final-after` is longer, no file is postponed. */
const maxWait = Duration.minutes(5)

export type Options = Pick<Settings, "dryRun" | "finalAfter">

export const make = (
  { dryRun, finalAfter }: Options,
  ledger: OpenLedger,
  stop: Pick<Context.Tag.Service<Stop>, "requested">
) => {
  const postponed: Array<SourceFile> = []
  let finalAt = 0
  const isEnabled = !dryRun && Duration.lessThanOrEqualTo(finalAfter, maxWait)

  return {
    /** Returns the files to upload now. Marks the others as pending, in case the run ends early. */
    postpone: (files: ReadonlyArray<SourceFile>): Effect.Effect<ReadonlyArray<SourceFile>, StateUnusable> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const later = new Set<SourceFile>()
        for (const file of isEnabled ? files : []) {
          const at = Snapshot.finalAt(file.relativePath, now, finalAfter)
          if (at === undefined) continue
          finalAt = Math.max(finalAt, at)
          later.add(file)
          postponed.push(file)
        }
        if (later.size === 0) return Effect.succeed(files)
        return Effect.as(
          Effect.forEach(later, (file) => ledger.markPending(file.relativePath), { discard: true }),
          files.filter((file) => !later.has(file))
        )
      }),
    /**
     * Waits until the postponed files are final or a stop is requested, and returns the postponed files. Waits no longer than
     * `--final-after`, even if the clock is set back meanwhile.
     */
    wait: Effect.suspend(() =>
      postponed.length === 0
        ? Effect.succeed(postponed)
        : Effect.flatMap(Clock.currentTimeMillis, (now) =>
            Effect.as(
              Effect.raceFirst(Effect.sleep(Duration.min(Math.max(0, finalAt - now), finalAfter)), stop.requested),
              postponed
            )
          )
    )
  }
}

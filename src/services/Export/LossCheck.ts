/** Looks for files that were deleted before they were stored, and for files that will be deleted before the next run. */
import { type Context, Effect } from "effect"
import { promises as fs } from "node:fs"
import { join } from "node:path"
import type { StateUnusable } from "../../domain/Errors.ts"
import * as LossRisk from "../../domain/LossRisk.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { OpenLedger } from "../Ledger.ts"
import type { Reporter } from "../Reporter.ts"
import { exists } from "../Source/FileStat.ts"

/** Files per query. */
const pageSize = 1000

/** Milliseconds: a timer's usual interval, and the longest time for which the collector keeps a file. */
const shortestInterval = 3_600_000
const longestInterval = 24 * 3_600_000

/** Assumes the interval between the last two runs, within the bounds above. All times in milliseconds since 1970. */
export const nextRunAt = (now: number, startedAt: number, previousRunAt: number | undefined): number => {
  const interval = previousRunAt === undefined ? shortestInterval : startedAt - previousRunAt
  return now + Math.min(longestInterval, Math.max(shortestInterval, interval))
}

/** Reports each lost file once: the ledger remembers that it is gone. `nextRun` in milliseconds since 1970. */
export const checkLosses = (
  ledger: OpenLedger,
  settings: Pick<Settings, "input" | "include" | "exclude">,
  nextRun: number,
  reporter: Pick<Context.Tag.Service<Reporter>, "addLost" | "addAtRisk">
): Effect.Effect<void, StateUnusable> =>
  Effect.gen(function* () {
    const selection = Selection.make(settings)
    let files = yield* ledger.unfinishedFiles("", pageSize)
    while (files.length > 0) {
      // `exists` is synchronous, so first wait until the file system answers: it may be a server that hangs
      yield* Effect.promise(() => fs.stat(settings.input).catch(() => undefined))
      for (const file of files) {
        if (!selection.keeps(file.path)) continue
        const risk = LossRisk.of(file, exists(join(settings.input, file.path)), nextRun)
        if (risk._tag === "Gone") yield* ledger.markGone(file.path, risk.lost)
        if (risk._tag === "Gone" && risk.lost) reporter.addLost(file.path)
        if (risk._tag === "AtRisk") reporter.addAtRisk(file.path, risk.rotatedAt)
      }
      files = yield* ledger.unfinishedFiles(files.at(-1)!.path, pageSize)
    }
  })

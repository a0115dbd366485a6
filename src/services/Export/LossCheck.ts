/** Finds files that were deleted before they were stored, and files that will be deleted before the next run. */
import { Effect } from "effect"
import { join } from "node:path"
import type { StateUnusable } from "../../domain/Errors.ts"
import * as LossRisk from "../../domain/LossRisk.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { OpenLedger } from "../Ledger.ts"
import * as FileStat from "../Source/FileStat.ts"
import * as CollectorView from "./CollectorView.ts"

/** Files per query. */
const pageSize = 1000

/** Receives the findings. */
export interface LossFindings {
  /** `hint`: how the operator can prevent further losses. */
  readonly addLost: (path: string, hint: string) => void
  readonly addEndNotSeen: (path: string) => void
  readonly addAtRisk: (path: string, rotatedAt: number) => void
}

export type Options = Pick<Settings, "input" | "include" | "exclude" | "appendOnly" | "retention">

/**
 * Reports each lost file only once, because the ledger then marks it as gone. Reports files at risk in the order in
 * which the collector will delete them. `interval` is the time between runs in milliseconds; `now` is in milliseconds
 * since 1970.
 */
export const checkLosses = (
  ledger: OpenLedger,
  settings: Options,
  interval: number,
  now: number,
  findings: LossFindings
): Effect.Effect<void, StateUnusable> =>
  Effect.gen(function* () {
    const selection = Selection.make(settings)
    const isAppendOnly = Selection.matcher(settings.appendOnly)
    const collector = CollectorView.make(ledger, settings, now)
    const atRisk: Array<readonly [path: string, rotatedAt: number]> = []

    let files = yield* ledger.unfinishedFiles("", pageSize)
    while (files.length > 0) {
      const kept = files.filter(({ path }) => selection.keeps(path))
      const directories = yield* collector.look(new Set(kept.map(({ path }) => directoryOf(path))))
      const exist = yield* Effect.promise(() => FileStat.exist(kept.map(({ path }) => join(settings.input, path))))
      // a plain loop for speed, because there may be ten thousand live files
      const gone: Array<readonly [path: string, lost: boolean]> = []
      for (const [at, file] of kept.entries()) {
        const { isRotated, latestSnapshot, retention } = directories.get(directoryOf(file.path))!
        const risk = LossRisk.of(file, {
          exists: exist[at]!,
          isAppendOnly: isAppendOnly(file.path),
          isRotated,
          hasLaterSnapshot: latestSnapshot !== undefined && latestSnapshot > file.path,
          retention,
          now,
          nextRunAt: now + interval
        })
        if (risk._tag === "Waits") continue
        if (risk._tag === "AtRisk") atRisk.push([file.path, risk.rotatedAt])
        else gone.push([file.path, risk._tag === "Lost"])
        if (risk._tag === "Lost") findings.addLost(file.path, LossRisk.hint(interval, retention))
        if (risk._tag === "EndNotSeen") findings.addEndNotSeen(file.path)
      }
      yield* Effect.forEach(gone, ([path, lost]) => ledger.markGone(path, lost), { discard: true })
      files = yield* ledger.unfinishedFiles(files.at(-1)!.path, pageSize)
    }
    for (const found of atRisk.sort(([, a], [, b]) => a - b)) findings.addAtRisk(...found)
    yield* collector.remember
  })

/** The file's directory, ending in `/`; empty for a file directly in the input. */
const directoryOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1)

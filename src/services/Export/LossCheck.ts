/** What the ledger still waits for when a run is over: what was rotated away unseen, and what soon will be. */
import { Effect } from "effect"
import { lstatSync, promises as fs } from "node:fs"
import { join } from "node:path"
import type { StateUnusable } from "../../domain/Errors.ts"
import * as LossRisk from "../../domain/LossRisk.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { OpenLedger } from "../Ledger.ts"
import { codeOf } from "../SystemError.ts"

/** Files asked for at once. */
const page = 1000

/** Where the findings go, and whose they are. */
export interface LossFindings {
  readonly addLost: (path: string) => void
  readonly addAtRisk: (path: string, rotatedAt: number) => void
}

/** A timer's usual interval, and the longest for which the collector keeps a file. */
const shortestInterval = 3_600_000
const longestInterval = 24 * 3_600_000

/** As long after this run as this one came after the one before, as far as that is an interval between runs at all. */
export const nextRunAt = (now: number, startedAt: number, previousRunAt: number | undefined): number => {
  const interval = previousRunAt === undefined ? shortestInterval : startedAt - previousRunAt
  return now + Math.min(longestInterval, Math.max(shortestInterval, interval))
}

/** Each file that is gone is told once, and remembered as told. `nextRunAt` in milliseconds since 1970. */
export const checkLosses = (
  ledger: OpenLedger,
  settings: Pick<Settings, "input" | "include" | "exclude">,
  nextRunAt: number,
  findings: LossFindings
): Effect.Effect<void, StateUnusable> =>
  Effect.gen(function* () {
    const selection = Selection.make(settings)
    let files = yield* ledger.unfinishedFiles("", page)
    while (files.length > 0) {
      // a file server that hangs must not hang the program: what is asked at once comes after what is waited for
      yield* Effect.promise(() => fs.stat(settings.input).catch(() => undefined))
      for (const file of files) {
        // what is no longer selected is nobody's business
        if (!selection.keeps(file.path)) continue
        const fate = LossRisk.of(file, exists(join(settings.input, file.path)), nextRunAt)
        if (fate._tag === "Gone") yield* ledger.markGone(file.path, fate.lost)
        if (fate._tag === "Gone" && fate.lost) findings.addLost(file.path)
        if (fate._tag === "AtRisk") findings.addAtRisk(file.path, fate.rotatedAt)
      }
      files = yield* ledger.unfinishedFiles(files.at(-1)!.path, page)
    }
  })

/** What cannot be looked at may be there. */
export const exists = (path: string) => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (cause) {
    return codeOf(cause) !== "ENOTDIR"
  }
}

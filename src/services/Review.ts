/** What the ledger still waits for when a run is over: what was rotated away unseen, and what soon will be. */
import { Effect } from "effect"
import { lstatSync } from "node:fs"
import { join } from "node:path"
import type { StateUnusable } from "../domain/Errors.ts"
import * as Fate from "../domain/Fate.ts"
import type { OpenLedger } from "./Ledger.ts"
import { codeOf } from "./SystemError.ts"

/** Files asked for at once. */
const page = 1000

export interface Findings {
  readonly lost: (path: string) => void
  readonly atRisk: (path: string, rotatedAt: number) => void
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
export const review = (
  ledger: OpenLedger,
  input: string,
  nextRunAt: number,
  findings: Findings
): Effect.Effect<void, StateUnusable> =>
  Effect.gen(function* () {
    let files = yield* ledger.unsettled("", page)
    while (files.length > 0) {
      for (const file of files) {
        const fate = Fate.of(file, isThere(join(input, file.path)), nextRunAt)
        if (fate._tag === "Gone") yield* ledger.gone(file.path, fate.lost)
        if (fate._tag === "Gone" && fate.lost) findings.lost(file.path)
        if (fate._tag === "AtRisk") findings.atRisk(file.path, fate.rotatedAt)
      }
      files = yield* ledger.unsettled(files.at(-1)!.path, page)
    }
  })

/** What cannot be looked at may be there. */
const isThere = (path: string) => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (cause) {
    return codeOf(cause) !== "ENOTDIR"
  }
}

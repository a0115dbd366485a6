/**
 * Finds, without opening them, the files that are not selected and the files whose whole content is already stored. In
 * most runs these are nearly all files, so it works on chunks, in plain loops.
 */
import { Chunk, Clock, type Context, Effect, Either } from "effect"
import { promises as fs } from "node:fs"
import type { StateUnusable } from "../../domain/Errors.ts"
import { Outcome } from "../../domain/Outcome.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import { type Found, pathOf, type SourceFile } from "../../domain/SourceFile.ts"
import type { OpenLedger, StoredAs } from "../Ledger.ts"
import type { FileOutcome, Reporter } from "../Reporter.ts"
import * as FileStat from "./FileStat.ts"

const unchanged = Outcome.Unchanged()

/**
 * Waits until the file system responds. The chunk is then examined synchronously: if a file server hung during that,
 * the program could react neither to a signal nor to the deadline.
 */
const untilResponsive = (chunk: Chunk.Chunk<Found>) =>
  Effect.promise(async () => {
    const first = Chunk.toReadonlyArray(chunk).find((found) => found._tag === "File")
    if (first !== undefined) await fs.lstat(first.file.path).catch(() => undefined)
  })

/** Reports the outcomes that are already certain, and returns the files to open. */
export const make =
  (settings: Settings, selection: Selection.Selection, reporter: Context.Tag.Service<Reporter>) =>
  (ledger: OpenLedger) =>
  (chunk: Chunk.Chunk<Found>): Effect.Effect<Chunk.Chunk<SourceFile>, StateUnusable> =>
    Effect.flatMap(Effect.zipRight(untilResponsive(chunk), Clock.currentTimeMillis), (now) => {
      const outcomes: Array<FileOutcome> = []
      const toOpen: Array<SourceFile> = []
      const isStored = (file: SourceFile, storedAs: StoredAs) => {
        const stat = FileStat.stat(file, settings)
        if (stat === undefined) return false
        const stored = storedAs(file, stat)
        // a file stored as live is stored again once it is final, even if that is at the end of this run
        return (
          stored === "final" ||
          (stored === "live" &&
            FileStat.stateOf(file, stat, now, settings) === "live" &&
            Snapshot.finalAt(file.relativePath, now, settings.finalAfter) === undefined)
        )
      }
      return ledger
        .lookUp((storedAs) => {
          for (const found of Chunk.toReadonlyArray(chunk)) {
            const admitted = Selection.admit(selection, found)
            if (Either.isLeft(admitted))
              outcomes.push({ file: { relativePath: pathOf(found) }, outcome: admitted.left })
            else if (settings.force || !isStored(admitted.right, storedAs)) toOpen.push(admitted.right)
            else outcomes.push({ file: admitted.right, outcome: unchanged })
          }
        })
        .pipe(
          Effect.tap(() => reporter.addOutcomes(outcomes)),
          Effect.map(() => Chunk.unsafeFromArray(toOpen))
        )
    })

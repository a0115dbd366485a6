/**
 * Settles what can be settled without opening a file, a batch at a time: what is not selected, and what is as it was
 * when all of it was stored. In most runs that is nearly everything, so it is done in plain loops.
 */
import { Chunk, Clock, type Context, Effect, Either } from "effect"
import { promises as fs } from "node:fs"
import type { StateUnusable } from "../../domain/Errors.ts"
import { Outcome } from "../../domain/Outcome.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import { type Found, pathOf, type SourceFile } from "../../domain/SourceFile.ts"
import type { OpenLedger, StoredAs } from "../Ledger.ts"
import type { Reporter, FileOutcome } from "../Reporter.ts"
import * as FileStat from "./FileStat.ts"

const unchanged = Outcome.Unchanged()

/**
 * Waits until the file system answers, as it may not if it is a server's; what is asked next is asked at once, and would
 * keep the program from a signal or the deadline.
 */
const answering = (batch: Chunk.Chunk<Found>) =>
  Effect.promise(async () => {
    const first = Chunk.toReadonlyArray(batch).find((found) => found._tag === "File")
    if (first !== undefined) await fs.lstat(first.file.path).catch(() => undefined)
  })

/** Reports what is settled, and hands on the files that have to be opened. */
export const make = (settings: Settings, reporter: Context.Tag.Service<Reporter>) => {
  const selection = Selection.make(settings)

  return (ledger: OpenLedger) =>
    (batch: Chunk.Chunk<Found>): Effect.Effect<Chunk.Chunk<SourceFile>, StateUnusable> =>
      Effect.flatMap(Effect.zipRight(answering(batch), Clock.currentTimeMillis), (now) => {
        const told: Array<FileOutcome> = []
        const open: Array<SourceFile> = []
        const isStored = (file: SourceFile, storedAs: StoredAs) => {
          const stat = FileStat.stat(file, settings)
          if (stat === undefined) return false
          const stored = storedAs(file, stat)
          // what was stored as live has to become final
          return stored === "final" || (stored === "live" && FileStat.stateOf(file, stat, now, settings) === "live")
        }
        return ledger
          .lookUp((storedAs) => {
            for (const found of Chunk.toReadonlyArray(batch)) {
              const admitted = Selection.admit(selection, found)
              if (Either.isLeft(admitted)) told.push({ file: { relativePath: pathOf(found) }, outcome: admitted.left })
              else if (settings.force || !isStored(admitted.right, storedAs)) open.push(admitted.right)
              else told.push({ file: admitted.right, outcome: unchanged })
            }
          })
          .pipe(
            Effect.tap(() => reporter.addOutcomes(told)),
            Effect.map(() => Chunk.unsafeFromArray(open))
          )
      })
}

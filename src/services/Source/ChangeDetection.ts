/**
 * Finds the files that are not selected and the files that are already completely stored, without opening them. In most
 * runs, nearly all files are among these, so this module processes chunks in plain loops.
 */
import { Chunk, Clock, type Context, Effect, Either } from "effect"
import { promises as fs } from "node:fs"
import type { StateUnusable } from "../../domain/Errors.ts"
import { Outcome } from "../../domain/Outcome.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import { type FileStat, type Found, pathOf, type SourceFile } from "../../domain/SourceFile.ts"
import type { OpenLedger, StoredAs } from "../Ledger.ts"
import type { FileOutcome, Reporter } from "../Reporter.ts"
import { modifiedMillis, stat as statNow, stateOf, statLater } from "./FileStat.ts"

const unchanged = Outcome.Unchanged()

type Stats = ReadonlyMap<SourceFile, FileStat | undefined>

/**
 * Reads the stats of remote files in the thread pool. Waits until the file system of the other files responds, because
 * those files are then examined synchronously. If their disk hung at that time, the program could not react to a signal
 * or the deadline.
 */
const examineRemote = (chunk: Chunk.Chunk<Found>, settings: Settings): Effect.Effect<Stats> =>
  Effect.promise(async () => {
    const files = Chunk.toReadonlyArray(chunk).flatMap((found) => (found._tag === "File" ? [found.file] : []))
    const local = files.find(({ isRemote }) => !isRemote)
    if (local !== undefined) await fs.lstat(local.path).catch(() => undefined)
    const remote = files.filter(({ isRemote }) => isRemote)
    return new Map(await Promise.all(remote.map(async (file) => [file, await statLater(file, settings)] as const)))
  })

/** Reports the outcomes that are already certain, and returns the files to open. */
export const make =
  (settings: Settings, selection: Selection.Selection, reporter: Context.Tag.Service<Reporter>) =>
  (ledger: OpenLedger) =>
  (chunk: Chunk.Chunk<Found>): Effect.Effect<Chunk.Chunk<SourceFile>, StateUnusable> =>
    Effect.flatMap(Effect.all([examineRemote(chunk, settings), Clock.currentTimeMillis]), ([remote, now]) => {
      const outcomes: Array<FileOutcome> = []
      const toOpen: Array<SourceFile> = []
      const isStored = (file: SourceFile, storedAs: StoredAs) => {
        const stat = file.isRemote ? remote.get(file) : statNow(file, settings)
        if (stat === undefined) return false
        if (settings.staleAfter !== undefined)
          reporter.tally.newestAt = Math.max(reporter.tally.newestAt ?? 0, modifiedMillis(stat, now))
        const stored = storedAs(file, stat)
        // a file that was stored as live is stored again when it is final, even if that is at the end of this run
        return (
          stored === "final" ||
          (stored === "live" &&
            stateOf(file, stat, now, settings) === "live" &&
            Snapshot.finalAt(file.relativePath, now, settings.finalAfter) === undefined)
        )
      }
      return ledger
        .lookUp((storedAs) => {
          for (const found of Chunk.toReadonlyArray(chunk)) {
            const admitted = Selection.admit(selection, found)
            if (Either.isLeft(admitted))
              outcomes.push({ file: { relativePath: pathOf(found) }, outcome: admitted.left })
            else if (!isStored(admitted.right, storedAs) || settings.force) toOpen.push(admitted.right)
            else outcomes.push({ file: admitted.right, outcome: unchanged })
          }
        })
        .pipe(
          Effect.tap(() => reporter.addOutcomes(outcomes)),
          Effect.map(() => Chunk.unsafeFromArray(toOpen))
        )
    })

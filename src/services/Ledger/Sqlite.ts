/** The ledger as a SQLite database. */
import { Clock, Effect, Layer } from "effect"
import type { Settings } from "../../domain/Settings.ts"
import { Ledger } from "../Ledger.ts"
import * as Database from "./Database.ts"
import * as EmptyLedger from "./EmptyLedger.ts"
import * as FilesTable from "./FilesTable.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as KeyReservations from "./KeyReservations.ts"
import { isDamaged, stateUnusable } from "./SqliteErrors.ts"
import * as TargetsTable from "./TargetsTable.ts"
import * as UploadsTable from "./UploadsTable.ts"

export type Options = Pick<Settings, "stateDir" | "lockWait" | "input" | "bucket" | "endpoint" | "prefix" | "region">

export const layer = (options: Options) =>
  Layer.succeed(Ledger, {
    open: (run) =>
      Effect.gen(function* () {
        yield* Database.checkOutside(options.stateDir, options.input)
        yield* Database.lock(options.stateDir, options.lockWait)
        const databasePath = Database.pathIn(options.stateDir)
        const { db, setAside } = yield* Database.open(databasePath)
        const { durable, flush, read, write } = yield* GroupCommit.make(db, (cause) =>
          isDamaged(cause) ? damaged(databasePath, cause) : stateUnusable(databasePath, cause)
        )
        const writeAt = <A>(step: (now: number) => A) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => write(() => step(Math.floor(now))))
        const writeDurably = <A>(step: (now: number) => A) => Effect.zipLeft(writeAt(step), durable)

        const { checksum, previousRuns, retention, runRowId, target } = yield* write(() =>
          TargetsTable.startRun(db, options, run)
        )
        // a ledger that cannot be written fails the run here, before it sends anything
        yield* flush
        const fileReader = FilesTable.reader(db, target)
        const fileWriter = FilesTable.writer(db, target, fileReader, { rowId: runRowId, startedAt: run.startedAt })
        const uploads = UploadsTable.make(db, target.id)
        const keyReader = KeyReservations.reader(db, target.id)
        const keyWriter = KeyReservations.writer(db, target.id, keyReader)

        return {
          path: databasePath,
          setAside,
          previousRuns,
          retention,
          checksum,
          lookUp: (step) => read(() => step(fileReader.storedAs)),
          markPending: (path) => writeAt((now) => fileWriter.markPending(path, now)),
          clearPending: (path) => write(() => fileWriter.clearPending(path)),
          reserveGeneration: (path, least, suffix) => write(() => keyWriter.reserveGeneration(path, least, suffix)),
          announce: (path, generation, content) => writeDurably(() => fileWriter.announce(path, generation, content)),
          announceNew: (files) =>
            writeDurably((now) =>
              files.map(({ content, path }) => fileWriter.announceNew(path, content, now, keyReader.isKeyFree))
            ),
          withdrawAnnouncement: (path, known) => write(() => fileWriter.withdrawAnnouncement(path, known)),
          acknowledge: (path, object) => writeAt((now) => fileWriter.acknowledge(path, object, now)),
          acknowledgeAll: (objects) =>
            objects.length === 0
              ? Effect.void
              : writeAt((now) => objects.forEach(({ object, path }) => fileWriter.acknowledge(path, object, now))),
          confirmUnchanged: (path, stat) => write(() => fileWriter.confirmUnchanged(path, stat)),
          keptUpload: (path) => read(() => uploads.keptUpload(path)),
          uploadStarted: (path, upload) => writeDurably((now) => uploads.uploadStarted(path, upload, now)),
          uploadResumed: (path, sizeBytes) => writeDurably((now) => uploads.uploadResumed(path, sizeBytes, now)),
          partStored: (path, part) => writeAt((now) => uploads.partStored(path, part, now)),
          uploadEnded: (path) => write(() => uploads.uploadEnded(path)),
          unfinishedUploads: (after, limit) => read(() => uploads.unfinishedUploads(after, limit)),
          unfinishedFiles: (after, limit) => read(() => fileReader.unfinishedFiles(after, limit)),
          latestSnapshot: (directory, before) => read(() => fileReader.latestSnapshot(directory, before)),
          rememberRetention: (bounds) => write(() => TargetsTable.rememberRetention(db, target, bounds)),
          markGone: (path, lost) => write(() => fileWriter.markGone(path, lost)),
          rememberChecksum: (accepted) => write(() => TargetsTable.rememberChecksum(db, target, accepted)),
          flush,
          runEnded: (exitCode, endedAt) =>
            write(() => TargetsTable.endRun(db, runRowId, exitCode, endedAt)).pipe(Effect.zipRight(flush))
        }
      })
  })

/**
 * For `--dry-run`: reads the ledger without a lock, and discards every write. It is empty where `layer` would start a
 * new ledger.
 */
export const layerReadOnly = (options: Options) =>
  Layer.succeed(Ledger, {
    open: () =>
      Effect.gen(function* () {
        yield* Database.checkOutside(options.stateDir, options.input)
        const databasePath = Database.pathIn(options.stateDir)
        const empty = EmptyLedger.at(databasePath)
        const db = yield* Database.openReadOnly(databasePath)
        if (db === undefined) return empty
        const read = <A>(step: () => A) =>
          Effect.try({ try: step, catch: (cause) => stateUnusable(databasePath, cause) })
        const target = yield* read(() => TargetsTable.find(db, options))
        if (target === undefined) return empty
        const fileReader = yield* read(() => FilesTable.reader(db, target))
        const keyReader = yield* read(() => KeyReservations.reader(db, target.id))
        return {
          ...empty,
          lookUp: (step) => read(() => step(fileReader.storedAs)),
          markPending: (path) => read(() => fileReader.knownFile(path)),
          reserveGeneration: (path, least, suffix) => read(() => keyReader.firstFree(path, least, suffix))
        }
      })
  })

/** Moves a damaged database aside, so that the next run starts with a new one. */
const damaged = (path: string, cause: unknown) => {
  try {
    const aside = Database.moveAside(path, Date.now())
    return stateUnusable(
      path,
      cause,
      `the ledger was damaged and has been moved to ${aside}; the next run starts a new one and uploads every file`
    )
  } catch {
    return stateUnusable(path, cause)
  }
}

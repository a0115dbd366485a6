/** The ledger as a SQLite database. */
import { Clock, Effect, Layer } from "effect"
import type { DatabaseSync } from "node:sqlite"
import type { Settings } from "../../domain/Settings.ts"
import type { FileStat } from "../../domain/SourceFile.ts"
import { Ledger, type RunIdentity } from "../Ledger.ts"
import * as HostIdentity from "../HostIdentity.ts"
import * as Database from "./Database.ts"
import * as Lock from "./Lock.ts"
import * as EmptyLedger from "./EmptyLedger.ts"
import * as FilesTable from "./FilesTable.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as KeyReservations from "./KeyReservations.ts"
import * as LostCompletionsTable from "./LostCompletionsTable.ts"
import * as ManifestsTable from "./ManifestsTable.ts"
import * as OriginTable from "./OriginTable.ts"
import { isDamaged, stateUnusable } from "./SqliteErrors.ts"
import * as StateDirectory from "./StateDirectory.ts"
import * as TargetsTable from "./TargetsTable.ts"
import * as UploadsTable from "./UploadsTable.ts"

export type Options = Pick<Settings, "stateDir" | "lockWait" | "input" | "bucket" | "endpoint" | "prefix" | "region">

/** `machineId` is a parameter for tests. */
export const layer = (options: Options, machineId = HostIdentity.machineId) =>
  Layer.succeed(Ledger, {
    open: (run) =>
      Effect.gen(function* () {
        const databasePath = yield* StateDirectory.locateDatabase(options.stateDir, options.input)
        const lock = yield* Lock.acquire(databasePath, options.lockWait)
        const { db, prepared, setAside } = yield* Database.open(databasePath, (opened) => {
          opened.exec("BEGIN IMMEDIATE")
          OriginTable.check(opened, OriginTable.seenAt(databasePath, machineId()), lock.lastLocked, run.startedAt)
          const ready = prepare(opened, options, run)
          opened.exec("COMMIT")
          return ready
        })
        lock.remember(run.startedAt)
        const { checksum, concerns, honoursCondition, previousRuns, retention } = prepared
        const { completions, fileReader, fileWriter, keyReader, keyWriter, manifests, targets, uploads } = prepared
        const { durable, flush, read, write } = yield* GroupCommit.make(db, (cause) =>
          isDamaged(cause) ? damaged(databasePath, cause) : stateUnusable(databasePath, cause)
        )
        const writeAt = <A>(step: (now: number) => A) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => write(() => step(Math.floor(now))))
        const writeDurably = <A>(step: (now: number) => A) => Effect.zipLeft(writeAt(step), durable)

        return {
          path: StateDirectory.databaseIn(options.stateDir),
          setAside,
          concerns,
          previousRuns,
          retention,
          checksum,
          honoursCondition,
          rememberCondition: write(() => targets.rememberCondition()),
          lookUp: (step) =>
            Effect.suspend(() => {
              const unrecorded: Array<readonly [path: string, stat: FileStat]> = []
              const storedAs = fileReader.storedAs((...file) => unrecorded.push(file))
              return Effect.tap(
                read(() => step(storedAs)),
                () =>
                  unrecorded.length === 0
                    ? Effect.void
                    : write(() => unrecorded.forEach((file) => fileWriter.confirmUnchanged(...file)))
              )
            }),
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
          lostCompletions: (path) => read(() => completions.lostCompletions(path)),
          completionLost: (path) => writeAt((now) => completions.completionLost(path, now)),
          completionAnswered: (path) => write(() => completions.completionAnswered(path)),
          unfinishedUploads: (after, limit) => read(() => uploads.unfinishedUploads(after, limit)),
          unfinishedFiles: (after, limit) => read(() => fileReader.unfinishedFiles(after, limit)),
          latestSnapshot: (directory, before) => read(() => fileReader.latestSnapshot(directory, before)),
          rememberRetention: (bounds) => write(() => targets.rememberRetention(bounds)),
          markGone: (path, lost) => write(() => fileWriter.markGone(path, lost)),
          rememberChecksum: (accepted) => write(() => targets.rememberChecksum(accepted)),
          manifests: {
            changed: read(() => manifests().changed()),
            all: read(() => manifests().all()),
            filesOf: (directory) => read(() => manifests().filesOf(directory)),
            writtenDigest: (directory) => read(() => manifests().writtenDigest(directory)),
            written: (directory, digest, changed) => write(() => manifests().written(directory, digest, changed))
          },
          flush,
          runEnded: (end) => write(() => targets.endRun(end)).pipe(Effect.zipRight(flush))
        }
      })
  })

/**
 * Records that a run starts, and prepares the run's statements, so that a damaged schema fails the run before it sends
 * anything.
 */
const prepare = (db: DatabaseSync, options: Options, run: RunIdentity) => {
  const { others, runRowId, target, ...known } = TargetsTable.startRun(db, options, run)
  const fileReader = FilesTable.reader(db, target)
  const keyReader = KeyReservations.reader(db, target, others)
  return {
    ...known,
    fileReader,
    fileWriter: FilesTable.writer(db, target, fileReader, runRowId),
    keyReader,
    // prepared on first use, because most runs make no manifests, and preparing statements takes time
    manifests: lazily(() => ManifestsTable.make(db, target.id)),
    keyWriter: KeyReservations.writer(db, target.id, keyReader),
    targets: TargetsTable.writer(db, target, runRowId),
    uploads: UploadsTable.make(db, target.id),
    completions: LostCompletionsTable.make(db, target.id)
  }
}

const lazily = <A>(make: () => A) => {
  let made: A | undefined
  return () => (made ??= make())
}

/**
 * The ledger for `--dry-run`: reads without a lock, and discards every write. It is empty if `layer` would create a new
 * ledger.
 */
export const layerReadOnly = (options: Options) =>
  Layer.succeed(Ledger, {
    open: () =>
      Effect.gen(function* () {
        const databasePath = yield* StateDirectory.locateDatabase(options.stateDir, options.input)
        const empty = EmptyLedger.at(StateDirectory.databaseIn(options.stateDir))
        const prepared = yield* Database.openReadOnly(databasePath, (db) => {
          const target = TargetsTable.find(db, options)
          return (
            target && {
              fileReader: FilesTable.reader(db, target),
              keyReader: KeyReservations.reader(db, target, TargetsTable.overlapping(db, target, options)),
              concerns: TargetsTable.doubts(target)
            }
          )
        })
        if (prepared === undefined) return empty
        const { concerns, fileReader, keyReader } = prepared
        const read = <A>(step: () => A) =>
          Effect.try({ try: step, catch: (cause) => stateUnusable(databasePath, cause) })
        const storedAs = fileReader.storedAs(() => {})
        return {
          ...empty,
          concerns,
          lookUp: (step) => read(() => step(storedAs)),
          markPending: (path) => read(() => fileReader.knownFile(path)),
          reserveGeneration: (path, least, suffix) => read(() => keyReader.firstFree(path, least, suffix))
        }
      })
  })

/** Moves a damaged database aside, so that the next run creates a new one. */
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

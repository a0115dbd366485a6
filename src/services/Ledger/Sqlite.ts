/** The ledger as a SQLite database. */
import { Clock, Effect, Layer } from "effect"
import { resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import type { Checksum } from "../../domain/StoreTraits.ts"
import type { Settings } from "../../domain/Settings.ts"
import { Ledger, type OpenLedger, type RunIdentity } from "../Ledger.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as Database from "./Database.ts"
import * as FilesTable from "./FilesTable.ts"
import * as KeyReservations from "./KeyReservations.ts"
import { isDamaged, stateUnusable } from "./SqliteErrors.ts"
import * as UploadsTable from "./UploadsTable.ts"

export type Options = Pick<Settings, "stateDir" | "lockWait" | "input" | "target" | "prefix">

export const layer = (options: Options) =>
  Layer.succeed(Ledger, {
    open: (run) =>
      Effect.gen(function* () {
        yield* Database.checkOutside(options.stateDir, options.input)
        yield* Database.lock(options.stateDir, options.lockWait)
        const path = Database.pathIn(options.stateDir)
        const { db, setAside } = yield* Database.open(path)
        const { durable, flush, read, write } = yield* GroupCommit.make(db, (cause) => {
          return isDamaged(cause) ? damaged(path, cause) : stateUnusable(path, cause)
        })
        const { before, row, target } = yield* write(() => enter(db, options, run))
        // a ledger that cannot be written to shows itself here, before anything is sent
        yield* flush
        const reading = FilesTable.reading(db, target)
        const writing = FilesTable.writing(db, target, reading, { row, startedAt: run.startedAt })
        const uploads = UploadsTable.make(db, target.id)
        const given = KeyReservations.reading(db, target.id)
        const keys = KeyReservations.writing(db, target.id, given)
        const writeAt = <A>(step: (now: number) => A) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => write(() => step(Math.floor(now))))

        return {
          path,
          setAside,
          ...before,
          lookUp: (step) => read(() => step(reading.storedAs)),
          markPending: (path) => writeAt((now) => writing.sighted(path, now)),
          clearPending: (path) => write(() => writing.clearPending(path)),
          reserveGeneration: (path, least, ending) => write(() => keys.reserve(path, least, ending)),
          announce: (path, generation, content) =>
            Effect.zipRight(
              write(() => writing.attempting(path, generation, content)),
              durable
            ),
          announceNew: (files) =>
            Effect.zipLeft(
              writeAt((now) => files.map(({ content, path }) => writing.announceNew(path, content, now, given.isOwn))),
              durable
            ),
          withdrawAnnouncement: (path, before) => write(() => writing.withdrawAnnouncement(path, before)),
          acknowledge: (path, object) => writeAt((now) => writing.acknowledged(path, object, now)),
          acknowledgeAll: (objects) =>
            objects.length === 0
              ? Effect.void
              : writeAt((now) => {
                  for (const { object, path } of objects) writing.acknowledged(path, object, now)
                }),
          confirmUnchanged: (path, stat) => write(() => writing.confirmed(path, stat)),
          keptUpload: (path) => read(() => uploads.kept(path)),
          uploadStarted: (path, upload) =>
            Effect.zipRight(
              writeAt((now) => uploads.begun(path, upload, now)),
              durable
            ),
          uploadResumed: (path, sizeBytes) =>
            Effect.zipRight(
              writeAt((now) => uploads.resumed(path, sizeBytes, now)),
              durable
            ),
          partStored: (path, part) => writeAt((now) => uploads.partStored(path, part, now)),
          uploadEnded: (path) => write(() => uploads.ended(path)),
          unfinishedUploads: (after, limit) => read(() => uploads.open(after, limit)),
          unfinishedFiles: (after, limit) => read(() => reading.unsettled(after, limit)),
          markGone: (path, lost) => write(() => writing.gone(path, lost)),
          rememberChecksum: (checksum) =>
            write(() => void db.prepare("UPDATE targets SET checksum = ? WHERE id = ?").run(checksum, target.id)),
          flush,
          runEnded: (exitCode, endedAt) =>
            Effect.zipRight(
              write(() => writing.ended(exitCode, endedAt)),
              flush
            )
        }
      })
  })

/** Tells what it knows, and remembers nothing. It takes no lock; where `layer` would begin anew, it knows nothing. */
export const layerReadOnly = (options: Options) =>
  Layer.succeed(Ledger, {
    open: () =>
      Effect.gen(function* () {
        yield* Database.checkOutside(options.stateDir, options.input)
        const path = Database.pathIn(options.stateDir)
        const db = yield* Database.openReadOnly(path)
        if (db === undefined) return unwritten(path)
        const look = <A>(step: () => A) => Effect.try({ try: step, catch: (cause) => stateUnusable(path, cause) })
        const target = yield* look(() => targetOf(db, options))
        if (target === undefined) return unwritten(path)
        const reading = yield* look(() => FilesTable.reading(db, target))
        const keys = yield* look(() => KeyReservations.reading(db, target.id))
        return {
          ...unwritten(path),
          lookUp: (step) => look(() => step(reading.storedAs)),
          markPending: (path) => look(() => reading.known(path)),
          reserveGeneration: (path, least, ending) => look(() => keys.firstFree(path, least, ending))
        }
      })
  })

/** A ledger in which nothing is, and nothing stays. */
const unwritten = (path: string): OpenLedger => ({
  path,
  setAside: undefined,
  previousRunAt: undefined,
  checksum: "SHA256",
  lookUp: (step) => Effect.sync(() => step(() => undefined)),
  markPending: () => Effect.sync(() => undefined),
  clearPending: () => Effect.void,
  reserveGeneration: (_, least) => Effect.succeed(least),
  announce: () => Effect.void,
  announceNew: (files) => Effect.succeed(files.map(() => true)),
  withdrawAnnouncement: () => Effect.void,
  acknowledge: () => Effect.void,
  acknowledgeAll: () => Effect.void,
  confirmUnchanged: () => Effect.void,
  keptUpload: () => Effect.sync(() => undefined),
  uploadStarted: () => Effect.void,
  uploadResumed: () => Effect.void,
  partStored: () => Effect.void,
  uploadEnded: () => Effect.void,
  unfinishedUploads: () => Effect.succeed([]),
  unfinishedFiles: () => Effect.succeed([]),
  markGone: () => Effect.void,
  rememberChecksum: () => Effect.void,
  flush: Effect.void,
  runEnded: () => Effect.void
})

/** How keys are made from paths; another way would be another target. */
const mapping = "path"

type Target = Pick<Options, "target" | "prefix">

const nameOf = ({ prefix, target }: Target) => [target.endpoint?.href ?? "", target.bucket, prefix, mapping] as const

const targetOf = (db: DatabaseSync, target: Target) =>
  db
    .prepare(
      "SELECT id, input, input_since AS inputSince FROM targets WHERE endpoint = ? AND bucket = ? AND prefix = ? AND mapping = ?"
    )
    .get(...nameOf(target)) as (FilesTable.Target & { readonly input: string }) | undefined

/** Writes down that a run on this target begins. */
const enter = (db: DatabaseSync, options: Options, run: RunIdentity) => {
  const known = targetOf(db, options)
  const input = resolve(options.input)
  const inputSince = known?.input === input ? known.inputSince : run.startedAt
  const { checksum, id } = db
    .prepare(
      `INSERT INTO targets (endpoint, bucket, prefix, mapping, input, input_since) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET input = excluded.input, input_since = excluded.input_since RETURNING id, checksum`
    )
    .get(...nameOf(options), input, inputSince) as { readonly id: number; readonly checksum: Checksum }
  const { last } = db.prepare("SELECT max(started_at) AS last FROM runs WHERE target = ?").get(id) as {
    readonly last: number | null
  }
  const { lastInsertRowid: row } = db
    .prepare("INSERT INTO runs (target, name, started_at) VALUES (?, ?, ?)")
    .run(id, run.id, run.startedAt)
  return { target: { id, inputSince }, row, before: { previousRunAt: last ?? undefined, checksum } }
}

/** The next run begins with a new one. */
const damaged = (path: string, cause: unknown) => {
  try {
    const aside = Database.moveAside(path, Date.now())
    return stateUnusable(
      path,
      cause,
      `it was damaged, and is now ${aside}; the next run begins anew, and sends everything`
    )
  } catch {
    return stateUnusable(path, cause)
  }
}

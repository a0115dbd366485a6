/** The ledger's totals, and what it knows about single files, from SQLite. */
import { Effect, Layer } from "effect"
import { existsSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { StateUnusable } from "../../domain/Errors.ts"
import type { Status } from "../../report/Status.ts"
import { stateDirectory } from "../../units/Job.ts"
import { LedgerStatus, type TargetFiles } from "../Ledger.ts"
import * as Database from "./Database.ts"
import * as FilesTable from "./FilesTable.ts"
import { stateUnusable } from "./SqliteErrors.ts"
import * as StateDirectory from "./StateDirectory.ts"
import type { Target } from "./TargetsTable.ts"

export const layer = (stateDir: string) => {
  const path = StateDirectory.databaseIn(stateDir)
  const open = <A>(prepare: (db: DatabaseSync) => A) =>
    Effect.flatMap(Effect.mapError(Database.openReadOnly(path, prepare), ofOtherUser), (prepared) =>
      prepared === undefined ? noLedger(path) : Effect.succeed(prepared)
    )
  const lookUp = <A>(step: () => A) => Effect.try({ try: step, catch: (cause) => stateUnusable(path, cause) })
  return Layer.succeed(LedgerStatus, {
    read: Effect.map(open(targets), (known) => ({
      schemaVersion: 1 as const,
      ledger: path,
      nextRun: null,
      targets: known
    })).pipe(Effect.scoped),
    openFiles: Effect.map(open(filesOfTargets), (known) => ({ ledger: path, targets: known, lookUp }))
  })
}

export const noLedger = (path: string): StateUnusable =>
  new StateUnusable({
    path,
    detail: "there is no ledger here that this version can read",
    advice: isServiceHere(path)
      ? `that of the packaged service is in ${stateDirectory}: sudo ibsr-export status`
      : "the first run of ibsr-export s3 creates one; check --state-dir"
  })

const isServiceHere = (path: string) => dirname(path) !== stateDirectory && existsSync(stateDirectory)

/** Only its owner can read a ledger, so that nobody else learns the names of files. */
const ofOtherUser = (error: StateUnusable) =>
  error.code === "EACCES" || error.code === "EPERM" || error.code === "SQLITE_CANTOPEN"
    ? new StateUnusable({
        ...error,
        cause: error.cause,
        advice: `it belongs to another user: sudo ibsr-export status --state-dir ${dirname(error.path)}`
      })
    : error

interface RunRow {
  readonly name: string
  readonly started_at: number
  readonly ended_at: number | null
  readonly exit_code: number | null
  readonly cause: string | null
}

const isoTime = (millis: number) => new Date(millis).toISOString()

const runFrom = (row: RunRow | undefined) =>
  row === undefined
    ? null
    : {
        id: row.name,
        startedAt: isoTime(row.started_at),
        endedAt: row.ended_at === null ? null : isoTime(row.ended_at),
        exitCode: row.exit_code,
        cause: row.cause
      }

/** Orders runs by their rows and not by their times, because the host's clock may have been wrong. */
const targets = (db: DatabaseSync): Status["targets"] => {
  const latest = db.prepare("SELECT target FROM runs ORDER BY id DESC LIMIT 1").get()?.["target"]
  const selectLastRun = (condition: string) =>
    db.prepare(
      `SELECT name, started_at, ended_at, exit_code, cause FROM runs WHERE target = ? AND ${condition}
       ORDER BY id DESC LIMIT 1`
    )
  const [selectLast, selectLastSuccess, selectLastFailure] = ["TRUE", "exit_code = 0", "exit_code <> 0"].map(
    selectLastRun
  ) as [StatementSync, StatementSync, StatementSync]
  const selectNewest = db.prepare(
    `SELECT path, coalesce(mtime_ns / 1000000, first_seen) AS changed_at FROM files WHERE target = ?
     ORDER BY changed_at DESC LIMIT 1`
  )
  const selectTotals = db.prepare(
    `SELECT count(size) AS stored, coalesce(sum(size), 0) AS stored_bytes, count(pending_since) AS waiting,
       count(*) FILTER (WHERE fate = 'lost') AS lost
     FROM files WHERE target = ?`
  )
  const selectOldest = db.prepare(
    `SELECT path, pending_since FROM files INDEXED BY unsettled_files
     WHERE target = ? AND fate IS NULL AND (pending_since IS NOT NULL OR state = 'live') AND pending_since IS NOT NULL
     ORDER BY pending_since, path LIMIT 1`
  )
  const selectLost = db.prepare(
    "SELECT path FROM files WHERE target = ? AND fate = 'lost' ORDER BY path DESC LIMIT 100"
  )

  return db
    .prepare("SELECT id, endpoint, bucket, prefix, region, input FROM targets ORDER BY id")
    .all()
    .map((row) => {
      const { bucket, endpoint, id, input, prefix, region } = row as Readonly<Record<string, string>> & {
        readonly id: number
      }
      const totals = selectTotals.get(id) as Readonly<Record<"stored" | "stored_bytes" | "waiting" | "lost", number>>
      const oldest = selectOldest.get(id) as { readonly path: string; readonly pending_since: number } | undefined
      const newest = selectNewest.get(id) as { readonly path: string; readonly changed_at: number } | undefined
      return {
        bucket: bucket!,
        prefix: prefix!,
        endpoint: endpoint === "" ? null : endpoint!,
        region: region || null,
        input: input!,
        mostRecent: id === latest,
        lastRun: runFrom(selectLast.get(id) as RunRow | undefined),
        lastFailure: runFrom(selectLastFailure.get(id) as RunRow | undefined),
        lastSuccess: runFrom(selectLastSuccess.get(id) as RunRow | undefined),
        newestFile: newest === undefined ? null : { file: newest.path, changedAt: isoTime(newest.changed_at) },
        stored: totals.stored,
        storedBytes: totals.stored_bytes,
        waiting: totals.waiting,
        oldestWaiting: oldest === undefined ? null : { file: oldest.path, since: isoTime(oldest.pending_since) },
        lost: totals.lost,
        lostFiles: selectLost.all(id).map(({ path }) => String(path))
      }
    })
}

const filesOfTargets = (db: DatabaseSync): ReadonlyArray<TargetFiles> =>
  db
    .prepare(
      `SELECT id, bucket, prefix, input, input_run AS inputRun, doubt, first_generation AS firstGeneration
       FROM targets ORDER BY id`
    )
    .all()
    .map((row) => {
      const { bucket, input, prefix, ...target } = row as unknown as Pick<TargetFiles, "bucket" | "input" | "prefix"> &
        Target
      return { bucket, prefix, input, standingOf: FilesTable.reader(db, target).standingOf }
    })

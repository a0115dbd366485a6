/** The ledger's database, `ledger.db`. */
import { Clock, Effect, type Scope } from "effect"
import { existsSync, renameSync, statSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import type { StateUnusable } from "../../domain/Errors.ts"
import * as Schema from "./Schema.ts"
import { isDamaged, isUnwritable, stateUnusable } from "./SqliteErrors.ts"

/** The maximum wait for another process that has locked the database to recover it after a crash. */
const busyTimeoutMillis = 2000

export interface Opened<A> {
  readonly db: DatabaseSync
  /** The result of `prepare`. */
  readonly prepared: A
  /** Path to which an unusable database was moved. */
  readonly setAside: string | undefined
}

/**
 * Opens the database until the scope closes. The caller must hold the lock. `prepare` prepares every statement that the
 * run needs. If one of them fails, the schema is damaged, and the database is set aside.
 */
export const open = <A>(
  path: string,
  prepare: (db: DatabaseSync) => A
): Effect.Effect<Opened<A>, StateUnusable, Scope.Scope> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.acquireRelease(
      Effect.try({
        try: (): Opened<A> => {
          const existing = openUsable(path, prepare)
          if (existing !== undefined) return { ...existing, setAside: undefined }
          const setAside = moveAside(path, now)
          const created = openUsable(path, prepare)
          if (created === undefined) throw new Error("a new database cannot be used")
          return { ...created, setAside }
        },
        catch: (cause) => stateUnusable(path, cause)
      }),
      ({ db }) => Effect.sync(() => db.close())
    )
  })

/**
 * Opens the database for reading until the scope closes. Returns undefined if there is no database that this version
 * can read.
 */
export const openReadOnly = <A>(
  path: string,
  prepare: (db: DatabaseSync) => A
): Effect.Effect<A | undefined, StateUnusable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
        try {
          return openReadable(path, prepare)
        } catch (cause) {
          // A reader without write permission cannot create the shared-memory file. It needs none if there is no WAL
          // file, because there is no writer then.
          if (!isUnwritable(cause) || existsSync(`${path}-wal`)) throw cause
          return openReadable(new URL("?immutable=1", pathToFileURL(path)), prepare)
        }
      },
      catch: (cause) => stateUnusable(path, cause)
    }),
    (opened) => Effect.sync(() => opened?.db.close())
  ).pipe(Effect.map((opened) => opened?.prepared))

/** The database; undefined if it is damaged or cannot be prepared. */
const openIf = <A>(
  location: string | URL,
  readOnly: boolean,
  check: (db: DatabaseSync) => boolean,
  prepare: (db: DatabaseSync) => A
) => {
  const db = new DatabaseSync(location, { readOnly, timeout: busyTimeoutMillis })
  try {
    if (check(db)) return { db, prepared: prepare(db) }
  } catch (cause) {
    if (!isDamaged(cause)) {
      db.close()
      throw cause
    }
  }
  db.close()
  return undefined
}

const openReadable = <A>(location: string | URL, prepare: (db: DatabaseSync) => A) =>
  openIf(
    location,
    true,
    (db) => Schema.isOurs(db) && !Schema.isEmpty(db),
    (db) => prepare(Schema.isCurrent(db) ? db : Schema.migratedCopy(db))
  )

/** Brings the schema up to date. */
const openUsable = <A>(path: string, prepare: (db: DatabaseSync) => A) =>
  openIf(
    path,
    false,
    (db) => {
      if (!Schema.isOurs(db)) return false
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
      Schema.migrate(db)
      return true
    },
    prepare
  )

/** Renames the database instead of deleting it, so that its content can still be examined. Returns the new path. */
export const moveAside = (path: string, nowMillis: number): string => {
  const aside = `${path}.${new Date(nowMillis).toISOString().replaceAll(":", "-")}`
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      renameSync(path + suffix, aside + suffix)
    } catch (cause) {
      if (suffix === "" || !(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause
    }
  }
  return aside
}

/** The ledger's files: the database `ledger.db`, and `ledger.lock` beside it. */
import { Clock, Duration, Effect, Schedule, type Scope } from "effect"
import { existsSync, realpathSync, renameSync, statSync } from "node:fs"
import { basename, dirname, join, resolve, sep } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import { ConfigError, Locked, type StateUnusable } from "../../domain/Errors.ts"
import * as Schema from "./Schema.ts"
import { isBusy, isDamaged, isUnwritable, stateUnusable } from "./SqliteErrors.ts"
import * as StateDirectory from "./StateDirectory.ts"

export const pathIn = (stateDir: string): string => join(resolve(stateDir), "ledger.db")

/** Pause between two attempts to get the lock. */
const lockInterval = Duration.millis(200)

/** Maximum wait while another process recovers the database after a crash, and locks it. */
const busyTimeoutMillis = 2000

/**
 * Keeps every other run out until the scope closes. SQLite uses the kernel's file locks, and the kernel releases them
 * when a process is killed. The lock has a file of its own, so that `status` can read the ledger meanwhile.
 */
export const lock = (
  stateDir: string,
  wait: Duration.Duration
): Effect.Effect<void, Locked | StateUnusable, Scope.Scope> => {
  const path = join(resolve(stateDir), "ledger.lock")
  const attempt = Effect.acquireRelease(
    Effect.try({
      try: () => {
        StateDirectory.create(resolve(stateDir))
        const held = new DatabaseSync(path, { timeout: 0 })
        try {
          // not EXCLUSIVE: with it, two runs that start at once can both fail to get the lock
          held.exec("BEGIN IMMEDIATE")
          return held
        } catch (cause) {
          held.close()
          throw cause
        }
      },
      catch: (cause) => (isBusy(cause) ? new Locked({ path }) : stateUnusable(path, cause))
    }),
    (held) => Effect.sync(() => held.close())
  )
  return Effect.asVoid(
    Effect.retry(attempt, {
      while: (error) => error._tag === "Locked",
      schedule: Schedule.upTo(Schedule.spaced(lockInterval), wait)
    })
  )
}

export interface Opened {
  readonly db: DatabaseSync
  /** Path to which an unusable database was moved. */
  readonly setAside: string | undefined
}

/** Opens the database until the scope closes. The caller holds the lock. */
export const open = (path: string): Effect.Effect<Opened, StateUnusable, Scope.Scope> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.acquireRelease(
      Effect.try({
        try: (): Opened => {
          const existing = openUsable(path)
          if (existing !== undefined) return { db: existing, setAside: undefined }
          const setAside = moveAside(path, now)
          const db = openUsable(path)
          if (db === undefined) throw new Error("a new database cannot be used")
          return { db, setAside }
        },
        catch: (cause) => stateUnusable(path, cause)
      }),
      ({ db }) => Effect.sync(() => db.close())
    )
  })

/** Opens the database for reading until the scope closes; undefined if there is none that this version can read. */
export const openReadOnly = (path: string): Effect.Effect<DatabaseSync | undefined, StateUnusable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
        try {
          return openReadable(path)
        } catch (cause) {
          // Without write permission, a reader cannot create the memory that it shares with a writer. Without a WAL
          // file, there is no writer.
          if (!isUnwritable(cause) || existsSync(`${path}-wal`)) throw cause
          return openReadable(new URL("?immutable=1", pathToFileURL(path)))
        }
      },
      catch: (cause) => stateUnusable(path, cause)
    }),
    (db) => Effect.sync(() => db?.close())
  )

/** The database, if it passes the check; undefined if it does not, or is damaged. */
const openIf = (location: string | URL, readOnly: boolean, check: (db: DatabaseSync) => boolean) => {
  const db = new DatabaseSync(location, { readOnly, timeout: busyTimeoutMillis })
  try {
    if (check(db)) return db
  } catch (cause) {
    if (!isDamaged(cause)) {
      db.close()
      throw cause
    }
  }
  db.close()
  return undefined
}

const openReadable = (location: string | URL) =>
  openIf(location, true, (db) => Schema.isOurs(db) && !Schema.isEmpty(db))

/** Brings the schema up to date. */
const openUsable = (path: string) =>
  openIf(path, false, (db) => {
    if (!Schema.isOurs(db)) return false
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    Schema.migrate(db)
    return true
  })

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

/** Fails if the state directory is inside the input directory: each run would change the files to be uploaded. */
export const checkOutside = (stateDir: string, input: string): Effect.Effect<void, ConfigError> =>
  Effect.suspend(() => {
    const inner = withoutLinks(resolve(stateDir))
    const outer = withoutLinks(resolve(input))
    return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
      ? Effect.fail(
          new ConfigError({
            detail: `the state directory ${stateDir} is inside --input`,
            advice: "choose a --state-dir outside --input"
          })
        )
      : Effect.void
  })

/** Resolves symbolic links as far as the path exists. */
const withoutLinks = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path === dirname(path) ? path : join(withoutLinks(dirname(path)), basename(path))
  }
}

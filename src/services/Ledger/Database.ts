/** The files of a ledger: the database, and a lock beside it. */
import { Clock, Duration, Effect, Schedule, type Scope } from "effect"
import { existsSync, realpathSync, renameSync, statSync } from "node:fs"
import { basename, dirname, join, resolve, sep } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import { ConfigError, Locked, type StateUnusable } from "../../domain/Errors.ts"
import * as StateDirectory from "./StateDirectory.ts"
import * as Schema from "./Schema.ts"
import { isBusy, isDamaged, isUnwritable, stateUnusable } from "./SqliteErrors.ts"

export const pathIn = (stateDir: string): string => join(resolve(stateDir), "ledger.db")

/** Between two looks at a lock that is held. */
const lockInterval = Duration.millis(200)

/** A reader may hold the database for a moment, when it is the first after a crash. */
const busyMillis = 2000

/**
 * Keeps every other run out until the scope ends. SQLite's locks are the kernel's, which gives them up for a process
 * that is killed. It is a file of its own, so that others can read the ledger meanwhile.
 */
export const lock = (
  stateDir: string,
  wait: Duration.Duration
): Effect.Effect<void, Locked | StateUnusable, Scope.Scope> => {
  const path = join(resolve(stateDir), "ledger.lock")
  const attempt = Effect.acquireRelease(
    Effect.try({
      try: () => {
        StateDirectory.make(resolve(stateDir))
        const held = new DatabaseSync(path, { timeout: 0 })
        try {
          // not EXCLUSIVE, which two that begin at the same moment can keep each other from
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
  /** Where a database was moved that could not be used. */
  readonly setAside: string | undefined
}

/** Opens the database until the scope ends; the lock must be held. */
export const open = (path: string): Effect.Effect<Opened, StateUnusable, Scope.Scope> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.acquireRelease(
      Effect.try({
        try: (): Opened => {
          const db = usable(path)
          if (db !== undefined) return { db, setAside: undefined }
          const setAside = moveAside(path, now)
          const anew = usable(path)
          if (anew === undefined) throw new Error("a new database cannot be used")
          return { db: anew, setAside }
        },
        catch: (cause) => stateUnusable(path, cause)
      }),
      ({ db }) => Effect.sync(() => db.close())
    )
  })

/** For looking only, until the scope ends; undefined if there is none, or none that this program can work with. */
export const openReadOnly = (path: string): Effect.Effect<DatabaseSync | undefined, StateUnusable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
        try {
          return readable(path)
        } catch (cause) {
          // who may not write cannot share the memory that readers and writers share; but nobody is at work with it
          if (!isUnwritable(cause) || existsSync(`${path}-wal`)) throw cause
          return readable(new URL("?immutable=1", pathToFileURL(path)))
        }
      },
      catch: (cause) => stateUnusable(path, cause)
    }),
    (db) => Effect.sync(() => db?.close())
  )

const readable = (location: string | URL): DatabaseSync | undefined => {
  const db = new DatabaseSync(location, { readOnly: true, timeout: busyMillis })
  try {
    if (Schema.isOurs(db) && !Schema.isEmpty(db)) return db
  } catch (cause) {
    if (!isDamaged(cause)) {
      db.close()
      throw cause
    }
  }
  db.close()
  return undefined
}

/** The database with an up-to-date schema; undefined if it is damaged, somebody else's, or of a newer version. */
const usable = (path: string): DatabaseSync | undefined => {
  const db = new DatabaseSync(path, { timeout: busyMillis })
  try {
    if (Schema.isOurs(db)) {
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
      Schema.migrate(db)
      return db
    }
  } catch (cause) {
    db.close()
    if (isDamaged(cause)) return undefined
    throw cause
  }
  db.close()
  return undefined
}

/** Nothing is deleted: somebody may want to know what was in it. */
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

/** A ledger among the files to be uploaded would change them with every run. */
export const checkOutside = (stateDir: string, input: string): Effect.Effect<void, ConfigError> =>
  Effect.suspend(() => {
    const inner = real(resolve(stateDir))
    const outer = real(resolve(input))
    return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
      ? Effect.fail(
          new ConfigError({
            detail: `the state directory ${stateDir} lies inside of --input`,
            advice: "give --state-dir a directory elsewhere"
          })
        )
      : Effect.void
  })

/** Without symbolic links, as far as the path exists. */
const real = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path === dirname(path) ? path : join(real(dirname(path)), basename(path))
  }
}

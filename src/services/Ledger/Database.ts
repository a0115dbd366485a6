/** The ledger's files: the database `ledger.db`, and `ledger.lock` beside it. */
import { Clock, Duration, Effect, Schedule, type Scope } from "effect"
import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  promises,
  renameSync,
  rmSync,
  statSync,
  utimesSync
} from "node:fs"
import { basename, dirname, join, resolve, sep } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import { ConfigError, Locked, StateUnusable } from "../../domain/Errors.ts"
import * as Schema from "./Schema.ts"
import { isBusy, isDamaged, isUnwritable, stateUnusable } from "./SqliteErrors.ts"
import { refuseForeignFiles, refuseForeignLink } from "../Trust.ts"
import * as StateDirectory from "./StateDirectory.ts"

export const pathIn = (stateDir: string): string => join(resolve(stateDir), "ledger.db")

/** Pause between two attempts to get the lock. */
const lockInterval = Duration.millis(200)

/** Maximum wait while another process recovers the database after a crash, and locks it. */
const busyTimeoutMillis = 2000

export interface Lock {
  /** Start of the run that locked the ledger last, in milliseconds since 1970; undefined if the lock file is new. */
  readonly lastLocked: number | undefined
  /** Remembers the start of this run, outside of the database. */
  readonly remember: (startedAt: number) => void
}

/**
 * Keeps every other run out until the scope closes. SQLite uses the kernel's file locks, and the kernel releases them
 * when a process is killed. The lock has a file of its own, so that `status` can read the ledger meanwhile.
 */
export const lock = (
  databasePath: string,
  wait: Duration.Duration
): Effect.Effect<Lock, Locked | StateUnusable, Scope.Scope> => {
  const directory = dirname(databasePath)
  const path = join(directory, "ledger.lock")
  const attempt = Effect.acquireRelease(
    Effect.try({
      try: () => {
        StateDirectory.create(directory)
        refuseForeignFiles(directory, ["ledger.lock", "ledger.db", "ledger.db-wal", "ledger.db-shm"])
        const before = statSync(path, { throwIfNoEntry: false })
        const lastLocked = before && Math.round(before.mtimeMs)
        try {
          return { held: locked(path), lastLocked }
        } catch (cause) {
          if (!isDamaged(cause)) throw cause
          emptyFile(path)
          return { held: locked(path), lastLocked: undefined }
        }
      },
      catch: (cause) => (isBusy(cause) ? new Locked({ path }) : stateUnusable(path, cause))
    }),
    ({ held }) => Effect.sync(() => held.close())
  )
  return Effect.retry(attempt, {
    while: (error) => error._tag === "Locked",
    schedule: Schedule.upTo(Schedule.spaced(lockInterval), wait)
  }).pipe(
    Effect.catchTag("Locked", (error) => Effect.zipRight(checkLocking(directory), error)),
    Effect.map(({ lastLocked }): Lock => ({ lastLocked, remember: (startedAt) => setTime(path, startedAt) }))
  )
}

/** The lock file's modification time is the start of the last run that locked it: an older ledger does not know that run. */
const setTime = (path: string, startedAt: number) => {
  try {
    utimesSync(path, startedAt / 1000, startedAt / 1000)
  } catch {
    // only its owner may set the time: the next run then compares another one's
  }
}

const locked = (path: string) => {
  const held = new DatabaseSync(path, { timeout: 0 })
  try {
    // not EXCLUSIVE: with it, two runs that start at once can both fail to get the lock
    held.exec("BEGIN IMMEDIATE")
    return held
  } catch (cause) {
    held.close()
    throw cause
  }
}

/**
 * Removes the content of a lock file, which should have none. A new file instead would let two runs hold locks at once.
 * Does not follow a link, which may lead to a file that is not ours.
 */
const emptyFile = (path: string) => {
  const file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    ftruncateSync(file)
  } finally {
    closeSync(file)
  }
}

/** SQLite reports a file system that has no locks like a lock that is held: fails if a new file cannot be locked either. */
const checkLocking = (directory: string) =>
  Effect.try({
    try: () => {
      const probes = mkdtempSync(join(directory, "lock-"))
      try {
        locked(join(probes, "probe")).close()
      } finally {
        rmSync(probes, { recursive: true, force: true })
      }
    },
    catch: (cause) =>
      isBusy(cause)
        ? new StateUnusable({
            path: directory,
            detail: "its file system does not lock files, so two runs could use the ledger at once",
            cause
          })
        : stateUnusable(directory, cause)
  })

export interface Opened<A> {
  readonly db: DatabaseSync
  /** The result of `prepare`. */
  readonly prepared: A
  /** Path to which an unusable database was moved. */
  readonly setAside: string | undefined
}

/**
 * Opens the database until the scope closes. The caller holds the lock. `prepare` makes every statement that the run
 * needs: one that fails shows that the schema is damaged. Such a database is set aside, too.
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

/** Reads the database until the scope closes; undefined if there is none that this version can read. */
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
          // Without write permission, a reader cannot create the memory that it shares with a writer. Without a WAL
          // file, there is no writer.
          if (!isUnwritable(cause) || existsSync(`${path}-wal`)) throw cause
          return openReadable(new URL("?immutable=1", pathToFileURL(path)), prepare)
        }
      },
      catch: (cause) => stateUnusable(path, cause)
    }),
    (opened) => Effect.sync(() => opened?.db.close())
  ).pipe(Effect.map((opened) => opened?.prepared))

/** The database, if it passes the check and can be prepared; undefined if it does not, or is damaged. */
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

/**
 * The path of the database without symbolic links, so that two state directories that lead to one database also share its
 * lock. Fails if the database is inside the input directory: each run would change the files to be uploaded.
 */
export const locate = (stateDir: string, input: string): Effect.Effect<string, ConfigError | StateUnusable> =>
  Effect.zipRight(
    Effect.try({
      try: () => [resolve(stateDir), pathIn(stateDir)].forEach(refuseForeignLink),
      catch: (cause) => stateUnusable(pathIn(stateDir), cause)
    }),
    outsideOf(input, stateDir)
  )

const outsideOf = (input: string, stateDir: string) =>
  // in the thread pool, because a file server may hang
  Effect.flatMap(
    Effect.promise(() => Promise.all([pathIn(stateDir), resolve(input)].map(withoutLinks))),
    (paths) => {
      const [path = "", outer = ""] = paths
      return path.startsWith(outer.endsWith(sep) ? outer : outer + sep)
        ? Effect.fail(
            new ConfigError({
              detail: `the state directory ${stateDir} is inside --input`,
              advice: "choose a --state-dir outside --input"
            })
          )
        : Effect.succeed(path)
    }
  )

/** Resolves symbolic links as far as the path exists. */
const withoutLinks = (path: string): Promise<string> =>
  promises
    .realpath(path)
    .catch(async () => (path === dirname(path) ? path : join(await withoutLinks(dirname(path)), basename(path))))

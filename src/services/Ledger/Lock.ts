/** The lock of the ledger, `ledger.lock`: one run at a time. */
import { Duration, Effect, Schedule, type Scope } from "effect"
import { closeSync, constants, ftruncateSync, mkdtempSync, openSync, rmSync, statSync, utimesSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Locked, StateUnusable } from "../../domain/Errors.ts"
import { refuseForeignFiles } from "../Trust.ts"
import { isBusy, isDamaged, stateUnusable } from "./SqliteErrors.ts"
import * as StateDirectory from "./StateDirectory.ts"

/** Pause between two attempts to get the lock. */
const lockInterval = Duration.millis(200)

export interface Lock {
  /**
   * The start of the last run that locked the ledger, in milliseconds since 1970; undefined if the lock file is new.
   */
  readonly lastLocked: number | undefined
  /** Records the start of this run outside the database. */
  readonly remember: (startedAt: number) => void
}

/**
 * Keeps every other run out until the scope closes. SQLite uses the kernel's file locks, which the kernel releases even
 * if the process is killed. The lock has a file of its own, so that `status` can read the ledger during a run.
 */
export const acquire = (
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

/**
 * Stores the start of the run as the lock file's modification time. An older copy of the ledger is recognised because
 * it does not contain that run.
 */
const setTime = (path: string, startedAt: number) => {
  try {
    utimesSync(path, startedAt / 1000, startedAt / 1000)
  } catch {
    // only the owner may set the time; if another user owns the file, the time stays that of an earlier run
  }
}

const locked = (path: string) => {
  const held = new DatabaseSync(path, { timeout: 0 })
  try {
    // IMMEDIATE, because with EXCLUSIVE two runs that start at once can both fail to get the lock
    held.exec("BEGIN IMMEDIATE")
    return held
  } catch (cause) {
    held.close()
    throw cause
  }
}

/**
 * Empties a lock file, which should have no content. It does not create a new file, because two runs could then hold
 * locks at once. It does not follow a link, which may lead to another user's file.
 */
const emptyFile = (path: string) => {
  const file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    ftruncateSync(file)
  } finally {
    closeSync(file)
  }
}

/**
 * Fails if the file system has no locks: a new file, which nobody else can hold, cannot be locked either. SQLite
 * reports both cases in the same way.
 */
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

/** The step of `check` that examines the state directory. It changes no file, and removes the files that it creates. */
import { Duration, Effect, Either } from "effect"
import { closeSync, existsSync, openSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Settings } from "../../domain/Settings.ts"
import * as Size from "../../domain/Size.ts"
import * as Check from "../../report/Check.ts"
import { plural } from "../../report/Text.ts"
import { LedgerStatus } from "../Ledger.ts"
import * as Lock from "../Ledger/Lock.ts"
import { stateUnusable } from "../Ledger/SqliteErrors.ts"
import * as SqliteStatus from "../Ledger/SqliteStatus.ts"
import * as StateDirectory from "../Ledger/StateDirectory.ts"

type Options = Pick<Settings, "input" | "stateDir">

/** The number of bytes for which the disk must have room. A ledger of a few thousand files is larger. */
const probeBytes = 64 * 1024

export const run = (options: Options): Effect.Effect<Check.Result> =>
  Effect.gen(function* () {
    const database = yield* StateDirectory.locateDatabase(options.stateDir, options.input)
    const directory = dirname(database)
    const existing = existsSync(directory) ? directory : nearestExisting(directory)
    yield* Effect.try({ try: () => probe(existing), catch: (cause) => stateUnusable(directory, cause) })
    const { bavail, bsize } = statfsSync(existing)
    const space = `${Size.format(bavail * bsize)} free`
    if (!existsSync(database))
      return Check.ok("ledger", `${directory} is writable, ${space}; the first run creates the ledger`)
    const known = yield* LedgerStatus.pipe(
      Effect.flatMap((ledger) => ledger.read),
      Effect.provide(SqliteStatus.layer(options.stateDir))
    )
    const isFree = yield* isUnlocked(database)
    const detail = `${database} opens with ${plural(known.targets.length, "target")}, ${space}`
    return isFree
      ? Check.ok("ledger", detail)
      : Check.warn("ledger", `${detail}; another run is using it`, "nothing, if that run is meant to run now")
  }).pipe(Effect.catchAll((error) => Effect.succeed(Check.failed("ledger", error))))

/** Whether a run holds the lock. Without a lock file, no run holds it. */
const isUnlocked = (database: string) =>
  existsSync(join(dirname(database), "ledger.lock"))
    ? Effect.map(Effect.either(Effect.scoped(Lock.acquire(database, Duration.zero))), (lock) =>
        Either.match(lock, { onLeft: (error) => error._tag !== "Locked", onRight: () => true })
      )
    : Effect.succeed(true)

const nearestExisting = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path))

/** Writes a file as large as a small ledger, and removes it. */
const probe = (directory: string) => {
  const path = join(directory, `.ibsr-export-check-${process.pid}`)
  const file = openSync(path, "wx", 0o600)
  try {
    writeFileSync(file, Buffer.alloc(probeBytes))
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}

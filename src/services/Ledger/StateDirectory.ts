/** The directory of the ledger. */
import { Effect } from "effect"
import { existsSync, mkdirSync, promises } from "node:fs"
import { basename, dirname, join, resolve, sep } from "node:path"
import { ConfigError, type StateUnusable } from "../../domain/Errors.ts"
import { codeOf } from "../SystemError.ts"
import { refuseForeignLink } from "../Trust.ts"
import { stateUnusable } from "./SqliteErrors.ts"

export const databaseIn = (stateDir: string): string => join(resolve(stateDir), "ledger.db")

/**
 * Creates a directory that only its owner may enter, and its missing parents. Throws the system's error. It does not
 * use Node's recursive `mkdir`, which never returns on file systems such as /proc, where `mkdir` fails with ENOENT
 * although the parent exists.
 */
export const create = (path: string): void => {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) create(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (cause) {
    // another run may have created it just now
    if (codeOf(cause) !== "EEXIST") throw cause
  }
}

/**
 * Returns the path of the database without symbolic links. Two state directories that lead to the same database then
 * share its lock, too.
 */
export const locate = (stateDir: string): Effect.Effect<string, StateUnusable> =>
  Effect.zipRight(
    Effect.try({
      try: () => [resolve(stateDir), databaseIn(stateDir)].forEach(refuseForeignLink),
      catch: (cause) => stateUnusable(databaseIn(stateDir), cause)
    }),
    // asynchronous, because a file server may hang
    Effect.promise(() => withoutLinks(databaseIn(stateDir)))
  )

/**
 * Like `locate`, but fails if the database is inside the input directory, because each run would change the files that
 * it uploads.
 */
export const locateDatabase = (stateDir: string, input: string): Effect.Effect<string, ConfigError | StateUnusable> =>
  Effect.flatMap(
    Effect.zip(
      locate(stateDir),
      Effect.promise(() => withoutLinks(resolve(input)))
    ),
    ([path, outer]) =>
      path.startsWith(outer.endsWith(sep) ? outer : outer + sep)
        ? Effect.fail(
            new ConfigError({
              detail: `the state directory ${stateDir} is inside --input`,
              advice: "choose a --state-dir outside --input"
            })
          )
        : Effect.succeed(path)
  )

/** Resolves symbolic links as far as the path exists. */
const withoutLinks = (path: string): Promise<string> =>
  promises
    .realpath(path)
    .catch(async () => (path === dirname(path) ? path : join(await withoutLinks(dirname(path)), basename(path))))

/** The default of `--state-dir`. */
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import type { Env } from "../domain/Env.ts"
import { stateDirectory } from "../units/Job.ts"

/**
 * Sources: systemd.exec(5), `StateDirectory=` (colons separate several paths); XDG Base Directory Specification 0.8 (a
 * relative path must be ignored).
 */
export const fallback = (env: Env): string => {
  const [first = ""] = env["STATE_DIRECTORY"]?.split(":") ?? []
  if (first !== "") return first
  const stateHome = env["XDG_STATE_HOME"] ?? ""
  return join(isAbsolute(stateHome) ? stateHome : join(home(), ".local", "state"), "ibsr-export")
}

/**
 * The default of `status`. For root, this is the ledger of the packaged service, if it exists, because root's shell
 * does not have the service's variables.
 */
export const ofStatus = (
  env: Env,
  isRoot = process.geteuid?.() === 0,
  hasLedger = (directory: string) => existsSync(join(directory, "ledger.db"))
): string => (isRoot && !env["STATE_DIRECTORY"] && hasLedger(stateDirectory) ? stateDirectory : fallback(env))

/** `/` for a user without a home directory: opening the ledger there fails with an error that says so. */
const home = () => {
  try {
    const path = homedir()
    return isAbsolute(path) ? path : "/"
  } catch {
    return "/"
  }
}

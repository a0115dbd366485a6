/** Where the ledger lies if nobody says. */
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import type { Env } from "../domain/Env.ts"

/**
 * Sources: systemd.exec(5), `StateDirectory=`, where several are separated by colons; XDG Base Directory Specification
 * 0.8, where a relative path does not count.
 */
export const fallback = (env: Env): string => {
  const [ofUnit = ""] = env["STATE_DIRECTORY"]?.split(":") ?? []
  if (ofUnit !== "") return ofUnit
  const stateHome = env["XDG_STATE_HOME"] ?? ""
  return join(isAbsolute(stateHome) ? stateHome : join(home(), ".local", "state"), "ibsr-export")
}

/** A user without a home directory has none to write to; that is said when it is tried. */
const home = () => {
  try {
    const path = homedir()
    return isAbsolute(path) ? path : "/"
  } catch {
    return "/"
  }
}

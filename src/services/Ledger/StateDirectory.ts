import { existsSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { codeOf } from "../SystemError.ts"

/**
 * Makes a folder that only its owner may enter, and those above it. Throws what the system says. Node's own way asks for ever where a
 * file system has no folder and lets none be made, as /proc does (`mkdir` says ENOENT of a name in a folder that is there).
 */
export const make = (path: string): void => {
  if (existsSync(path)) return
  const above = dirname(path)
  if (above !== path) make(above)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (cause) {
    // another run has just made it
    if (codeOf(cause) !== "EEXIST") throw cause
  }
}

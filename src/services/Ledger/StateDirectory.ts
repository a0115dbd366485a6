import { existsSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { codeOf } from "../SystemError.ts"

/**
 * Creates a directory that only its owner may enter, and its missing parents. Throws the system's error. Node's recursive
 * `mkdir` never returns on file systems such as /proc, where `mkdir` fails with ENOENT although the parent exists.
 */
export const create = (path: string): void => {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) create(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (cause) {
    // another run may have just created it
    if (codeOf(cause) !== "EEXIST") throw cause
  }
}

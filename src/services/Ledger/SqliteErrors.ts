/** Translates errors of SQLite and the file system into the ledger's errors. */
import { accessSync, constants, existsSync } from "node:fs"
import { dirname } from "node:path"
import { StateUnusable } from "../../domain/Errors.ts"
import { codeOf, detailOf } from "../SystemError.ts"

/** The names of SQLite's result codes that matter to the program or in messages. Source: sqlite.org/rescode.html. */
const names: Readonly<Record<number, string>> = {
  1: "SQLITE_ERROR",
  5: "SQLITE_BUSY",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  15: "SQLITE_PROTOCOL",
  19: "SQLITE_CONSTRAINT",
  20: "SQLITE_MISMATCH",
  26: "SQLITE_NOTADB"
}

/** SQLite's name for the error, or errno's. */
const nameOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number"
    ? // the low byte of an extended result code is the basic code
      (names[cause.errcode & 0xff] ?? `SQLite code ${cause.errcode}`)
    : codeOf(cause)

export const isBusy = (cause: unknown): boolean => nameOf(cause) === "SQLITE_BUSY"

/** Whether the operation failed because the database, or a file beside it, could not be written. */
export const isUnwritable = (cause: unknown): boolean => {
  const code = nameOf(cause)
  return code === "SQLITE_READONLY" || code === "SQLITE_CANTOPEN"
}

/**
 * Whether the file's content is not a valid database of this program. The program's statements fit its schema. If
 * SQLite cannot compile one of them (SQLITE_ERROR), or refuses its values, the schema has changed.
 */
export const isDamaged = (cause: unknown): boolean => damage.has(nameOf(cause) ?? "")

const damage: ReadonlySet<string> = new Set([
  "SQLITE_CORRUPT",
  "SQLITE_NOTADB",
  "SQLITE_ERROR",
  "SQLITE_CONSTRAINT",
  "SQLITE_MISMATCH"
])

export const stateUnusable = (path: string, failure: unknown, advice?: string): StateUnusable => {
  const cause = isUnwritable(failure) ? (unwritable(path) ?? failure) : failure
  const code = nameOf(cause)
  const detail = detailOf(cause)
  return new StateUnusable({
    path,
    detail: code === undefined || detail.startsWith(code) ? detail : `${detail} (${code})`,
    code,
    advice,
    cause: failure
  })
}

/** The system's reason why a file cannot be written or created, which SQLite does not report. */
const unwritable = (path: string): unknown => {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK)
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK)
    return undefined
  } catch (cause) {
    return cause
  }
}

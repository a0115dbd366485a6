/** What SQLite and the file system throw, as what it means for the ledger. */
import { StateUnusable } from "../../domain/Errors.ts"
import { codeOf, detailOf } from "../SystemError.ts"

/** Result codes of SQLite that are looked at, or that a message should name. Source: sqlite.org/rescode.html. */
const names: Readonly<Record<number, string>> = {
  5: "SQLITE_BUSY",
  8: "SQLITE_READONLY",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  26: "SQLITE_NOTADB"
}

/** The name of what was thrown: SQLite's, or errno's. */
const nameOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number"
    ? // the low byte of an extended result code is the code itself
      (names[cause.errcode & 0xff] ?? "SQLITE_ERROR")
    : codeOf(cause)

export const isBusy = (cause: unknown): boolean => nameOf(cause) === "SQLITE_BUSY"

/** It would have to be written to, or beside. */
export const isUnwritable = (cause: unknown): boolean => {
  const code = nameOf(cause)
  return code === "SQLITE_READONLY" || code === "SQLITE_CANTOPEN"
}

/** What is in the file is not, or not any more, a database. */
export const isDamaged = (cause: unknown): boolean => {
  const code = nameOf(cause)
  return code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB"
}

export const stateUnusable = (path: string, cause: unknown, advice?: string): StateUnusable => {
  const code = nameOf(cause)
  return new StateUnusable({
    path,
    detail: `${detailOf(cause)}${code === undefined ? "" : ` (${code})`}`,
    code,
    advice,
    cause
  })
}

/**
 * Counts the steps of a run that have a lasting effect: each statement that writes to the ledger, each request, and
 * each response. An action can be planned for any of these steps: a kill, a signal, a full disk, a jump of the clock.
 */
import { DatabaseSync, StatementSync } from "node:sqlite"

export class Steps {
  count = 0
  /** The error with which each statement of the ledger fails, for example because the disk is full. */
  ledgerFailure: Error | undefined
  readonly #planned = new Map<number, () => void>()

  plan(step: number, action: () => void): void {
    this.#planned.set(step, action)
  }

  next(): void {
    this.#planned.get(this.count++)?.()
  }
}

let watched: Steps | undefined

/** Counts the ledger's statements during `work`. Only one count at a time is possible. */
export const counting = async <A>(steps: Steps, work: () => Promise<A>): Promise<A> => {
  watched = steps
  try {
    return await work()
  } finally {
    watched = undefined
  }
}

const beforeStatement = (isWrite: boolean) => {
  if (watched === undefined) return
  if (isWrite) watched.next()
  if (isWrite && watched.ledgerFailure !== undefined) throw watched.ledgerFailure
}

/** An error as `node:sqlite` throws it. `code` is one of sqlite.org/rescode.html. */
export const sqliteError = (code: number, message: string): Error =>
  Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode: code, errstr: message })

const { exec } = DatabaseSync.prototype
DatabaseSync.prototype.exec = function (sql) {
  beforeStatement(sql === "COMMIT" || sql.startsWith("BEGIN IMMEDIATE"))
  exec.call(this, sql)
}

const { run } = StatementSync.prototype
StatementSync.prototype.run = function (this: StatementSync, ...values: Parameters<typeof run>) {
  beforeStatement(true)
  return run.apply(this, values)
} as typeof run

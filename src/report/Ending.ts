/**
 * Why a run failed, and what to do about it. The operator of an unattended run reads this first, and may read nothing
 * else.
 */
import type { ExportError } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Tally from "../domain/Tally.ts"
import { escapeControls, plural, sentence } from "./Text.ts"

export interface Ending {
  readonly cause: string
  readonly hint: string
}

export interface Facts {
  readonly endedBy: ExportError | undefined
  readonly signal: ExitCode.StopSignal | undefined
  readonly complete: boolean
  readonly tally: Tally.Tally
}

/** Undefined if the run succeeded. */
export const of = (exit: ExitCode.ExitCode, facts: Facts): Ending | undefined => {
  if (exit.code === 0) return undefined
  const { endedBy, signal } = facts
  if (signal !== undefined && exit === ExitCode.ofSignal[signal]) return stopped(signal, facts)
  if (endedBy !== undefined && exit === ExitCode.ofError[endedBy._tag]) return ofError(endedBy)
  const classes = classesOf(facts.tally)
  const own = classes.find(({ row }) => row === exit)
  return own === undefined
    ? { cause: mixed(classes), hint: classes[0]?.hint ?? "" }
    : { cause: own.cause, hint: own.hint }
}

/** `exit N name: cause. Remedy.` */
export const line = ({ code, name }: Pick<ExitCode.ExitCode, "code" | "name">, { cause, hint }: Ending): string =>
  `exit ${code} ${name}: ${escapeControls(`${withFullStop(cause)} ${sentence(hint)}`)}`

/** The ending of a run that failed before it had a report. */
export const ofError = (error: ExportError): Ending => ({
  cause: error._tag === "UsageError" ? error.problems.join("; ") : firstLine(error.message),
  hint: error.hint
})

interface FailedClass extends Ending {
  readonly row: ExitCode.ExitCode
}

/** The classes with the most files first. */
const classesOf = (tally: Tally.Tally): ReadonlyArray<FailedClass> =>
  [...tally.failedClasses]
    .toSorted(([, a], [, b]) => b.files - a.files)
    .map(([tag, failed]) => ({
      row: ExitCode.ofError[tag],
      cause: failed.first === undefined ? lossOf(tally) : causeOf(failed.first, failed.files),
      hint: failed.first === undefined ? (tally.lossHint ?? "") : failed.first.error.hint
    }))

/** Names the file if only one failed. */
const causeOf = ({ error, relativePath }: Tally.Failed, files: number): string => {
  const message = firstLine(error.message)
  if (files > 1) return `${message}; ${files} files failed like this`
  return message.includes(relativePath) ? message : `${relativePath}: ${message}`
}

const lossOf = ({ lost, lostFiles }: Tally.Tally): string =>
  lost === 1
    ? `${lostFiles[0]} was deleted before it was completely stored`
    : `${lost} files were deleted before they were completely stored`

/** Names the two classes with the most files. */
const mixed = (classes: ReadonlyArray<FailedClass>): string =>
  classes
    .slice(0, 2)
    .map(({ cause, row }) => `${row.name} [${row.code}]: ${cause}`)
    .join("; ")

const stopped = (signal: ExitCode.StopSignal, { complete, tally }: Facts): Ending => {
  const left = tally.interrupted + tally.notTried
  return {
    cause: `stopped by ${signal}${left === 0 ? "" : `, with ${plural(left, "file")}${complete ? "" : " or more"} left`}`,
    hint: "the next run continues"
  }
}

const firstLine = (text: string) => text.split("\n", 1)[0] ?? ""

const withFullStop = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

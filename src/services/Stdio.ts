import { Context, Effect } from "effect"
import * as Journal from "../report/Journal.ts"

/** Where the program is heard. */
export class Stdio extends Context.Tag("ibsr-export/Streams")<
  Stdio,
  {
    /** The result. */
    readonly stdout: OutputStream
    /** Everything else. */
    readonly stderr: OutputStream
  }
>() {}

export interface OutputStream {
  /** journald reads it: it knows the time and the priority of every line, and shows no colours. */
  readonly isJournal: boolean
  /** At once, and in one piece, so that nothing else gets between its lines. */
  readonly writeLine: (told: Journal.Line) => void
}

/** `write` takes whole lines. */
export const makeOutputStream = (isJournal: boolean, write: (lines: string) => void): OutputStream => ({
  isJournal,
  writeLine: (told) => write(`${isJournal ? Journal.prefixed(told) : told.text}\n`)
})

/** Tells a result that is none of a run. */
export const printToStdout = (text: string) =>
  Effect.map(Stdio, ({ stdout }) => stdout.writeLine({ text, severity: "info" }))

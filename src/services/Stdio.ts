import { Context, Effect } from "effect"
import * as Journal from "../report/Journal.ts"

/** The program's output streams. */
export class Stdio extends Context.Tag("ibsr-export/Stdio")<
  Stdio,
  {
    /** The stream for the result. */
    readonly stdout: OutputStream
    /** The stream for everything else. */
    readonly stderr: OutputStream
    /** Whether stdout and stderr go to the same file, terminal or connection. */
    readonly isOneStream: boolean
  }
>() {}

export interface OutputStream extends Journal.Reader {
  /** Writes immediately and in one piece, so that no other output separates the lines of one text. */
  readonly writeLine: (line: Journal.Line) => void
  /** Writes text for another program to read: as it is, even to the journal. */
  readonly write: (text: string) => void
}

/** Calls `write` with complete lines. */
export const makeOutputStream = (reader: Journal.Reader, write: (lines: string) => void): OutputStream => ({
  ...reader,
  write,
  writeLine: (line) => write(`${reader.isJournal ? Journal.prefixed(line) : line.text}\n`)
})

/** Prints the result of a command that is not a run. */
export const printToStdout = (text: string) =>
  Effect.map(Stdio, ({ stdout }) => stdout.writeLine({ text, severity: "info" }))

import { Context, Effect } from "effect"
import * as Journal from "../report/Journal.ts"

/** Where the program is heard. */
export class Streams extends Context.Tag("ibsr-export/Streams")<
  Streams,
  {
    /** The result. */
    readonly stdout: Stream
    /** Everything else. */
    readonly stderr: Stream
  }
>() {}

export interface Stream {
  /** journald reads it: it knows the time and the priority of every line, and shows no colours. */
  readonly isJournal: boolean
  /** At once, and in one piece, so that nothing else gets between its lines. */
  readonly tell: (told: Journal.Told) => void
}

/** `write` takes whole lines. */
export const stream = (isJournal: boolean, write: (lines: string) => void): Stream => ({
  isJournal,
  tell: (told) => write(`${isJournal ? Journal.prefixed(told) : told.text}\n`)
})

/** Tells a result that is none of a run. */
export const said = (text: string) => Effect.map(Streams, ({ stdout }) => stdout.tell({ text, severity: "info" }))

/** Lines for journald, which reads a priority from the start of each. Sources: sd-daemon(3), systemd.exec(5). */

/** Numbers from syslog(3). */
const priorities = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const

export type Severity = keyof typeof priorities

export interface Line {
  /** May contain line breaks. */
  readonly text: string
  readonly severity: Severity
}

/** What reads an output stream. If it is neither, it is a file or a pipe, and may be read much later. */
export interface Reader {
  /** It adds the time, takes a priority for each line, and shows no colours. */
  readonly isJournal: boolean
  readonly isTerminal: boolean
}

/** journald makes an entry of each line, so each gets the priority. */
export const prefixed = ({ severity, text }: Line): string =>
  text
    .split("\n")
    .map((line) => `<${priorities[severity]}>${line}`)
    .join("\n")

/** A file as the kernel identifies it. */
export interface FileId {
  readonly dev: bigint
  readonly ino: bigint
}

/** Whether `$JOURNAL_STREAM` names this file. A process also inherits the variable when its output goes elsewhere. */
export const isStream = (journalStream: string | undefined, { dev, ino }: FileId): boolean =>
  journalStream === `${dev}:${ino}`

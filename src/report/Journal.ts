/** Lines for journald, which reads a priority from the start of each line. Sources: sd-daemon(3), systemd.exec(5). */

/** Numbers from syslog(3). */
const priorities = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const

export type Severity = keyof typeof priorities

export interface Line {
  /** May contain line breaks. */
  readonly text: string
  readonly severity: Severity
}

/**
 * The reader of an output stream. If both fields are false, the output goes to a file or a pipe, and may be read much
 * later.
 */
export interface Reader {
  /**
   * Whether journald reads the stream. journald adds the time, accepts a priority for each line, and shows no colours.
   */
  readonly isJournal: boolean
  readonly isTerminal: boolean
  /** Whether to use colours: on a terminal that supports them, unless `NO_COLOR` or `CLICOLOR_FORCE` says otherwise. */
  readonly hasColors: boolean
}

/** Prefixes every line with the priority, because journald makes a separate entry of each line. */
export const prefixed = ({ severity, text }: Line): string =>
  text
    .split("\n")
    .map((line) => `<${priorities[severity]}>${line}`)
    .join("\n")

/** The kernel's identification of a file. */
export interface FileId {
  readonly dev: bigint
  readonly ino: bigint
}

/** Whether `$JOURNAL_STREAM` names this file. A process inherits the variable even when its output goes elsewhere. */
export const isStream = (journalStream: string | undefined, { dev, ino }: FileId): boolean =>
  journalStream === `${dev}:${ino}`

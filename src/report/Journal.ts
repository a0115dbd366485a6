/** How journald is told how much a line matters: by a priority at its head. Source: sd-daemon(3), systemd.exec(5). */

/** Names and numbers of syslog(3). */
const priorities = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 } as const

export type Severity = keyof typeof priorities

/** Something that is told; it may have several lines. */
export interface Line {
  readonly text: string
  readonly severity: Severity
}

/** journald takes each line for an entry of its own, so each gets the priority. */
export const prefixed = ({ severity, text }: Line): string =>
  text
    .split("\n")
    .map((line) => `<${priorities[severity]}>${line}`)
    .join("\n")

/** A file, as the kernel names it. */
export interface FileId {
  readonly dev: bigint
  readonly ino: bigint
}

/** Whether it is what `$JOURNAL_STREAM` names: a process inherits the variable also where its stream is another one. */
export const isStream = (journalStream: string | undefined, { dev, ino }: FileId): boolean =>
  journalStream === `${dev}:${ino}`

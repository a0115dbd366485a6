/** Entries of the systemd journal. */

export interface JournalEntry {
  readonly priority: number
  readonly message: string
  /** The syslog identifier, such as `ibsr-export`. */
  readonly identifier: string
  /** The ID that systemd gave the start of the unit. Its restarts share it since version 254. */
  readonly invocation: string
  /** The ID of the process that wrote it. */
  readonly process: string
}

interface Fields {
  readonly PRIORITY?: string
  readonly MESSAGE?: string
  readonly SYSLOG_IDENTIFIER?: string
  readonly _SYSTEMD_INVOCATION_ID?: string
  readonly _PID?: string
}

/** Parses the output of `journalctl --output=json`. */
export const parseEntries = (text: string): ReadonlyArray<JournalEntry> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = JSON.parse(line) as Fields
      return {
        priority: Number(fields.PRIORITY),
        message: fields.MESSAGE ?? "",
        identifier: fields.SYSLOG_IDENTIFIER ?? "",
        invocation: fields._SYSTEMD_INVOCATION_ID ?? "",
        process: fields._PID ?? ""
      }
    })

export const entriesOf = (identifier: string, journal: ReadonlyArray<JournalEntry>): ReadonlyArray<JournalEntry> =>
  journal.filter((entry) => entry.identifier === identifier)

/** The number of runs that wrote to the journal. */
export const countRuns = (journal: ReadonlyArray<JournalEntry>): number =>
  new Set(entriesOf("ibsr-export", journal).map((entry) => entry.process)).size

/** The number of alerts. */
export const countAlerts = (journal: ReadonlyArray<JournalEntry>): number => entriesOf("ibsr-alert", journal).length

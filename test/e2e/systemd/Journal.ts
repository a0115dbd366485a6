/** What the journal holds. */

export interface Entry {
  readonly priority: number
  readonly message: string
  /** Who says it, such as `ibsr-export`. */
  readonly identifier: string
  /** Which run of its unit says it. */
  readonly invocation: string
}

interface Fields {
  readonly PRIORITY?: string
  readonly MESSAGE?: string
  readonly SYSLOG_IDENTIFIER?: string
  readonly _SYSTEMD_INVOCATION_ID?: string
}

/** From `journalctl --output=json`. */
export const entries = (text: string): ReadonlyArray<Entry> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = JSON.parse(line) as Fields
      return {
        priority: Number(fields.PRIORITY),
        message: fields.MESSAGE ?? "",
        identifier: fields.SYSLOG_IDENTIFIER ?? "",
        invocation: fields._SYSTEMD_INVOCATION_ID ?? ""
      }
    })

export const by = (identifier: string, told: ReadonlyArray<Entry>): ReadonlyArray<Entry> =>
  told.filter((entry) => entry.identifier === identifier)

/** How often the program ran, as far as it said anything. */
export const runs = (told: ReadonlyArray<Entry>): number =>
  new Set(by("ibsr-export", told).map(({ invocation }) => invocation)).size

/** How often help was called for. */
export const alerts = (told: ReadonlyArray<Entry>): number => by("ibsr-alert", told).length

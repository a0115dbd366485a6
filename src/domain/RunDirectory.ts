/**
 * The collector's run directories. Each start of the collector creates one, named after the time of the start in UTC:
 * `ibsr-YYYYMMDD-HHMMSSZ`, or `ibsr-payload-YYYYMMDD-HHMMSSZ` in payload mode. Until the collector stops, it writes only to
 * that directory, and rotates only its files.
 */
import { oldestFirst } from "./SourceFile.ts"

/** The mode of the collector. Each mode runs in a process of its own. */
export type Kind = "snapshots" | "payload"

export interface RunDirectory {
  readonly kind: Kind
  /** The start of the collector, in milliseconds since 1970. */
  readonly startedAt: number
}

const format = /^ibsr-(payload-)?(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})Z$/

/** `name` is a directory's name without its path. Undefined for other names, and for a time that does not exist. */
export const parse = (name: string): RunDirectory | undefined => {
  const [, payload, year, month, day, hour, minute, second] = format.exec(name) ?? []
  const startedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  // Date.parse reads the 30th of February as a day in March
  const exists = !Number.isNaN(startedAt) && new Date(startedAt).getUTCDate() === Number(day)
  return exists ? { kind: payload === undefined ? "snapshots" : "payload", startedAt } : undefined
}

/**
 * Returns the latest run directory of each kind in one parent directory. Only the collector of such a directory may
 * still be writing. Ignores other names.
 */
export const current = (names: Iterable<string>): ReadonlyMap<Kind, string> => {
  const newest = new Map<Kind, { readonly name: string; readonly startedAt: number }>()
  for (const name of names) {
    const found = parse(name)
    if (found !== undefined && found.startedAt > (newest.get(found.kind)?.startedAt ?? -Infinity)) {
      newest.set(found.kind, { name, startedAt: found.startedAt })
    }
  }
  return new Map([...newest].map(([kind, { name }]) => [kind, name]))
}

/**
 * The order in which the subdirectories of one directory are visited. After an outage, the file that the collector will
 * delete next comes first. The collector deletes files only in the run directory that it is writing to.
 *
 * | subdirectory                                  | visited                                        |
 * | --------------------------------------------- | ---------------------------------------------- |
 * | the newest run directory of its kind          | first                                          |
 * | not a run directory                           | then, by name                                  |
 * | any other run directory                       | after everything else below the input, newest first |
 */
export const visitOrder = (
  names: ReadonlyArray<string>
): { readonly first: Array<string>; readonly last: Array<string> } => {
  const newest = new Set(current(names).values())
  const { false: others = [], true: runs = [] } = Object.groupBy(names, (name) => String(parse(name) !== undefined))
  return {
    first: [...[...newest].sort(oldestFirst), ...others.sort(oldestFirst)],
    last: runs.filter((name) => !newest.has(name))
  }
}

/** Compares paths of run directories, each ending in `/`: newest first. */
export const newestFirst = (a: string, b: string): number => startOf(b) - startOf(a) || oldestFirst(a, b)

const startOf = (path: string) => parse(path.slice(path.lastIndexOf("/", path.length - 2) + 1, -1))?.startedAt ?? 0

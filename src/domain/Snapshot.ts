/**
 * The hours of the collector's files, and which files are final.
 *
 * The collector appends complete lines to `snapshot_YYYYMMDDHH.jsonl`, named after a UTC hour. It does not mark finished
 * files, so only that hour and the clock tell whether a file is final.
 */
import { Duration } from "effect"

/**
 * `final`: the file will not grow any more. `live`: it may still grow. The state is stored with the object as
 * `ibsr-state`.
 */
export type State = "final" | "live"

const hourly = /(?:^|\/)snapshot_(\d{4})(\d{2})(\d{2})(\d{2})\.jsonl$/

const hourMillis = 3_600_000

/** File names of older collectors contain Unix seconds, which read as years before 2000. */
const firstYear = 2000

/** The UTC hour in a snapshot's name, in milliseconds since 1970; undefined for any other name. */
export const hourOf = (relativePath: string): { readonly start: number; readonly end: number } | undefined => {
  const [, ...digits] = hourly.exec(relativePath) ?? []
  const [year, month, day, hour] = digits.map(Number)
  if (year === undefined || month === undefined || day === undefined || hour === undefined) return undefined
  const start = Date.UTC(year, month - 1, day, hour)
  // Date.UTC reads a 13th month or a 30th of February as a later date
  const isDate = new Date(start).toISOString().slice(0, 13) === `${digits.slice(0, 3).join("-")}T${digits[3]}`
  return year >= firstYear && isDate ? { start, end: start + hourMillis } : undefined
}

/**
 * | name                        | final                                                               |
 * | --------------------------- | ------------------------------------------------------------------- |
 * | `snapshot_YYYYMMDDHH.jsonl` | `finalAfter` after the end of its hour, whenever it was last changed |
 * | any other name              | `finalAfter` after its last change                                  |
 */
export const stateAt = (
  file: { readonly relativePath: string; readonly modifiedMillis: number },
  nowMillis: number,
  finalAfter: Duration.Duration
): State => {
  const lastWrite = hourOf(file.relativePath)?.end ?? file.modifiedMillis
  return lastWrite + Duration.toMillis(finalAfter) <= nowMillis ? "final" : "live"
}

/**
 * The time at which a snapshot becomes final, in milliseconds since 1970, if its hour ended less than `finalAfter` ago.
 * The collector has already written the snapshot's last line. Undefined at any other time, and for other names.
 */
export const finalAt = (relativePath: string, nowMillis: number, finalAfter: Duration.Duration): number | undefined => {
  const hour = hourOf(relativePath)
  if (hour === undefined) return undefined
  const at = hour.end + Duration.toMillis(finalAfter)
  return hour.end <= nowMillis && nowMillis < at ? at : undefined
}

/** Whether the file consists of lines, so that it may be torn. */
export const hasLines = (relativePath: string): boolean => relativePath.endsWith(".jsonl")

/** The bytes of a file that are sent. */
export interface Extent {
  readonly sizeBytes: number
  /** Whether the file is final and ends in an incomplete line, because its writer was interrupted. */
  readonly torn: boolean
}

/**
 * | state | the file has lines                | sent                   | torn |
 * | ----- | --------------------------------- | ---------------------- | ---- |
 * | any   | no                                | all bytes              | no   |
 * | final | yes, and the last is complete     | all bytes              | no   |
 * | final | yes, and the last is incomplete   | all bytes              | yes  |
 * | live  | yes, and at least one is complete | the complete lines     | no   |
 * | live  | yes, but none is complete         | undefined: nothing yet |      |
 *
 * Nothing will complete the last line of a final file, so the incomplete line is sent. `lineBytes`: the number of bytes
 * up to and including the last line break; undefined for a file without lines.
 */
export const extentOf = (state: State, fileBytes: number, lineBytes: number | undefined): Extent | undefined => {
  if (lineBytes === undefined) return { sizeBytes: fileBytes, torn: false }
  if (state === "final") return { sizeBytes: fileBytes, torn: lineBytes < fileBytes }
  return lineBytes === 0 ? undefined : { sizeBytes: lineBytes, torn: false }
}

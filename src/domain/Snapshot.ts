/**
 * What is known of a file that a collector may still be writing to.
 *
 * The collector appends whole lines to `snapshot_YYYYMMDDHH.jsonl`, named after a UTC hour, and marks nothing as
 * finished: only that hour against the clock tells.
 */
import { Duration } from "effect"

/** `final`: nothing will be added any more. `live`: something may. Stored with the object as `ibsr-state`. */
export type State = "final" | "live"

const hourly = /(?:^|\/)snapshot_(\d{4})(\d{2})(\d{2})(\d{2})\.jsonl$/

const hourMillis = 3_600_000

/** Names of older collectors hold Unix seconds, which read as years before 2000. */
const firstYear = 2000

/** The end of the hour that the name names, in milliseconds since 1970; undefined for any other name. */
export const endOfHour = (relativePath: string): number | undefined => {
  const [, ...digits] = hourly.exec(relativePath) ?? []
  const [year, month, day, hour] = digits.map(Number)
  if (year === undefined || month === undefined || day === undefined || hour === undefined) return undefined
  const start = Date.UTC(year, month - 1, day, hour)
  // a 13th month or a 30th of February would silently be a date of the next one
  const same = new Date(start).toISOString().slice(0, 13) === `${digits.slice(0, 3).join("-")}T${digits[3]}`
  return year >= firstYear && same ? start + hourMillis : undefined
}

/** How long after the start of its hour the collector deletes a snapshot. */
const keptMillis = 24 * hourMillis

/** When the collector deletes the file, in milliseconds since 1970; undefined for names that it does not rotate away. */
export const rotatedAt = (relativePath: string): number | undefined => {
  const end = endOfHour(relativePath)
  return end === undefined ? undefined : end - hourMillis + keptMillis
}

/**
 * | name                        | final                                                          |
 * | --------------------------- | -------------------------------------------------------------- |
 * | `snapshot_YYYYMMDDHH.jsonl` | `grace` after the end of its hour, whatever its time of change |
 * | any other                   | when it was not changed for `grace`                            |
 */
export const stateAt = (
  file: { readonly relativePath: string; readonly modifiedMillis: number },
  nowMillis: number,
  grace: Duration.Duration
): State => {
  const complete = endOfHour(file.relativePath) ?? file.modifiedMillis
  return complete + Duration.toMillis(grace) <= nowMillis ? "final" : "live"
}

/** Files of lines, of which a live one may end in half of one. */
export const hasLines = (relativePath: string): boolean => relativePath.endsWith(".jsonl")

/** The bytes of a file that are sent. */
export interface Extent {
  readonly sizeBytes: number
  /** The file is final and ends in an incomplete line: its writer was interrupted. */
  readonly torn: boolean
}

/**
 * | state | the file has lines          | sent                      | torn |
 * | ----- | --------------------------- | ------------------------- | ---- |
 * | any   | no                          | all bytes                 | no   |
 * | final | and the last one is whole   | all bytes                 | no   |
 * | final | and the last one is not     | all bytes                 | yes  |
 * | live  | and at least one is whole   | the whole lines           | no   |
 * | live  | and none is whole           | undefined: nothing yet    |      |
 *
 * Nothing will complete the last line of a final file, so its beginning is better than nothing. `lineBytes` are the bytes
 * up to and including the last line break; undefined for a file that has no lines.
 */
export const extentOf = (state: State, fileBytes: number, lineBytes: number | undefined): Extent | undefined => {
  if (lineBytes === undefined) return { sizeBytes: fileBytes, torn: false }
  if (state === "final") return { sizeBytes: fileBytes, torn: lineBytes < fileBytes }
  return lineBytes === 0 ? undefined : { sizeBytes: lineBytes, torn: false }
}

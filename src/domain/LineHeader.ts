/**
 * The fields of a snapshot's line that record when, and by which process, the line was written. The collector writes
 * them first. A line can be 5 MB long, so only its beginning is searched.
 */

/** The number of bytes that are searched, from the beginning of a line. */
export const searchedBytes = 1024

export interface LineHeader {
  /** When the line was written, in seconds since 1970. */
  readonly time: number
  /** Seconds that the collector waits between two lines. */
  readonly intervalSeconds: number | undefined
  /** The id that the collector gave to its own execution. */
  readonly runId: string | undefined
}

const time = /"ts_unix_sec"\s*:\s*(\d{1,15})(?=\s*[,}\]])/
const interval = /"interval_sec"\s*:\s*(\d{1,9}(?:\.\d{1,9})?)(?=\s*[,}\]])/
const run = /"run_id"\s*:\s*(?:"([^"\\]{1,200})"|(\d{1,20}))(?=\s*[,}\]])/

/** Parses the beginning of a line, or a whole line. Returns undefined if it contains no time. */
export const parse = (beginning: string): LineHeader | undefined => {
  const [, seconds] = time.exec(beginning) ?? []
  if (seconds === undefined) return undefined
  const [, intervalText] = interval.exec(beginning) ?? []
  const [, name, number] = run.exec(beginning) ?? []
  return {
    time: Number(seconds),
    intervalSeconds: intervalText === undefined ? undefined : Number(intervalText),
    runId: name ?? number
  }
}

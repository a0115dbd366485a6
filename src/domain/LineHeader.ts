/**
 * The fields of a collector's line that tell when it was written, and by which process. They stand at the beginning of a
 * line that may be 5 MB long, so only its beginning is searched.
 */

/** Bytes of a line that are searched. */
export const searchedBytes = 1024

export interface LineHeader {
  /** When the line was written, in seconds since 1970. */
  readonly time: number
  /** Seconds that the collector waits between two lines. */
  readonly intervalSeconds: number | undefined
  /** The collector's name of this execution of itself. */
  readonly runId: string | undefined
}

const time = /"ts_unix_sec"\s*:\s*(\d{1,15})(?=\s*[,}\]])/
const interval = /"interval_sec"\s*:\s*(\d{1,9}(?:\.\d{1,9})?)(?=\s*[,}\]])/
const run = /"run_id"\s*:\s*(?:"([^"\\]{1,200})"|(\d{1,20}))(?=\s*[,}\]])/

/** `beginning` is the beginning of a line, or all of it. Undefined if it has no time. */
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

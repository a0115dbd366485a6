/** The line that a terminal shows during a run. */
import { Duration } from "effect"
import * as DurationText from "../domain/DurationText.ts"
import * as Size from "../domain/Size.ts"
import { escapeControls } from "./Text.ts"

export interface Amount {
  readonly files: number
  readonly bytes: number
}

export interface Progress {
  readonly done: Amount
  /** The selected files that have been counted so far. */
  readonly total: Amount
  /** Whether `total` is complete. */
  readonly counted: boolean
  /** In bytes per second; undefined if the store has acknowledged nothing recently. */
  readonly rate: number | undefined
  /** Why a request was last retried. */
  readonly lastRetry: string | undefined
}

/** Leaves room for the other fields on a terminal with 80 columns. */
const barWidth = 10

/** A narrower terminal has room only for the numbers. */
const leastColumnsForBar = 60

/** A longer time is not shown, because the rate will change. */
const longestTimeLeft = Duration.hours(99)

/** Each file counts as one byte more than its size, so that empty files count as progress. */
const weight = ({ bytes, files }: Amount) => bytes + files

/**
 * Renders, for example, `25 % [##--------] 6 of 24 files, 1.2 MB of 4.8 MB, 0.6 MB/s, 6.0 s left`, cut to the
 * terminal's width. On a narrow terminal, the rate and the time left come first. If the store acknowledges nothing, `stalled` or `retrying: …` replaces the rate.
 */
export const render = ({ counted, done, lastRetry, rate, total }: Progress, columns: number): string => {
  const share = Math.min(1, weight(done) / Math.max(1, weight(total)))
  const filled = Math.floor(share * barWidth)
  const isNarrow = columns < leastColumnsForBar
  const bar = isNarrow ? "" : `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}] `
  const amounts = [
    `${done.files} of ${total.files}${counted ? "" : "+"} files`,
    `${Size.format(done.bytes)} of ${Size.format(total.bytes)}`
  ]
  const pace =
    rate === undefined
      ? [lastRetry === undefined ? "stalled" : `retrying: ${escapeControls(lastRetry)}`]
      : [`${Size.format(Math.round(rate))}/s`, ...(counted ? timeLeft(total.bytes - done.bytes, rate) : [])]
  const start = counted ? `${Math.floor(share * 100)} % ${bar}` : ""
  // what is cut off says the least
  return `${start}${(isNarrow ? [...pace, ...amounts] : [...amounts, ...pace]).join(", ")}`.slice(0, columns - 1)
}

const timeLeft = (bytes: number, rate: number): ReadonlyArray<string> => {
  if (rate < 1) return []
  const left = Duration.seconds(Math.max(0, bytes) / rate)
  return Duration.greaterThan(left, longestTimeLeft) ? [] : [`${DurationText.format(left)} left`]
}

/** The number of bytes that had been stored at one moment. */
export interface Sample {
  readonly atMillis: number
  readonly done: Amount
}

/** The period over which the rate is measured. */
export const windowMillis = 10_000

/** Bytes per second since the first of these samples; undefined if the amount has not grown since then. */
export const rateOf = (samples: ReadonlyArray<Sample>): number | undefined => {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined) return undefined
  const elapsed = last.atMillis - first.atMillis
  if (elapsed >= stalledMillis && weight(last.done) === weight(first.done)) return undefined
  return ((last.done.bytes - first.done.bytes) * 1000) / Math.max(1, elapsed)
}

/** After this long without progress, the line says that the run has stalled. */
const stalledMillis = 5000

/** The line that a terminal shows during a run. */
import { Duration } from "effect"
import * as DurationText from "../domain/DurationText.ts"
import * as Size from "../domain/Size.ts"

export interface Amount {
  readonly files: number
  readonly bytes: number
}

export interface Progress {
  readonly done: Amount
  /** The selected files that were counted so far. */
  readonly total: Amount
  /** Whether `total` is complete. */
  readonly counted: boolean
  readonly elapsedMillis: number
}

/** Leaves room for the other fields on a terminal with 80 columns. */
const barWidth = 10

/** For example `[##--------] 6 of 24 files, 1.2 MB of 4.8 MB, 0.6 MB/s, 6.0 s left`, cut to the terminal's width. */
export const render = ({ counted, done, elapsedMillis, total }: Progress, columns: number): string => {
  // each file counts as one more byte than its size, so that empty files advance the bar, too
  const share = Math.min(1, (done.bytes + done.files) / Math.max(1, total.bytes + total.files))
  const filled = counted ? Math.floor(share * barWidth) : 0
  const rate = done.bytes / Math.max(1, elapsedMillis)
  const left = share > 0 ? (elapsedMillis * (1 - share)) / share : undefined
  return [
    `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}] ${done.files} of ${total.files}${counted ? "" : "+"} files`,
    `${Size.format(done.bytes)} of ${Size.format(total.bytes)}`,
    `${Size.format(Math.round(rate * 1000))}/s`,
    ...(counted && left !== undefined ? [`${DurationText.format(Duration.millis(left))} left`] : [])
  ]
    .join(", ")
    .slice(0, columns - 1)
}

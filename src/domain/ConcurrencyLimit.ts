/** How many requests may be in flight at once, judged by how those before them ended. */

/** What a run begins with, and what it never exceeds. */
export interface Range {
  readonly initial: number
  readonly max: number
  /** Bytes of a body for which a request counts as one more. */
  readonly unitBytes: number
}

/**
 * Begins with what no store minds, and 4 MiB on their way, which a line of 1 Mbit/s takes in half of the usual time-out;
 * ends at what a program of one thread can keep up with at 200 ms an answer.
 */
export const auto: Range = { initial: 128, max: 512, unitBytes: 32 * 1024 }

export const upTo = (count: number): Range => ({ initial: count, max: count, unitBytes: Infinity })

/** As how many requests one with a body of so many bytes counts. */
export const weight = ({ unitBytes }: Range, bodyBytes: number): number => 1 + Math.floor(bodyBytes / unitBytes)

/**
 * How many files are in hand at once: `count` times `size`, those of a bundle together. More than there are requests, so
 * that one file is read while another is sent; with few requests, no more than those.
 */
export const batches = ({ max: most }: Range): { readonly count: number; readonly size: number } => {
  const size = Math.min(64, Math.floor(most / 8))
  return size < 2 ? { count: most, size: 1 } : { count: Math.ceil((1.5 * most) / size), size }
}

export interface ConcurrencyLimit {
  /** Not a whole number: after a cut, it takes as many successes as it has to grow by one. */
  readonly limit: number
  /** Times that it was cut. */
  readonly cuts: number
  /** While it still doubles. */
  readonly round: Round | undefined
}

/** As many successes as may be in flight. */
interface Round {
  readonly completed: number
  /** In milliseconds of any clock. */
  readonly startedAt: number
  /** Successes per millisecond that it must bring to have been worth it. */
  readonly minRate: number
}

export const start = ({ initial, max: most }: Range, atMillis: number): ConcurrencyLimit => ({
  limit: initial,
  cuts: 0,
  round: initial < most ? { completed: 0, startedAt: atMillis, minRate: 0 } : undefined
})

/** More in flight should bring more in proportion; where it brings less than a quarter of that, something else is the limit. */
const minRateAfter = (rate: number, growth: number) => rate * (1 + (growth - 1) / 4)

/** How a request ended well. */
export interface Success {
  readonly weight: number
  /** In milliseconds of the clock that `begin` was told of. */
  readonly atMillis: number
  /** Whether this program has had hardly a moment to wait since it was asked last. */
  readonly isBusy: () => boolean
}

/**
 * Additive increase and multiplicative decrease, after a slow start, as TCP does it (RFC 5681); but what does not bring
 * more is not done, for whoever waits in a queue only costs memory.
 *
 * | a request                                                         | the limit                          |
 * | ----------------------------------------------------------------- | ---------------------------------- |
 * | ended well, and its round, in which this program could have done more | twice as much                  |
 * | the same, but the program was busy                                | as it is, for one more round       |
 * | the same, but the round brought no more than the one before       | what it was before, for good       |
 * | ended well, after a cut                                           | one more with every round          |
 * | met an overloaded store or line                                   | half, at least one                 |
 * | the same, but it had begun before the last cut                    | as it is: one jam is answered once |
 */
export const afterSuccess = (
  now: ConcurrencyLimit,
  { initial, max: most }: Range,
  success: Success
): ConcurrencyLimit => {
  const { cuts, limit, round } = now
  const { atMillis, isBusy, weight } = success
  if (round === undefined) return cuts === 0 ? now : { ...now, limit: Math.min(most, limit + weight / limit) }
  const done = round.completed + weight
  if (done < limit) return { ...now, round: { ...round, completed: done } }
  const rate = done / Math.max(1, atMillis - round.startedAt)
  // in the first round it is busy in any case: its code is still being compiled
  if (isBusy() && round.minRate > 0) return { ...now, round: { ...round, completed: 0, startedAt: atMillis } }
  if (rate < round.minRate) return { cuts, limit: Math.max(initial, limit / 2), round: undefined }
  const wider = Math.min(most, 2 * limit)
  if (wider === limit) return { ...now, round: undefined }
  return {
    cuts,
    limit: wider,
    round: { completed: 0, startedAt: atMillis, minRate: minRateAfter(rate, wider / limit) }
  }
}

export const afterOverload = (now: ConcurrencyLimit, cutsWhenItBegan: number): ConcurrencyLimit =>
  cutsWhenItBegan < now.cuts ? now : { cuts: now.cuts + 1, limit: Math.max(1, now.limit / 2), round: undefined }

/** In whole requests. */
export const maxInFlight = ({ limit }: ConcurrencyLimit): number => Math.floor(limit)

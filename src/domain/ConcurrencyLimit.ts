/** How many requests may be in flight at once, learned from the results of earlier requests. */

export interface Range {
  readonly initial: number
  readonly max: number
  /** A request counts as one more for each `unitBytes` of its body. */
  readonly unitBytes: number
}

/**
 * 128 requests are no problem for any store, and their 4 MiB take a 1 Mbit/s link half of the default timeout. 512 is what
 * a single-threaded program can keep up with at 200 ms per answer.
 */
export const auto: Range = { initial: 128, max: 512, unitBytes: 32 * 1024 }

export const upTo = (count: number): Range => ({ initial: count, max: count, unitBytes: Infinity })

/** The number of requests that a request with this body counts as. */
export const weight = ({ unitBytes }: Range, bodyBytes: number): number => 1 + Math.floor(bodyBytes / unitBytes)

/**
 * How many files are in progress at once: `count` batches of `size`. These are more files than requests, so that the
 * program reads one file while it sends another. With few requests, there are as many files as requests.
 */
export const batches = ({ max }: Range): { readonly count: number; readonly size: number } => {
  const size = Math.min(64, Math.floor(max / 8))
  return size < 2 ? { count: max, size: 1 } : { count: Math.ceil((1.5 * max) / size), size }
}

export interface ConcurrencyLimit {
  /** Not an integer: after a cut, `limit` successes raise it by one. */
  readonly limit: number
  /** How often it was cut. */
  readonly cuts: number
  /** Defined as long as the limit doubles. */
  readonly round: Round | undefined
}

/** `limit` successes. */
interface Round {
  readonly completed: number
  /** Milliseconds of any clock. */
  readonly startedAt: number
  /** Successes per millisecond that make the last doubling worthwhile. */
  readonly minRate: number
}

export const start = ({ initial, max }: Range, atMillis: number): ConcurrencyLimit => ({
  limit: initial,
  cuts: 0,
  round: initial < max ? { completed: 0, startedAt: atMillis, minRate: 0 } : undefined
})

/** The rate should grow with the limit. If it grows by less than a quarter of that, the bottleneck is elsewhere. */
const minRateAfter = (rate: number, growth: number) => rate * (1 + (growth - 1) / 4)

export interface Success {
  readonly weight: number
  /** Milliseconds of the clock that `start` was given. */
  readonly atMillis: number
  /** Whether this program was almost never idle since the last call. */
  readonly isBusy: () => boolean
}

/**
 * Additive increase and multiplicative decrease after a slow start, as in TCP (RFC 5681). Unlike TCP, it takes a doubling
 * back that brings no higher rate, because a longer queue only costs memory.
 *
 * | a request                                                    | the limit                             |
 * | ------------------------------------------------------------ | ------------------------------------- |
 * | succeeds and completes a round                               | doubles                               |
 * | the same, but the program was busy                           | stays for one more round              |
 * | the same, but the round was hardly faster than the last one  | goes back to the last one, for good   |
 * | succeeds after a cut                                         | grows by one per round                |
 * | meets an overloaded store or network                         | halves, but stays at least one        |
 * | the same, but started before the last cut                    | stays: one overload is one cut        |
 */
export const afterSuccess = (now: ConcurrencyLimit, { initial, max }: Range, success: Success): ConcurrencyLimit => {
  const { cuts, limit, round } = now
  const { atMillis } = success
  if (round === undefined) return cuts === 0 ? now : { ...now, limit: Math.min(max, limit + success.weight / limit) }
  const completed = round.completed + success.weight
  if (completed < limit) return { ...now, round: { ...round, completed } }
  const rate = completed / Math.max(1, atMillis - round.startedAt)
  // in the first round the program is always busy, because its code is still being compiled
  if (success.isBusy() && round.minRate > 0) return { ...now, round: { ...round, completed: 0, startedAt: atMillis } }
  if (rate < round.minRate) return { cuts, limit: Math.max(initial, limit / 2), round: undefined }
  const doubled = Math.min(max, 2 * limit)
  if (doubled === limit) return { ...now, round: undefined }
  const minRate = minRateAfter(rate, doubled / limit)
  return { cuts, limit: doubled, round: { completed: 0, startedAt: atMillis, minRate } }
}

/** `cutsAtStart`: the number of cuts when the request started. */
export const afterOverload = (now: ConcurrencyLimit, cutsAtStart: number): ConcurrencyLimit =>
  cutsAtStart < now.cuts ? now : { cuts: now.cuts + 1, limit: Math.max(1, now.limit / 2), round: undefined }

/** The limit in whole requests. */
export const maxInFlight = ({ limit }: ConcurrencyLimit): number => Math.floor(limit)

/** How many requests may be in flight at once, learned from the results of earlier requests. */

export interface Range {
  readonly initial: number
  readonly max: number
  /** A request weighs 1, plus 1 for each `unitBytes` of its body. */
  readonly unitBytes: number
}

/**
 * Any store can handle 128 requests; their 4 MiB of bodies take about 34 s at 1 Mbit/s, half of the default timeout. A
 * single-threaded program can keep up with 512 at 200 ms per response.
 */
export const auto: Range = { initial: 128, max: 512, unitBytes: 32 * 1024 }

export const upTo = (count: number): Range => ({ initial: count, max: count, unitBytes: Infinity })

/** The range, with at most `count` requests at once. */
export const atMost = ({ initial, max, unitBytes }: Range, count: number): Range => ({
  initial: Math.min(initial, count),
  max: Math.min(max, count),
  unitBytes
})

/** The weight of a request with this body. */
export const weight = ({ unitBytes }: Range, bodyBytes: number): number => 1 + Math.floor(bodyBytes / unitBytes)

/**
 * The number of files in progress at once: `count` batches of `size` files. More files than requests are in progress,
 * so that the program reads one file while it sends another. If few requests are allowed, both numbers are equal.
 */
export const batches = ({ max }: Range): { readonly count: number; readonly size: number } => {
  const size = Math.min(64, Math.floor(max / 8))
  return size < 2 ? { count: max, size: 1 } : { count: Math.ceil((1.5 * max) / size), size }
}

export interface ConcurrencyLimit {
  /** The current limit. It may be a fraction, because after a cut, `limit` successes raise it by one. */
  readonly limit: number
  /** How often the limit was cut. */
  readonly cuts: number
  /** The current round; undefined once the limit no longer doubles. */
  readonly round: Round | undefined
}

/** A series of `limit` successes. */
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

/**
 * The rate should grow by the same factor as the limit. If it grows by less than a quarter of that, the bottleneck is
 * elsewhere.
 */
const minRateAfter = (rate: number, growth: number) => rate * (1 + (growth - 1) / 4)

export interface Success {
  readonly weight: number
  /** Milliseconds of the same clock as `start`. */
  readonly atMillis: number
  /** Whether this program has been busy nearly all the time since the last call. */
  readonly isBusy: () => boolean
}

/**
 * Additive increase and multiplicative decrease after a slow start, as in TCP (RFC 5681). Unlike TCP, it undoes a doubling
 * that did not raise the rate, because a longer queue only costs memory.
 *
 * | a request                                                    | the limit                             |
 * | ------------------------------------------------------------ | ------------------------------------- |
 * | succeeds and completes a round                               | doubles                               |
 * | completes a round, but the program was busy                  | stays for one more round              |
 * | completes a round hardly faster than the previous one        | is halved, and never doubles again    |
 * | succeeds after a cut                                         | grows by one per round                |
 * | fails because of overload                                    | is halved, but stays at least one     |
 * | fails because of overload, but started before the last cut   | stays: one overload causes one cut    |
 */
export const afterSuccess = (now: ConcurrencyLimit, { initial, max }: Range, success: Success): ConcurrencyLimit => {
  const { cuts, limit, round } = now
  const { atMillis } = success
  if (round === undefined) return cuts === 0 ? now : { ...now, limit: Math.min(max, limit + success.weight / limit) }
  const completed = round.completed + success.weight
  if (completed < limit) return { ...now, round: { ...round, completed } }
  const rate = completed / Math.max(1, atMillis - round.startedAt)
  // ignored in the first round, when the program is always busy because its code is still being compiled
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

/** How many requests may be in flight at once, judged by how those before them ended. */

/** What a run begins with, and what it never exceeds. */
export interface Range {
  readonly initial: number
  readonly most: number
}

/** Begins low, because neither the store nor the line is known yet, and doubles with every round. */
export const auto: Range = { initial: 8, most: 64 }

export const upTo = (count: number): Range => ({ initial: count, most: count })

/**
 * How many files are in hand at once: `count` times `size`, those of a bundle together. Twice as many as there are requests,
 * so that one file is read while another is sent; with few requests, no more than those.
 */
export const bundles = ({ most }: Range): { readonly count: number; readonly size: number } => {
  const size = Math.min(32, Math.floor(most / 8))
  return size < 2 ? { count: most, size: 1 } : { count: Math.ceil((2 * most) / size), size }
}

export interface Concurrency {
  /** Not a whole number: after a cut, it takes as many successes as it has to grow by one. */
  readonly limit: number
  /** Times that it was cut. */
  readonly cuts: number
}

export const begin = ({ initial }: Range): Concurrency => ({ limit: initial, cuts: 0 })

/**
 * Additive increase and multiplicative decrease, after a slow start, as TCP does it (RFC 5681).
 *
 * | a request                                       | the limit                              |
 * | ----------------------------------------------- | -------------------------------------- |
 * | ended well, and it was never cut                | one more: doubles with every round     |
 * | ended well, after a cut                         | one more with every round              |
 * | met an overloaded store or line                 | half, at least one                     |
 * | the same, but it had begun before the last cut  | as it is: one jam is answered once     |
 */
export const grown = ({ cuts, limit }: Concurrency, { most }: Range): Concurrency => ({
  cuts,
  limit: Math.min(most, limit + (cuts === 0 ? 1 : 1 / limit))
})

export const cut = (now: Concurrency, cutsWhenItBegan: number): Concurrency =>
  cutsWhenItBegan < now.cuts ? now : { cuts: now.cuts + 1, limit: Math.max(1, now.limit / 2) }

/** In whole requests. */
export const requests = ({ limit }: Concurrency): number => Math.floor(limit)

/** What is measured: something that people do, at a size that tells programs apart. */
import type { NullStore } from "./NullStore.ts"
import type { Peer } from "./Peers.ts"

export const sizes = ["tiny", "usual", "large"] as const

/** `tiny` is for trying whether everything runs, `large` for seeing that memory does not grow. */
export type Size = (typeof sizes)[number]

export interface Bench {
  readonly store: NullStore
  /** Those that take part. */
  readonly peers: ReadonlyArray<Peer>
  readonly rounds: number
  /** A folder for all that is made. */
  readonly root: string
  readonly size: Size
  /** Another build of ours, which takes part too. */
  readonly other: string | undefined
}

/** A row of the README's table. */
export interface Verdict {
  readonly work: string
  readonly ours: string
  /** By program: what ours takes over what it takes, CPU and wall. */
  readonly ratios: Readonly<Record<string, string>>
  /** What else is to be told. */
  readonly besides?: string
}

export interface Workload {
  readonly name: string
  /** Measures, prints its table, and tells how it went. */
  readonly run: (bench: Bench) => Promise<ReadonlyArray<Verdict>>
}

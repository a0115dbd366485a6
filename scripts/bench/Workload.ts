/** What is measured: something that people do, at a size that tells programs apart. */
import type { Peer } from "./Peers.ts"
import type { NullStore } from "./NullStore.ts"

export interface Bench {
  readonly store: NullStore
  /** Those that take part. */
  readonly peers: ReadonlyArray<Peer>
  readonly rounds: number
  /** A folder for all that is made. */
  readonly root: string
  /** As many files, or as large ones, as are to be measured: `tiny` is for trying whether everything runs. */
  readonly size: "tiny" | "usual" | "large"
  /** Another build of ours, which takes part too. */
  readonly other: string | undefined
}

/** A line of the README's table. */
export interface Verdict {
  readonly work: string
  readonly ours: string
  /** CPU and wall of ours over those of that program, whatever its best setting for each is. */
  readonly ratios: Readonly<Record<string, string>>
}

export interface Workload {
  readonly name: string
  /** Measures, prints its tables, and tells how it went. */
  readonly run: (bench: Bench) => Promise<ReadonlyArray<Verdict>>
}

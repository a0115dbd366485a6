/** The workloads: realistic tasks, large enough to show differences between programs. */
import type { NullStore } from "./NullStore.ts"
import type { Peer } from "./Peers.ts"

export const sizes = ["tiny", "usual", "large"] as const

/** `tiny` only tests that everything runs; `large` shows whether memory grows with the load. */
export type Size = (typeof sizes)[number]

export interface Bench {
  readonly store: NullStore
  /** The programs to compare with. */
  readonly peers: ReadonlyArray<Peer>
  readonly rounds: number
  /** A folder for all generated files. */
  readonly root: string
  readonly size: Size
  /** The path of another build of ibsr-export to compare with. */
  readonly other: string | undefined
}

/** A row of the summary. */
export interface SummaryRow {
  readonly work: string
  readonly ours: string
  /** Our CPU and wall time divided by those of another program, by its name. */
  readonly ratios: Readonly<Record<string, string>>
  readonly notes?: string
}

export interface Workload {
  readonly name: string
  /** Measures, prints its table, and returns its rows of the summary. */
  readonly run: (bench: Bench) => Promise<ReadonlyArray<SummaryRow>>
}

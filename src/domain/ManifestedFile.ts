/** What the ledger knows about the files that a manifest describes. */
import type { State } from "./Snapshot.ts"

/** An object that the store has acknowledged, as a manifest describes it. Unknown values are null. */
export interface ManifestedObject {
  readonly key: string
  readonly generation: number
  readonly sizeBytes: number
  readonly objectBytes: number | null
  readonly sha256: string | null
  readonly state: State
  readonly etag: string | null
  readonly versionId: string | null
  /** Milliseconds since 1970. */
  readonly storedAt: number
  readonly lines: number | null
  /** Seconds since 1970. */
  readonly firstTime: number | null
  readonly lastTime: number | null
  readonly intervalSeconds: number | null
  readonly collectorRun: string | null
}

/** A file with all of its objects. Objects under former keys come first. */
export interface ManifestedFile {
  /** Relative to the input. */
  readonly path: string
  /** In milliseconds since 1970; null if the file is not pending. */
  readonly pendingSince: number | null
  readonly fate: "gone" | "lost" | null
  readonly objects: ReadonlyArray<ManifestedObject>
}

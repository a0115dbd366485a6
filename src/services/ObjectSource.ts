import { Context, type Effect } from "effect"
import type { ConfigError, InputUnusable, SourceUnreadable, StoreError } from "../domain/Errors.ts"

export interface FoundObject {
  /** The path relative to the directory or prefix that is verified, `/`-separated. */
  readonly name: string
  readonly sizeBytes: number
}

export type SourceError = ConfigError | InputUnusable | SourceUnreadable | StoreError

/** The source of the objects that `verify` reads: a directory, or a prefix of a bucket. */
export class ObjectSource extends Context.Tag("ibsr-export/ObjectSource")<
  ObjectSource,
  {
    /** All objects, in any order. */
    readonly list: Effect.Effect<ReadonlyArray<FoundObject>, SourceError>
    /**
     * Yields the bytes of an object in pieces. A piece is valid until the next one is requested. Throws a
     * `SourceError`.
     */
    readonly read: (name: string) => AsyncIterable<Uint8Array>
    /** The number of objects to read at the same time. */
    readonly concurrency: number
  }
>() {}

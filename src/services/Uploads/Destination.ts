/** Chooses the object for a file, so that no object is ever overwritten by content that does not contain it. */
import { type Context, Effect } from "effect"
import * as Compression from "../../domain/Compression.ts"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import { ObjectExists, type SourceUnreadable, type StateUnusable } from "../../domain/Errors.ts"
import type { ObjectKey } from "../../domain/ObjectKey.ts"
import * as Selection from "../../domain/Selection.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import type { KeyMapping } from "../KeyMapping.ts"
import type { KnownFile, OpenLedger } from "../Ledger.ts"

export interface Destination {
  readonly key: ObjectKey
  readonly generation: number
  readonly compression: Compression.Mode
  /** What the content must begin with. */
  readonly former: ContentDigest | undefined
  /** What the ledger knew about the file. */
  readonly before: KnownFile | undefined
  /** The key is a new one: the older object keeps the former content, with which the file no longer begins. */
  readonly replaces: boolean
}

export type Policy = Pick<Settings, "appendOnly" | "onReplace">

/**
 * | the file was sent before   | and is append-only | `--on-replace`    | generation   | must begin with      |
 * | -------------------------- | ------------------ | ----------------- | ------------ | -------------------- |
 * | no                         |                    |                   | first free   | anything             |
 * | yes                        | no                 |                   | same         | anything             |
 * | yes                        | yes                | overwrite         | same         | anything             |
 * | yes                        | yes                | new-key, or fail  | same         | what was sent before |
 * | yes, but begins otherwise  | yes                | new-key           | next free    | anything             |
 * | yes, but begins otherwise  | yes                | fail              | fails        |                      |
 */
export const make = (keys: Context.Tag.Service<KeyMapping>, { appendOnly, onReplace }: Policy) => {
  const isAppendOnly = Selection.matcher(appendOnly)
  const suffixOf = (file: SourceFile) => Compression.keySuffixes[keys.compressionOf(file)]

  type Rest = Pick<Destination, "former" | "before" | "replaces">
  const destinationOf = (file: SourceFile, generation: number, rest: Rest) =>
    Effect.map(keys.keyOf(file, generation), (key): Destination => ({
      key,
      generation,
      compression: keys.compressionOf(file),
      ...rest
    }))
  /** Reserves the first free generation from `least` on. */
  const reserve = (ledger: OpenLedger, file: SourceFile, least: number, rest: Rest) =>
    Effect.flatMap(ledger.reserveGeneration(file.relativePath, least, suffixOf(file)), (free) =>
      destinationOf(file, free, rest)
    )

  return {
    /** From the ledger's knowledge alone, without reading the file. */
    choose: (ledger: OpenLedger, file: SourceFile, before: KnownFile | undefined) => {
      const mayOnlyGrow = onReplace !== "overwrite" && isAppendOnly(file.relativePath)
      const rest = { before, former: mayOnlyGrow ? before?.content : undefined, replaces: false }
      // a file that was stored uncompressed has no key yet for its compressed object
      return before === undefined || suffixOf(file) !== ""
        ? reserve(ledger, file, before?.generation ?? 1, rest)
        : destinationOf(file, before.generation, rest)
    },
    /** For a file that turned out not to begin with its former content. */
    afterReplacement: (
      ledger: OpenLedger,
      file: SourceFile,
      { before, generation, key }: Destination,
      cause: SourceUnreadable
    ): Effect.Effect<Destination, ObjectExists | SourceUnreadable | StateUnusable> =>
      onReplace === "fail"
        ? Effect.fail(notOverwritten(key, cause))
        : reserve(ledger, file, generation + 1, { before, former: undefined, replaces: true })
  }
}

const notOverwritten = (key: ObjectKey, cause: SourceUnreadable) =>
  new ObjectExists({
    operation: "PutObject",
    detail: `not overwritten, because ${cause.message}`,
    retryable: false,
    advice: `--on-replace new-key stores the new content beside ${key}`,
    cause
  })

/** Which object a file's content goes to, so that no object is ever overwritten by content that does not contain it. */
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
  /** What the content has to begin with. */
  readonly former: ContentDigest | undefined
  /** What was known of the file. */
  readonly before: KnownFile | undefined
  /** An older object stays where it is, because the file no longer begins with it. */
  readonly replaces: boolean
}

export type Policy = Pick<Settings, "appendOnly" | "onReplace">

/**
 * | the file was sent before | and is append-only | `--on-replace`    | generation   | must begin with      |
 * | ------------------------ | ------------------ | ----------------- | ------------ | -------------------- |
 * | no                       |                    |                   | first free   | anything             |
 * | yes                      | no                 |                   | same         | anything             |
 * | yes                      | yes                | overwrite         | same         | anything             |
 * | yes                      | yes                | new-key, or fail  | same         | what was sent before |
 * | and does not begin so    | yes                | new-key           | next free    | anything             |
 * | and does not begin so    | yes                | fail              | fails        |                      |
 */
export const make = (keys: Context.Tag.Service<KeyMapping>, { appendOnly, onReplace }: Policy) => {
  const onlyGrows = Selection.matcher(appendOnly)

  const course = (file: SourceFile, generation: number, more: Pick<Destination, "former" | "before" | "replaces">) =>
    Effect.map(keys.keyOf(file, generation), (key): Destination => ({
      key,
      generation,
      compression: keys.compressionOf(file),
      ...more
    }))
  const endingOf = (file: SourceFile) => Compression.keySuffixes[keys.compressionOf(file)]

  return {
    /** From what is known of the file alone. */
    choose: (ledger: OpenLedger, file: SourceFile, before: KnownFile | undefined) => {
      const bound = onReplace !== "overwrite" && onlyGrows(file.relativePath)
      const more = { before, former: bound ? before?.content : undefined, replaces: false }
      // what was stored in another form has, for this one, no key yet
      return before === undefined || endingOf(file) !== ""
        ? Effect.flatMap(ledger.reserveGeneration(file.relativePath, before?.generation ?? 1, endingOf(file)), (free) =>
            course(file, free, more)
          )
        : course(file, before.generation, more)
    },
    /** When the file turned out not to begin with what it should. */
    afterReplacement: (
      ledger: OpenLedger,
      file: SourceFile,
      { before, generation, key }: Destination,
      cause: SourceUnreadable
    ): Effect.Effect<Destination, ObjectExists | SourceUnreadable | StateUnusable> =>
      onReplace === "fail"
        ? Effect.fail(taken(key, cause))
        : Effect.flatMap(ledger.reserveGeneration(file.relativePath, generation + 1, endingOf(file)), (next) =>
            course(file, next, { before, former: undefined, replaces: true })
          )
  }
}

const taken = (key: ObjectKey, cause: SourceUnreadable) =>
  new ObjectExists({
    operation: "PutObject",
    detail: `not overwritten, because ${cause.message}`,
    retryable: false,
    advice: `--on-replace new-key stores the new content beside ${key}`,
    cause
  })

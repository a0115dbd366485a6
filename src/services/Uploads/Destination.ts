/**
 * Chooses the object that a file is stored in. Protects the stored content of append-only files, except with
 * `--on-replace overwrite`.
 */
import { type Context, Effect } from "effect"
import * as Compression from "../../domain/Compression.ts"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import {
  type FileError,
  type Interrupted,
  ObjectExists,
  type SourceUnreadable,
  type StateUnusable
} from "../../domain/Errors.ts"
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
  /** The content must begin with this. */
  readonly former: ContentDigest | undefined
  /** The ledger's knowledge of the file before this upload. */
  readonly before: KnownFile | undefined
  /** Whether the key is new. The older object keeps the previous content. */
  readonly replaces: boolean
}

export type Policy = Pick<Settings, "appendOnly" | "force" | "noOverwrite" | "onReplace">

/**
 * | the file was sent before       | append-only | `--no-overwrite` | `--on-replace`   | generation | must begin with      |
 * | ------------------------------ | ----------- | ---------------- | ---------------- | ---------- | -------------------- |
 * | no                             |             |                  |                  | first free | anything             |
 * | yes                            | no          | no               |                  | same       | anything             |
 * | yes                            | yes         | no               | overwrite        | same       | anything             |
 * | yes                            | yes         | no               | new-key, or fail | same       | the previous content |
 * | yes, but its beginning changed | yes         |                  | new-key          | next free  | anything             |
 * | yes, but its beginning changed | yes         |                  | fail             | fails      |                      |
 * | yes, and was acknowledged      |             | yes              | not fail         | next free  | anything             |
 * | yes, and was acknowledged      |             | yes              | fail             | fails      |                      |
 * | yes, from another input        |             | no               | new-key, or fail | same       | the previous content |
 * | yes, and may be another's      |             |                  | new-key          | next free  | anything             |
 * | yes, and may be another's      |             |                  | fail             | fails      |                      |
 * | yes, response lost             |             | yes              |                  | same       | as without the flag  |
 * | yes, response lost, key taken  |             | yes              | not fail         | next free  | anything             |
 *
 * `--force` sends an acknowledged file to the same key even with `--no-overwrite`: the bucket may have lost the object.
 */
export const make = (keys: Context.Tag.Service<KeyMapping>, { appendOnly, force, noOverwrite, onReplace }: Policy) => {
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
      destinationOf(file, free, { ...rest, replaces: rest.replaces || free > least })
    )

  /** Returns the next destination for a file whose object must not change. `cause` is the reason. */
  const instead = (
    ledger: OpenLedger,
    file: SourceFile,
    { before, generation, key }: Destination,
    cause: Error
  ): Effect.Effect<Destination, ObjectExists | SourceUnreadable | StateUnusable> =>
    onReplace === "fail"
      ? Effect.fail(notOverwritten(key, cause))
      : reserve(ledger, file, generation + 1, { before, former: undefined, replaces: true })

  return {
    /** Decides from the ledger alone, without reading the file. */
    choose: (ledger: OpenLedger, file: SourceFile, before: KnownFile | undefined) => {
      const mayOnlyGrow =
        onReplace !== "overwrite" && (before?.doubt === "other-input" || isAppendOnly(file.relativePath))
      const rest = { before, former: mayOnlyGrow ? before?.content : undefined, replaces: false }
      if (before?.doubt === "unknown-content" && onReplace !== "overwrite")
        return Effect.flatMap(destinationOf(file, before.generation, rest), (stored) =>
          instead(ledger, file, stored, new Error("the ledger may not know what is stored there"))
        )
      if (before?.acknowledged !== undefined && noOverwrite && !force)
        return Effect.flatMap(destinationOf(file, before.generation, rest), (stored) =>
          instead(ledger, file, stored, new Error("it has changed since it was stored"))
        )
      // a file that was stored uncompressed has not reserved the key of its compressed object yet
      return before === undefined || suffixOf(file) !== ""
        ? reserve(ledger, file, before?.generation ?? 1, rest)
        : destinationOf(file, before.generation, rest)
    },
    instead,
    /** Whether the store refused the key because an object exists that an earlier run may have stored. */
    isTakenByOurs: (error: FileError | Interrupted, { before }: Destination): boolean =>
      error._tag === "ObjectExists" &&
      before !== undefined &&
      before.acknowledged === undefined &&
      noOverwrite &&
      onReplace !== "fail"
  }
}

const notOverwritten = (key: ObjectKey, cause: Error) =>
  new ObjectExists({
    operation: "PutObject",
    detail: `not overwritten, because ${cause.message}`,
    retryable: false,
    advice: `--on-replace new-key stores the new content beside ${key}`,
    cause
  })

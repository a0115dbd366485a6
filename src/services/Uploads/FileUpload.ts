/** Handles one file, from opening it to its outcome. */
import { type Context, Effect } from "effect"
import { type ContentDigest, headLength } from "../../domain/ContentDigest.ts"
import type { FileError, Interrupted } from "../../domain/Errors.ts"
import type { ObjectKey } from "../../domain/ObjectKey.ts"
import * as Outcome from "../../domain/Outcome.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import type { KeyMapping } from "../KeyMapping.ts"
import type { KnownFile, OpenLedger } from "../Ledger.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import { isTruncated } from "../Source/OpenFile.ts"
import type { OpenSource, SourceReader } from "../Source/SourceReader.ts"
import * as Destination from "./Destination.ts"
import { defectAsFailure } from "./UploadOutcome.ts"

export type Options = Destination.Policy & Pick<Settings, "finalOnly">

/** Handles a file whose destination is known: uploads it, or plans the upload. */
export type Action = (
  ledger: OpenLedger,
  file: SourceFile,
  source: OpenSource,
  destination: Destination.Destination
) => Effect.Effect<Outcome.Outcome, FileError | Interrupted>

/** Never fails: a failure is an outcome. */
export type FileUpload = (ledger: OpenLedger, file: SourceFile) => Effect.Effect<Outcome.Outcome>

export const make = (
  options: Options,
  keys: Context.Tag.Service<KeyMapping>,
  reader: SourceReader,
  digest: typeof ContentHash.ofSource,
  action: Action
): FileUpload => {
  const destinations = Destination.make(keys, options)

  /**
   * Whether the store already has this content in this state. Hashes the file only if its size does not answer that.
   */
  const isStored = (source: OpenSource, known: KnownFile | undefined) =>
    known?.acknowledged === undefined ||
    options.force ||
    source.sizeBytes > known.content.sizeBytes ||
    // compares the size of the whole file, because the stored content may end in an incomplete line
    source.stat.size < known.content.sizeBytes ||
    (known.acknowledged === "live" && source.state === "final")
      ? Effect.succeed(false)
      : digest(source, { firstBytes: known.content.sizeBytes, former: known.content }).pipe(
          Effect.as(true),
          Effect.catchIf(ContentHash.isReplaced, () => Effect.succeed(false))
        )

  /** Compares the first bytes, which detects most replaced files before anything is sent. */
  const checkHead = (source: OpenSource, former: ContentDigest | undefined) =>
    former === undefined
      ? Effect.void
      : Effect.flatMap(digest(source, { firstBytes: headLength(former.sizeBytes) }), ({ head }) =>
          head === former.head && source.sizeBytes >= former.sizeBytes
            ? Effect.void
            : Effect.fail(ContentHash.replacedFailure(source.path, former))
        )

  return (ledger, file) => {
    const { relativePath } = file
    const nothingToStore = (outcome: Outcome.Outcome) => Effect.as(ledger.clearPending(relativePath), outcome)
    let key: ObjectKey | undefined

    const upload = Effect.fnUntraced(function* (source: OpenSource, known: KnownFile | undefined) {
      if (options.finalOnly && source.state === "live") return Outcome.Outcome.Live()
      if (yield* isStored(source, known)) {
        yield* ledger.confirmUnchanged(relativePath, source.stat)
        return Outcome.Outcome.Unchanged()
      }
      const destination = yield* destinations.choose(ledger, file, known)
      key = destination.key
      const done = Effect.zipRight(checkHead(source, destination.former), action(ledger, file, source, destination))
      const mustStay = (error: FileError | Interrupted) =>
        ContentHash.isReplaced(error) || destinations.isTakenByOurs(error, destination)
      return yield* Effect.catchIf(done, mustStay, (cause) =>
        Effect.flatMap(destinations.instead(ledger, file, destination, cause), (next) => {
          key = next.key
          return action(ledger, file, source, next)
        })
      )
    })
    return keys.keyOf(file, 1).pipe(
      Effect.flatMap((first) => Effect.tap(ledger.markPending(relativePath), () => Effect.sync(() => (key = first)))),
      Effect.flatMap((known) => reader.use(file, (source) => upload(source, known))),
      // opens the file again, because it may be complete then
      Effect.retry({ times: 2, while: isTruncated }),
      Effect.catchTags({
        Vanished: () => nothingToStore(Outcome.Outcome.Vanished()),
        NotReady: () => nothingToStore(Outcome.Outcome.NotReady()),
        NotRegular: ({ why }) => nothingToStore(Outcome.Outcome.Skipped({ why }))
      }),
      defectAsFailure,
      Effect.catchAll((error) => Effect.succeed(Outcome.fromError(file, error, key)))
    )
  }
}

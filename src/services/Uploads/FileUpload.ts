/** One file, from its opening to its outcome. */
import { type Context, Effect } from "effect"
import { type ContentDigest, headLength } from "../../domain/ContentDigest.ts"
import { type FileError, InternalError, type Interrupted } from "../../domain/Errors.ts"
import type { ObjectKey } from "../../domain/ObjectKey.ts"
import { Outcome } from "../../domain/Outcome.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import * as Destination from "./Destination.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import type { KeyMapping } from "../KeyMapping.ts"
import type { KnownFile, OpenLedger } from "../Ledger.ts"
import type * as Transfer from "./Transfer.ts"
import { isTruncated } from "../Source/OpenFile.ts"
import type * as SourceReader from "../Source/SourceReader.ts"

export type Options = Destination.Policy & Pick<Settings, "finalOnly" | "force">

/** What is done with a content whose destination is known. */
export type Destined = (
  ledger: OpenLedger,
  file: SourceFile,
  source: SourceReader.OpenSource,
  course: Destination.Destination
) => Effect.Effect<Outcome, FileError | Interrupted>

/** Never fails: what went wrong is an outcome like any other. */
export const make = (
  options: Options,
  keys: Context.Tag.Service<KeyMapping>,
  reader: ReturnType<typeof SourceReader.make>,
  digest: typeof Transfer.digestOf,
  destined: Destined
): ((ledger: OpenLedger, file: SourceFile) => Effect.Effect<Outcome>) => {
  const courses = Destination.make(keys, options)

  /** Whether the store has this content already, as what it is; its digest is taken only if it can be so. */
  const isStored = (source: SourceReader.OpenSource, known: KnownFile | undefined) =>
    known?.acknowledged === undefined ||
    options.force ||
    source.sizeBytes > known.content.sizeBytes ||
    // more than the whole lines, if it was final and ended in half of one
    source.stat.size < known.content.sizeBytes ||
    (known.acknowledged === "live" && source.state === "final")
      ? Effect.succeed(false)
      : digest(source, { firstBytes: known.content.sizeBytes, former: known.content }).pipe(
          Effect.as(true),
          Effect.catchIf(ContentHash.isReplaced, () => Effect.succeed(false))
        )

  /** Tells most replaced files before anything of them is sent. */
  const checkHead = (source: SourceReader.OpenSource, former: ContentDigest) =>
    Effect.flatMap(digest(source, { firstBytes: headLength(former.sizeBytes) }), ({ head }) =>
      head === former.head && source.sizeBytes >= former.sizeBytes
        ? Effect.void
        : Effect.fail(ContentHash.replacedFailure(source.path, former))
    )

  return (ledger, file) => {
    const { relativePath } = file
    const withdrawn = (outcome: Outcome) => Effect.as(ledger.clearPending(relativePath), outcome)
    let key: ObjectKey | undefined

    const settled = Effect.fnUntraced(function* (source: SourceReader.OpenSource, known: KnownFile | undefined) {
      if (options.finalOnly && source.state === "live") return Outcome.Live()
      if (yield* isStored(source, known)) {
        yield* ledger.confirmUnchanged(relativePath, source.stat)
        return Outcome.Unchanged()
      }
      const course = yield* courses.choose(ledger, file, known)
      key = course.key
      const sent =
        course.former === undefined
          ? destined(ledger, file, source, course)
          : Effect.zipRight(checkHead(source, course.former), destined(ledger, file, source, course))
      return yield* Effect.catchIf(sent, ContentHash.isReplaced, (cause) =>
        Effect.flatMap(courses.afterReplacement(ledger, file, course, cause), (anew) => {
          key = anew.key
          return destined(ledger, file, source, anew)
        })
      )
    })
    return keys.keyOf(file, 1).pipe(
      Effect.flatMap((first) => {
        key = first
        return ledger.markPending(relativePath)
      }),
      Effect.flatMap((known) => reader.use(file, (source) => settled(source, known))),
      // looked at anew, it is smaller and at rest
      Effect.retry({ times: 2, while: isTruncated }),
      Effect.catchTags({
        Vanished: () => withdrawn(Outcome.Vanished()),
        NotReady: () => withdrawn(Outcome.NotReady()),
        NotRegular: ({ why }) => withdrawn(Outcome.Skipped({ why }))
      }),
      Effect.catchTag("Interrupted", () => Effect.succeed(Outcome.Interrupted())),
      // a defect too, so that the other files still get their turn
      Effect.catchAllDefect((cause) => Effect.fail(new InternalError({ detail: String(cause), cause }))),
      Effect.catchAll((error) => Effect.succeed(Outcome.Failed({ relativePath, key, error })))
    )
  }
}

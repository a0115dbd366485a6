import { Context, Deferred, Effect, Layer } from "effect"
import * as Compression from "../domain/Compression.ts"
import { type Content, headLength } from "../domain/Content.ts"
import {
  type ConfigError,
  type FileError,
  InternalError,
  type Interrupted,
  type StateUnusable,
  type StoreError
} from "../domain/Errors.ts"
import type { Checksum, Learned } from "../domain/Learned.ts"
import type { ObjectKey } from "../domain/ObjectKey.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { Settings } from "../domain/Settings.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import * as UploadPlan from "../domain/UploadPlan.ts"
import * as Course from "./Course.ts"
import * as Digest from "./Digest.ts"
import { KeyMapping } from "./KeyMapping.ts"
import type { Known, OpenLedger } from "./Ledger.ts"
import * as Leftovers from "./Leftovers.ts"
import type { Told } from "./Reporter.ts"
import * as Sending from "./Sending.ts"
import * as SmallFiles from "./SmallFiles.ts"
import { isTruncated } from "./SourceBytes.ts"
import * as SourceReader from "./SourceReader.ts"
import * as UploadRecord from "./UploadRecord.ts"

/** Carries files to the store. */
export class Uploads extends Context.Tag("ibsr-export/Uploads")<
  Uploads,
  {
    /** Whether there is anybody to upload as, and where; sends nothing to the store. `checksum`: what it takes. */
    readonly ready: (checksum: Checksum) => Effect.Effect<void, StoreError | ConfigError | Interrupted>
    /** What the store has told of itself so far; undefined if it was not asked anything. */
    readonly learned: Effect.Effect<Learned | undefined>
    /** Stores what is new of one file. Never fails: what went wrong is an outcome like any other. */
    readonly upload: (ledger: OpenLedger, file: SourceFile) => Effect.Effect<Outcome>
    /** The same for many files; tells what became of each as soon as it is known. */
    readonly uploadAll: (
      ledger: OpenLedger,
      files: ReadonlyArray<SourceFile>,
      tell: (all: ReadonlyArray<Told>) => Effect.Effect<void>
    ) => Effect.Effect<void>
    /** Ends uploads in parts that no run will go on with. */
    readonly tidy: (ledger: OpenLedger) => Effect.Effect<void, StateUnusable>
  }
>() {
  static readonly layer = (options: Options) =>
    Layer.scoped(
      Uploads,
      Effect.gen(function* () {
        const sending = yield* Sending.make(options)
        const tidy = yield* Leftovers.make(options)

        const store: Destined = (ledger, file, source, course) => {
          const { before, compression, former, generation, key, replaces } = course
          const { relativePath } = file
          const { outside, sizeBytes, state, torn } = source
          return sending
            .send(
              source,
              { key, state },
              {
                compression,
                former,
                announced: (content) => ledger.attempting(relativePath, generation, content),
                refused: ledger.refused(relativePath, before),
                record: UploadRecord.of(ledger, relativePath, generation)
              }
            )
            .pipe(
              Effect.tap(({ content, stored }) =>
                ledger.acknowledged(relativePath, { ...stored, key, generation, content, state, outside })
              ),
              Effect.map(({ objectBytes }) =>
                Outcome.Uploaded({ relativePath, sizeBytes, objectBytes, torn, replaces: replaces ? key : undefined })
              )
            )
        }
        const { learned, ready } = sending
        const keys = yield* KeyMapping
        const reader = SourceReader.make(options)
        const upload = uploader(options, keys, reader, sending.digest, store)
        const small = options.force ? undefined : SmallFiles.make(options, keys, reader, sending)
        return {
          ready,
          learned,
          upload,
          uploadAll: allOf(upload, small),
          tidy: (ledger) => tidy(ledger, Effect.isSuccess(ready(ledger.checksum)))
        }
      })
    )

  /** Looks at the files, and sends nothing. */
  static readonly layerDryRun = (options: Options) =>
    Layer.effect(
      Uploads,
      Effect.map(KeyMapping, (keys) => {
        const plan: Destined = (_, { relativePath }, source, { compression, former, key }) => {
          const { sizeBytes } = source
          const begins = former === undefined ? Effect.void : Sending.digestOf(source, { former })
          const planned = (parts: number) =>
            Effect.as(begins, Outcome.Planned({ relativePath, key, sizeBytes, compression, parts }))
          const plan =
            compression === "none"
              ? UploadPlan.decide(sizeBytes, options)
              : Compression.decide(sizeBytes, compression, options)
          return plan._tag === "TooLarge"
            ? Effect.fail(Sending.tooLarge(sizeBytes, plan.neededMemoryBytes))
            : planned("parts" in plan ? plan.parts : 1)
        }
        const upload = uploader(options, keys, SourceReader.make(options), Sending.digestOf, plan)
        return { ...silent, upload, uploadAll: allOf(upload) }
      })
    )
}

/** Nobody is asked anything. */
const silent = {
  ready: () => Effect.void,
  learned: Effect.succeed(undefined),
  tidy: () => Effect.void
}

export type Options = Sending.Limits &
  Course.Policy &
  Pick<Settings, "input" | "followSymlinks" | "finalAfter" | "finalOnly" | "force">

/** What is done with a content whose destination is known. */
type Destined = (
  ledger: OpenLedger,
  file: SourceFile,
  source: SourceReader.OpenSource,
  course: Course.Course
) => Effect.Effect<Outcome, FileError | Interrupted>

/** One by one, at once, all that `storeSmall` leaves alone. */
const allOf =
  (upload: Context.Tag.Service<Uploads>["upload"], storeSmall?: SmallFiles.StoreSmall) =>
  (
    ledger: OpenLedger,
    files: ReadonlyArray<SourceFile>,
    tell: (all: ReadonlyArray<Told>) => Effect.Effect<void>
  ): Effect.Effect<void> => {
    const oneByOne = (some: ReadonlyArray<SourceFile>) =>
      Effect.forEach(some, (file) => Effect.flatMap(upload(ledger, file), (outcome) => tell([{ file, outcome }])), {
        concurrency: "unbounded",
        discard: true
      })
    if (storeSmall === undefined) return oneByOne(files)
    return Effect.flatMap(Deferred.make<ReadonlyArray<SourceFile>>(), (left) =>
      Effect.all(
        [
          storeSmall(ledger, files, tell, (some) => Deferred.succeed(left, some)),
          Effect.flatMap(Deferred.await(left), oneByOne)
        ],
        { concurrency: "unbounded", discard: true }
      )
    )
  }

/** One file, from its opening to its outcome. */
const uploader = (
  options: Options,
  keys: Context.Tag.Service<KeyMapping>,
  reader: ReturnType<typeof SourceReader.make>,
  digest: typeof Sending.digestOf,
  destined: Destined
): Context.Tag.Service<Uploads>["upload"] => {
  const courses = Course.make(keys, options)

  /** Whether the store has this content already, as what it is; its digest is taken only if it can be so. */
  const isStored = (source: SourceReader.OpenSource, known: Known | undefined) =>
    known?.acknowledged === undefined ||
    options.force ||
    source.sizeBytes > known.content.sizeBytes ||
    // more than the whole lines, if it was final and ended in half of one
    source.outside.size < known.content.sizeBytes ||
    (known.acknowledged === "live" && source.state === "final")
      ? Effect.succeed(false)
      : digest(source, { firstBytes: known.content.sizeBytes, former: known.content }).pipe(
          Effect.as(true),
          Effect.catchIf(Digest.isReplaced, () => Effect.succeed(false))
        )

  /** Tells most replaced files before anything of them is sent. */
  const checkHead = (source: SourceReader.OpenSource, former: Content) =>
    Effect.flatMap(digest(source, { firstBytes: headLength(former.sizeBytes) }), ({ head }) =>
      head === former.head && source.sizeBytes >= former.sizeBytes
        ? Effect.void
        : Effect.fail(Digest.replacedFailure(source.path, former))
    )

  return (ledger, file) => {
    const { relativePath } = file
    const withdrawn = (outcome: Outcome) => Effect.as(ledger.withdrawn(relativePath), outcome)
    let key: ObjectKey | undefined

    const settled = Effect.fnUntraced(function* (source: SourceReader.OpenSource, known: Known | undefined) {
      if (options.finalOnly && source.state === "live") return Outcome.Live()
      if (yield* isStored(source, known)) {
        yield* ledger.confirmed(relativePath, source.outside)
        return Outcome.Unchanged()
      }
      const course = yield* courses.plot(ledger, file, known)
      key = course.key
      const sent =
        course.former === undefined
          ? destined(ledger, file, source, course)
          : Effect.zipRight(checkHead(source, course.former), destined(ledger, file, source, course))
      return yield* Effect.catchIf(sent, Digest.isReplaced, (cause) =>
        Effect.flatMap(courses.anew(ledger, file, course, cause), (anew) => {
          key = anew.key
          return destined(ledger, file, source, anew)
        })
      )
    })
    return keys.keyOf(file, 1).pipe(
      Effect.flatMap((first) => {
        key = first
        return ledger.sighted(relativePath)
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

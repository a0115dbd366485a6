import { Context, Effect, Fiber, Layer } from "effect"
import * as Compression from "../domain/Compression.ts"
import type { ConfigError, Interrupted, StateUnusable, StoreError } from "../domain/Errors.ts"
import type { Checksum, StoreTraits } from "../domain/StoreTraits.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { Settings } from "../domain/Settings.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import * as UploadPlan from "../domain/UploadPlan.ts"
import { KeyMapping } from "./KeyMapping.ts"
import type { OpenLedger } from "./Ledger.ts"
import * as StaleUploads from "./Uploads/StaleUploads.ts"
import * as FileUpload from "./Uploads/FileUpload.ts"
import type { FileOutcome } from "./Reporter.ts"
import * as Transfer from "./Uploads/Transfer.ts"
import * as SmallFileBatch from "./Uploads/SmallFileBatch.ts"
import * as SourceReader from "./Source/SourceReader.ts"
import * as UploadRecord from "./Uploads/UploadRecord.ts"

/** Carries files to the store. */
export class Uploads extends Context.Tag("ibsr-export/Uploads")<
  Uploads,
  {
    /** Whether there is anybody to upload as, and where; sends nothing to the store. `checksum`: what it takes. */
    readonly ready: (checksum: Checksum) => Effect.Effect<void, StoreError | ConfigError | Interrupted>
    /** What the store has told of itself so far; undefined if it was not asked anything. */
    readonly traits: Effect.Effect<StoreTraits | undefined>
    /** Stores what is new of one file. Never fails: what went wrong is an outcome like any other. */
    readonly upload: (ledger: OpenLedger, file: SourceFile) => Effect.Effect<Outcome>
    /** The same for many files; tells what became of each as soon as it is known. */
    readonly uploadAll: (
      ledger: OpenLedger,
      files: ReadonlyArray<SourceFile>,
      tell: (all: ReadonlyArray<FileOutcome>) => Effect.Effect<void>
    ) => Effect.Effect<void>
    /** Ends uploads in parts that no run will go on with. */
    readonly tidy: (ledger: OpenLedger) => Effect.Effect<void, StateUnusable>
  }
>() {
  static readonly layer = (options: Options) =>
    Layer.scoped(
      Uploads,
      Effect.gen(function* () {
        const sending = yield* Transfer.make(options)
        const tidy = yield* StaleUploads.make(options)

        const store: FileUpload.Destined = (ledger, file, source, course) => {
          const { before, compression, former, generation, key, replaces } = course
          const { relativePath } = file
          const { stat, sizeBytes, state, torn } = source
          return sending
            .send(
              source,
              { key, state },
              {
                compression,
                former,
                announced: (content) => ledger.announce(relativePath, generation, content),
                refused: ledger.withdrawAnnouncement(relativePath, before),
                record: UploadRecord.of(ledger, relativePath, generation)
              }
            )
            .pipe(
              Effect.tap(({ content, stored }) =>
                ledger.acknowledge(relativePath, { ...stored, key, generation, content, state, stat })
              ),
              Effect.map(({ objectBytes }) =>
                Outcome.Uploaded({ relativePath, sizeBytes, objectBytes, torn, replaces: replaces ? key : undefined })
              )
            )
        }
        const { traits, ready } = sending
        const keys = yield* KeyMapping
        const reader = SourceReader.make(options)
        const upload = FileUpload.make(options, keys, reader, sending.digest, store)
        const small = options.force ? undefined : SmallFileBatch.make(options, keys, reader, sending)
        return {
          ready,
          traits,
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
        const plan: FileUpload.Destined = (_, { relativePath }, source, { compression, former, key }) => {
          const { sizeBytes } = source
          const begins = former === undefined ? Effect.void : Transfer.digestOf(source, { former })
          const planned = (parts: number) =>
            Effect.as(begins, Outcome.Planned({ relativePath, key, sizeBytes, compression, parts }))
          const plan =
            compression === "none"
              ? UploadPlan.decide(sizeBytes, options)
              : Compression.decide(sizeBytes, compression, options)
          return plan._tag === "TooLarge"
            ? Effect.fail(Transfer.tooLarge(sizeBytes, plan.neededMemoryBytes))
            : planned("parts" in plan ? plan.parts : 1)
        }
        const upload = FileUpload.make(options, keys, SourceReader.make(options), Transfer.digestOf, plan)
        return { ...silent, upload, uploadAll: allOf(upload) }
      })
    )
}

/** Nobody is asked anything. */
const silent = {
  ready: () => Effect.void,
  traits: Effect.succeed(undefined),
  tidy: () => Effect.void
}

export type Options = Transfer.Limits & FileUpload.Options & Pick<Settings, "input" | "followSymlinks" | "finalAfter">

/** One by one, at once, all that `storeSmall` leaves alone. */
const allOf =
  (upload: Context.Tag.Service<Uploads>["upload"], storeSmall?: SmallFileBatch.StoreSmall) =>
  (
    ledger: OpenLedger,
    files: ReadonlyArray<SourceFile>,
    tell: (all: ReadonlyArray<FileOutcome>) => Effect.Effect<void>
  ): Effect.Effect<void> => {
    const oneByOne = (some: ReadonlyArray<SourceFile>) =>
      Effect.forEach(some, (file) => Effect.flatMap(upload(ledger, file), (outcome) => tell([{ file, outcome }])), {
        concurrency: "unbounded",
        discard: true
      })
    if (storeSmall === undefined) return oneByOne(files)
    return Effect.suspend(() => {
      let others: Fiber.Fiber<void> = Fiber.void
      const leave = (some: ReadonlyArray<SourceFile>) =>
        some.length === 0 ? Effect.void : Effect.map(Effect.fork(oneByOne(some)), (fiber) => void (others = fiber))
      return Effect.zipRight(
        storeSmall(ledger, files, tell, leave),
        Effect.suspend(() => Fiber.join(others))
      ).pipe(Effect.onError(() => Fiber.interrupt(others)))
    })
  }

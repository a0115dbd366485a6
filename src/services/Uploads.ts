import { Context, Effect, Fiber, Layer } from "effect"
import * as Compression from "../domain/Compression.ts"
import type { FileError, Interrupted, StateUnusable } from "../domain/Errors.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { Settings } from "../domain/Settings.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import type { StoreTraits } from "../domain/StoreTraits.ts"
import * as UploadPlan from "../domain/UploadPlan.ts"
import { KeyMapping } from "./KeyMapping.ts"
import type { OpenLedger } from "./Ledger.ts"
import type { NewObject, StoredObject } from "./ObjectStore.ts"
import * as ContentHash from "./Source/ContentHash.ts"
import * as SourceReader from "./Source/SourceReader.ts"
import * as FileUpload from "./Uploads/FileUpload.ts"
import * as OverwriteProtection from "./Uploads/OverwriteProtection.ts"
import * as SmallFileBatch from "./Uploads/SmallFileBatch.ts"
import * as StaleUploads from "./Uploads/StaleUploads.ts"
import * as Transfer from "./Uploads/Transfer.ts"
import * as UploadOutcome from "./Uploads/UploadOutcome.ts"
import * as UploadRecord from "./Uploads/UploadRecord.ts"

/** Stores files in the bucket. */
export class Uploads extends Context.Tag("ibsr-export/Uploads")<
  Uploads,
  {
    /** Resolves credentials and region. With `--no-overwrite`, fails if the store ignores it. */
    readonly ready: (ledger: OpenLedger) => Effect.Effect<void, FileError | Interrupted>
    /** The store's traits, as shown by its responses so far; undefined before the first response. */
    readonly traits: Effect.Effect<StoreTraits | undefined>
    /** Uploads the files that changed, and reports each outcome as soon as it is known. A failure is an outcome. */
    readonly uploadAll: (
      ledger: OpenLedger,
      files: ReadonlyArray<SourceFile>,
      report: UploadOutcome.Report
    ) => Effect.Effect<void>
    /** Creates an object that is not made from a file, such as a manifest. Its failure does not end the run. */
    readonly createAside: (object: NewObject, body: Uint8Array) => Effect.Effect<StoredObject, FileError | Interrupted>
    /** Aborts multipart uploads that no run will resume. */
    readonly abortStale: (ledger: OpenLedger) => Effect.Effect<void, StateUnusable>
  }
>() {
  static readonly layer = (options: Options) =>
    Layer.scoped(
      Uploads,
      Effect.gen(function* () {
        const keys = yield* KeyMapping
        const transfer = yield* Transfer.make(options)
        const abortStale = yield* StaleUploads.make(options)
        const reader = SourceReader.make(options)
        const uploadFile = FileUpload.make(options, keys, reader, transfer.digest, store(transfer))
        // with --force, small files are uploaded individually, too
        const uploadBatch = options.force ? undefined : SmallFileBatch.make(options, keys, reader, transfer)
        const { create, createAside, ready, traits } = transfer
        return {
          ready: (ledger) =>
            Effect.zipRight(ready(ledger.checksum), OverwriteProtection.check(ledger, options, create)),
          traits,
          createAside,
          uploadAll: uploadAll(uploadFile, uploadBatch),
          abortStale: (ledger) => abortStale(ledger, Effect.isSuccess(ready(ledger.checksum)))
        }
      })
    )

  /** Reads the files and plans their uploads, but sends nothing. */
  static readonly layerDryRun = (options: Options) =>
    Layer.effect(
      Uploads,
      Effect.map(KeyMapping, (keys) => {
        const reader = SourceReader.make(options)
        const uploadFile = FileUpload.make(options, keys, reader, ContentHash.ofSource, plan(options))
        return {
          ready: () => Effect.void,
          traits: Effect.succeed(undefined),
          createAside: () => Effect.succeed({ etag: undefined, versionId: undefined }),
          abortStale: () => Effect.void,
          uploadAll: uploadAll(uploadFile)
        }
      })
    )
}

export type Options = Transfer.Limits &
  FileUpload.Options &
  Pick<Settings, "input" | "followSymlinks" | "finalAfter" | "prefix">

const store =
  (transfer: Transfer.Transfer): FileUpload.Action =>
  (ledger, file, source, destination) => {
    const { before, compression, former, generation, key, replaces } = destination
    const { relativePath } = file
    return transfer
      .send(
        source,
        { key, state: source.state },
        {
          compression,
          former,
          announce: (content) => ledger.announce(relativePath, generation, content),
          withdraw: ledger.withdrawAnnouncement(relativePath, before),
          record: UploadRecord.of(ledger, relativePath, generation)
        }
      )
      .pipe(
        Effect.tap((sent) => ledger.acknowledge(relativePath, UploadOutcome.acknowledged(source, destination, sent))),
        Effect.map(({ objectBytes }) => UploadOutcome.uploaded(file, source, objectBytes, replaces ? key : undefined))
      )
  }

const plan =
  (limits: UploadPlan.Limits): FileUpload.Action =>
  (_, { relativePath }, source, { compression, former, key }) => {
    const { sizeBytes } = source
    const uploadPlan =
      compression === "none" ? UploadPlan.decide(sizeBytes, limits) : Compression.decide(sizeBytes, compression, limits)
    if (uploadPlan._tag === "TooLarge") return Effect.fail(Transfer.tooLarge(sizeBytes, uploadPlan.neededMemoryBytes))
    const parts = "parts" in uploadPlan ? uploadPlan.parts : 1
    return Effect.as(
      former === undefined
        ? Effect.void
        : Effect.asVoid(ContentHash.ofSource(source, { firstBytes: former.sizeBytes, former })),
      Outcome.Planned({ relativePath, key, sizeBytes, compression, parts })
    )
  }

/** If `uploadBatch` hands files over, uploads them individually and concurrently. */
const uploadAll =
  (uploadFile: FileUpload.FileUpload, uploadBatch?: SmallFileBatch.SmallFileBatch) =>
  (ledger: OpenLedger, files: ReadonlyArray<SourceFile>, report: UploadOutcome.Report): Effect.Effect<void> => {
    const uploadEach = (batch: ReadonlyArray<SourceFile>) =>
      Effect.forEach(
        batch,
        (file) => Effect.flatMap(uploadFile(ledger, file), (outcome) => report([{ file, outcome }])),
        { concurrency: "unbounded", discard: true }
      )
    if (uploadBatch === undefined) return uploadEach(files)
    return Effect.suspend(() => {
      let handedOver: Fiber.Fiber<void> = Fiber.void
      const handOver = (rest: ReadonlyArray<SourceFile>) =>
        rest.length === 0
          ? Effect.void
          : Effect.map(Effect.fork(uploadEach(rest)), (fiber) => void (handedOver = fiber))
      return Effect.zipRight(
        uploadBatch(ledger, files, report, handOver),
        Effect.suspend(() => Fiber.join(handedOver))
      ).pipe(Effect.onError(() => Fiber.interrupt(handedOver)))
    })
  }

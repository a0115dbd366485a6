/**
 * Stores new small files, many at a time. In a first run, or after a long outage, nearly all files are new and small.
 *
 * `FileUpload` takes a dozen steps for one file, and each of them may wait. A batch waits only twice: for the disk,
 * when its files are announced to the ledger, and for the store. The rest is plain loops. `FileUpload` handles all
 * other files.
 */
import { Cause, Clock, type Context, Effect, Either, Exit, Option } from "effect"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { InternalError, Interrupted, StoreError } from "../../domain/Errors.ts"
import type { ObjectKey } from "../../domain/ObjectKey.ts"
import * as Outcome from "../../domain/Outcome.ts"
import * as ManifestDirectory from "../../domain/ManifestDirectory.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import type { KeyMapping } from "../KeyMapping.ts"
import type { OpenLedger } from "../Ledger.ts"
import type { StoredObject } from "../ObjectStore.ts"
import type { FileOutcome } from "../Reporter.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import type * as FileStat from "../Source/FileStat.ts"
import * as SmallFile from "../Source/SmallFile.ts"
import type { SourceReader } from "../Source/SourceReader.ts"
import * as AnswerBatcher from "./AnswerBatcher.ts"
import * as BufferPool from "./BufferPool.ts"
import type { Transfer } from "./Transfer.ts"
import * as UploadOutcome from "./UploadOutcome.ts"

export type Options = FileStat.Options & Pick<Settings, "finalOnly" | "manifest" | "manifestFile">

/** A file that was never sent before: its content and its destination. */
interface NewFile extends SmallFile.SmallSource {
  readonly file: SourceFile
  readonly key: ObjectKey
  readonly generation: 1
  readonly content: ContentDigest
}

type Answer = AnswerBatcher.Answer<NewFile, StoredObject, StoreError | Interrupted>

/** Calls `handOver` once, before the uploads, with the files that `FileUpload` must handle. */
export type SmallFileBatch = (
  ledger: OpenLedger,
  files: ReadonlyArray<SourceFile>,
  report: UploadOutcome.Report,
  handOver: (files: ReadonlyArray<SourceFile>) => Effect.Effect<unknown>
) => Effect.Effect<void>

export const make = (
  options: Options,
  keys: Context.Tag.Service<KeyMapping>,
  reader: SourceReader,
  transfer: Transfer
): SmallFileBatch => {
  /**
   * One buffer for each batch, because a buffer for each body would keep the garbage collector busy during the
   * requests.
   */
  const buffers = BufferPool.make()
  buffers.open()
  const withFacts = ManifestDirectory.isWanted(options)

  const read = (file: SourceFile, now: number, allocate: (sizeBytes: number) => Buffer): NewFile | undefined => {
    if (keys.compressionOf(file) !== "none") return undefined
    const key = keys.keyOf(file, 1)
    const source = Either.isRight(key) ? SmallFile.read(file, options, reader.contain, now, allocate) : undefined
    return Either.isLeft(key) || source === undefined || (options.finalOnly && source.state === "live")
      ? undefined
      : { ...source, file, key: key.right, generation: 1, content: contentOf(source.bytes, file) }
  }

  const contentOf = (bytes: Uint8Array, { path }: SourceFile) => ContentHash.of(bytes, withFacts ? path : undefined)

  /** Reads the new small files into the buffer, and announces them to the ledger. */
  const prepare = (ledger: OpenLedger, files: ReadonlyArray<SourceFile>, buffer: Buffer) =>
    Effect.gen(function* () {
      let used = 0
      const allocate = (sizeBytes: number) => buffer.subarray(used, (used += sizeBytes))
      if (files[0] !== undefined) yield* reader.untilResponsive(files[0])
      const now = yield* Clock.currentTimeMillis
      const small = files.flatMap((file) => read(file, now, allocate) ?? [])
      const isNew = yield* ledger.announceNew(small.map(({ content, file }) => ({ path: file.relativePath, content })))
      return small.filter((_, at) => isNew[at])
      // if the ledger has become unusable, `FileUpload` reports that for each file
    }).pipe(Effect.orElseSucceed((): ReadonlyArray<NewFile> => []))

  const acknowledge = (ledger: OpenLedger, stored: ReadonlyArray<readonly [NewFile, StoredObject]>) =>
    Effect.match(
      ledger.acknowledgeAll(
        stored.map(([sent, object]) => ({
          path: sent.file.relativePath,
          object: UploadOutcome.acknowledged(sent, sent, { ...sent, stored: object, objectBytes: sent.sizeBytes })
        }))
      ),
      {
        onSuccess: () => stored.map(([sent]) => uploaded(sent)),
        onFailure: (error) => stored.map(([sent]) => failed(sent, error))
      }
    )

  const afterFailure = (ledger: OpenLedger, sent: NewFile, error: StoreError | InternalError | Interrupted) => {
    const { bytes, content, file, key, state } = sent
    if (error._tag === "InternalError") return Effect.succeed([failed(sent, error)])
    const withdraw = ledger.withdrawAnnouncement(file.relativePath, undefined)
    // the limiter admits no more requests after a stop, so this request was never sent
    if (error._tag === "Interrupted")
      return Effect.as(Effect.ignore(withdraw), [{ file, outcome: Outcome.Outcome.NotTried() }])
    return Effect.matchEffect(transfer.retry({ key, state }, bytes, content, error, withdraw), {
      onSuccess: (object) => acknowledge(ledger, [[sent, object]]),
      onFailure: (last) => Effect.succeed([failed(sent, last)])
    })
  }

  return (ledger, files, report, handOver) => {
    const bytes = files.length * SmallFile.maxSmallBytes
    const buffer = buffers.take(bytes)
    let storedCount = 0
    const process = (answers: ReadonlyArray<Answer>) => {
      const stored = answers.flatMap(([sent, exit]) => (Exit.isSuccess(exit) ? [[sent, exit.value] as const] : []))
      const failures = answers.flatMap(([sent, exit]) => (Exit.isFailure(exit) ? [[sent, exit] as const] : []))
      storedCount += stored.length
      const acknowledged = Effect.flatMap(acknowledge(ledger, stored), report)
      if (failures.length === 0) return acknowledged
      return Effect.zipRight(
        acknowledged,
        Effect.forEach(
          failures,
          ([sent, exit]) =>
            Effect.catchAll(UploadOutcome.defectAsFailure(exit), (error) =>
              Effect.flatMap(afterFailure(ledger, sent, error), report)
            ),
          { concurrency: "unbounded", discard: true }
        )
      )
    }
    return transfer.holdMemory(bytes)(
      Effect.gen(function* () {
        const prepared = yield* prepare(ledger, files, buffer)
        const taken = new Set(prepared.map(({ file }) => file))
        yield* handOver(files.filter((file) => !taken.has(file)))
        const request = (sent: NewFile) => transfer.attemptOnce(sent, sent.bytes, sent.content)
        if (prepared.length > 0) yield* AnswerBatcher.batchAnswers(prepared, request, process, isQuick)
        // a request that failed may still be reading the buffer
        if (storedCount === prepared.length) buffers.release(buffer)
      })
    )
  }
}

/**
 * Whether the file was stored or never sent. Any other answer is retried, which takes too long after an interruption.
 */
const isQuick = (exit: Answer[1]) =>
  Exit.isSuccess(exit) || Option.exists(Cause.failureOption(exit.cause), ({ _tag }) => _tag === "Interrupted")

const uploaded = (sent: NewFile): FileOutcome => ({
  file: sent.file,
  outcome: UploadOutcome.uploaded(sent.file, sent, sent.sizeBytes)
})

const failed = ({ file, key }: NewFile, error: Parameters<typeof Outcome.fromError>[1]): FileOutcome => ({
  file,
  outcome: Outcome.fromError(file, error, key)
})

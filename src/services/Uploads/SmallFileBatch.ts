/**
 * Stores small files that were never sent before, many at a time: in a first run, or after a long outage, that is nearly
 * all. What `Uploads` does with one file in a dozen steps, each of which may wait, is done here in plain loops between two
 * waits: for the disk, when all are announced to the ledger, and for the store. Files that are not that plain are left
 * alone.
 */
import { Cause, Clock, type Context, Effect, Either, Exit, Option } from "effect"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import { type FileError, InternalError, type Interrupted, type StoreError } from "../../domain/Errors.ts"
import type { ObjectKey } from "../../domain/ObjectKey.ts"
import { Outcome } from "../../domain/Outcome.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import * as BufferPool from "./BufferPool.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import * as AnswerBatcher from "./AnswerBatcher.ts"
import type { KeyMapping } from "../KeyMapping.ts"
import type { OpenLedger } from "../Ledger.ts"
import type { StoredObject } from "../ObjectStore.ts"
import type { FileOutcome } from "../Reporter.ts"
import type { Transfer } from "./Transfer.ts"
import * as SmallFile from "../Source/SmallFile.ts"
import type * as FileStat from "../Source/FileStat.ts"
import type * as SourceReader from "../Source/SourceReader.ts"

export type Options = FileStat.Options & { readonly finalOnly: boolean }

/** What is sent of one file. */
interface Small extends SmallFile.SmallSource {
  readonly file: SourceFile
  readonly key: ObjectKey
  readonly content: ContentDigest
}

type Answer = AnswerBatcher.Answered<Small, StoredObject, StoreError | Interrupted>

/** Tells what became of files; `leave` is told once, soon, of those that it leaves alone. */
export type StoreSmall = (
  ledger: OpenLedger,
  files: ReadonlyArray<SourceFile>,
  tell: (all: ReadonlyArray<FileOutcome>) => Effect.Effect<void>,
  leave: (files: ReadonlyArray<SourceFile>) => Effect.Effect<unknown>
) => Effect.Effect<void>

export const make = (
  options: Options,
  keys: Context.Tag.Service<KeyMapping>,
  reader: ReturnType<typeof SourceReader.make>,
  sending: Transfer
): StoreSmall => {
  /** Each body by itself would keep the collector busy for as long as its request takes. */
  const buffers = BufferPool.make()
  buffers.open()

  const smallOf = (file: SourceFile, now: number, room: (sizeBytes: number) => Buffer): Small | undefined => {
    if (keys.compressionOf(file) !== "none") return undefined
    const key = keys.keyOf(file, 1)
    const source = Either.isRight(key) ? SmallFile.read(file, options, now, room) : undefined
    return Either.isLeft(key) || source === undefined || (options.finalOnly && source.state === "live")
      ? undefined
      : { ...source, file, key: key.right, content: ContentHash.of(source.bytes) }
  }

  /** All that are new and small, on disk in the ledger as begun. */
  const begun = (ledger: OpenLedger, files: ReadonlyArray<SourceFile>, buffer: Buffer) =>
    Effect.gen(function* () {
      let used = 0
      const room = (sizeBytes: number) => buffer.subarray(used, (used += sizeBytes))
      if (files[0] !== undefined) yield* reader.answered(files[0])
      const now = yield* Clock.currentTimeMillis
      const small = files.flatMap((file) => smallOf(file, now, room) ?? [])
      const isFirst = yield* ledger.announceNew(
        small.map(({ content, file }) => ({ path: file.relativePath, content }))
      )
      return small.filter((_, at) => isFirst[at])
      // if the ledger cannot be used any more, each of them will say so
    }).pipe(Effect.orElseSucceed((): ReadonlyArray<Small> => []))

  const acknowledge = (ledger: OpenLedger, stored: ReadonlyArray<readonly [Small, StoredObject]>) =>
    Effect.match(
      ledger.acknowledgeAll(
        stored.map(([{ content, file, key, stat, state }, object]) => ({
          path: file.relativePath,
          object: { ...object, key, generation: 1, content, state, stat }
        }))
      ),
      {
        onSuccess: () => stored.map(([small]) => uploaded(small)),
        onFailure: (error) => stored.map(([small]) => failure(small, error))
      }
    )

  const afterFailure = (ledger: OpenLedger, small: Small, failed: StoreError | Interrupted) => {
    const { bytes, content, file, key, state } = small
    const refused = ledger.withdrawAnnouncement(file.relativePath, undefined)
    // its turn never came
    if (failed._tag === "Interrupted") return Effect.as(Effect.ignore(refused), [{ file, outcome: Outcome.NotTried() }])
    return Effect.matchEffect(sending.retry({ key, state }, bytes, content, failed, refused), {
      onSuccess: (object) => acknowledge(ledger, [[small, object]]),
      onFailure: (error) => Effect.succeed([failure(small, error)])
    })
  }

  return (ledger, files, tell, leave) => {
    const bytes = files.length * SmallFile.maxSmallBytes
    const buffer = buffers.take(bytes)
    let sent = 0
    const settle = (answered: ReadonlyArray<Answer>) => {
      const stored = answered.flatMap(([small, exit]) => (Exit.isSuccess(exit) ? [[small, exit.value] as const] : []))
      const failed = answered.flatMap(([small, exit]) => (Exit.isFailure(exit) ? [[small, exit] as const] : []))
      sent += stored.length
      const told = Effect.flatMap(acknowledge(ledger, stored), tell)
      if (failed.length === 0) return told
      return Effect.zipRight(
        told,
        Effect.forEach(
          failed,
          ([small, exit]) =>
            exit.pipe(
              // a defect is this file's alone
              Effect.catchAllDefect((cause) =>
                tell([failure(small, new InternalError({ detail: String(cause), cause }))])
              ),
              Effect.catchAll((error) => Effect.flatMap(afterFailure(ledger, small, error), tell))
            ),
          { concurrency: "unbounded", discard: true }
        )
      )
    }
    return sending.holdMemory(bytes)(
      Effect.gen(function* () {
        const small = yield* begun(ledger, files, buffer)
        const taken = new Set(small.map(({ file }) => file))
        yield* leave(files.filter((file) => !taken.has(file)))
        const first = (one: Small) => sending.attemptOnce(one, one.bytes, one.content)
        if (small.length > 0) yield* AnswerBatcher.batchAnswers(small, first, settle, isLast)
        // a request that failed may still be reading
        if (sent === small.length) buffers.give(buffer)
      })
    )
  }
}

/** Done, or its turn never came; for what failed, there is no time any more to try it again. */
const isLast = (exit: Answer[1]) =>
  Exit.isSuccess(exit) || Option.exists(Cause.failureOption(exit.cause), ({ _tag }) => _tag === "Interrupted")

const uploaded = ({ bytes, file, torn }: Small): FileOutcome => {
  const { relativePath } = file
  const sizes = { sizeBytes: bytes.length, objectBytes: bytes.length }
  return { file, outcome: Outcome.Uploaded({ relativePath, ...sizes, torn, replaces: undefined }) }
}

const failure = ({ file, key }: Small, error: FileError | Interrupted): FileOutcome => {
  const { relativePath } = file
  const outcome = error._tag === "Interrupted" ? Outcome.Interrupted() : Outcome.Failed({ relativePath, key, error })
  return { file, outcome }
}

/**
 * Stores small files that were never sent before, many at a time: in a first run, or after a long outage, that is nearly
 * all. What `Uploads` does with one file in a dozen steps, each of which may wait, is done here in plain loops between two
 * waits: for the disk, when all are announced to the ledger, and for the store. Files that are not that plain are handed
 * back.
 */
import { Cause, Clock, type Context, Effect, Either, Exit, Option, Runtime } from "effect"
import type { Content } from "../domain/Content.ts"
import type { FileError, Interrupted, StoreError } from "../domain/Errors.ts"
import type { ObjectKey } from "../domain/ObjectKey.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import * as Digest from "./Digest.ts"
import type { KeyMapping } from "./KeyMapping.ts"
import type { OpenLedger } from "./Ledger.ts"
import type { StoredObject } from "./ObjectStore.ts"
import type { Told } from "./Reporter.ts"
import type { Sending } from "./Sending.ts"
import * as SourceReader from "./SourceReader.ts"

export type Options = SourceReader.Options & { readonly finalOnly: boolean }

/** What is sent of one file. */
interface Small extends SourceReader.SmallSource {
  readonly file: SourceFile
  readonly key: ObjectKey
  readonly content: Content
}

/** It was waiting for its turn. */
const isInterrupted = (exit: Answer) =>
  Exit.isFailure(exit) && Option.exists(Cause.failureOption(exit.cause), ({ _tag }) => _tag === "Interrupted")

type Answer = Exit.Exit<StoredObject, StoreError | Interrupted>

/** Tells what became of files, and gives back those that it has left alone. */
export type StoreSmall = (
  ledger: OpenLedger,
  files: ReadonlyArray<SourceFile>,
  tell: (all: ReadonlyArray<Told>) => Effect.Effect<void>
) => Effect.Effect<ReadonlyArray<SourceFile>>

export const make = (
  options: Options,
  keys: Context.Tag.Service<KeyMapping>,
  reader: ReturnType<typeof SourceReader.make>,
  sending: Sending
): StoreSmall => {
  const smallOf = (file: SourceFile, now: number): Small | undefined => {
    if (keys.compressionOf(file) !== "none") return undefined
    const key = keys.keyOf(file, 1)
    const source = Either.isRight(key) ? SourceReader.readSmall(file, options, now) : undefined
    return Either.isLeft(key) || source === undefined || (options.finalOnly && source.state === "live")
      ? undefined
      : { ...source, file, key: key.right, content: Digest.of(source.bytes) }
  }

  /** Waits for all answers; says at once whose request was not begun, and will not be. */
  const answers = (all: ReadonlyArray<Small>, notBegun: (small: Small) => void) =>
    Effect.async<ReadonlyArray<Answer>>((resume) => {
      const exits: Array<Answer> = []
      let left = all.length
      const breakOffs = all.map((small, at) =>
        sending.submit({ key: small.key, state: small.state }, small.bytes, small.content, (exit) => {
          exits[at] = exit
          if (isInterrupted(exit)) notBegun(small)
          if (--left === 0) resume(Effect.succeed(exits))
        })
      )
      return Effect.all(breakOffs, { concurrency: "unbounded", discard: true })
    })

  const acknowledge = (ledger: OpenLedger, stored: ReadonlyArray<readonly [Small, StoredObject]>) =>
    ledger.allAcknowledged(
      stored.map(([{ content, file, key, outside, state }, object]) => ({
        path: file.relativePath,
        object: { ...object, key, generation: 1, content, state, outside }
      }))
    )

  /** A first attempt that failed: goes on as with any file. */
  const goOn = (ledger: OpenLedger, small: Small, failed: StoreError) => {
    const { bytes, content, file, key, state } = small
    const { relativePath } = file
    return sending.goOn({ key, state }, bytes, content, failed, ledger.refused(relativePath, undefined)).pipe(
      Effect.tap((object) => acknowledge(ledger, [[small, object]])),
      Effect.match({
        onSuccess: () => uploaded(small),
        onFailure: (error) => failure(small, error)
      })
    )
  }

  return (ledger, files, tell) =>
    sending
      .holding(files.length * SourceReader.small)(
        Effect.gen(function* () {
          if (files[0] !== undefined) yield* reader.answered(files[0])
          const now = yield* Clock.currentTimeMillis
          const small = files.flatMap((file) => smallOf(file, now) ?? [])
          const isFirst = yield* ledger.firstAttempts(
            small.map(({ content, file }) => ({ path: file.relativePath, content }))
          )
          const plain = small.filter((_, at) => isFirst[at])
          if (plain.length === 0) return files
          const fork = Runtime.runFork(yield* Effect.runtime())
          const exits = yield* answers(plain, (one) => {
            const forgotten = Effect.ignore(ledger.refused(one.file.relativePath, undefined))
            fork(Effect.zipRight(forgotten, tell([{ file: one.file, outcome: Outcome.NotTried() }])))
          })
          const stored = plain.flatMap((one, at) =>
            Exit.match(exits[at]!, { onFailure: () => [], onSuccess: (object) => [[one, object] as const] })
          )
          yield* acknowledge(ledger, stored)
          yield* tell(stored.map(([one]) => uploaded(one)))
          yield* Effect.forEach(
            plain,
            (one, at) =>
              Effect.matchEffect(exits[at]!, {
                onSuccess: () => Effect.void,
                onFailure: (error) =>
                  error._tag === "Interrupted"
                    ? Effect.void
                    : Effect.flatMap(goOn(ledger, one, error), (told) => tell([told]))
              }),
            { concurrency: "unbounded", discard: true }
          )
          const done = new Set(plain.map(({ file }) => file))
          return files.filter((file) => !done.has(file))
        })
      )
      .pipe(
        // the ledger cannot be used any more, and each of them will say so
        Effect.orElseSucceed(() => files)
      )
}

const uploaded = ({ bytes, file, torn }: Small): Told => {
  const { relativePath } = file
  return {
    file,
    outcome: Outcome.Uploaded({
      relativePath,
      sizeBytes: bytes.length,
      objectBytes: bytes.length,
      torn,
      replaces: undefined
    })
  }
}

const failure = ({ file, key }: Small, error: FileError | Interrupted): Told => {
  const { relativePath } = file
  const outcome = error._tag === "Interrupted" ? Outcome.Interrupted() : Outcome.Failed({ relativePath, key, error })
  return { file, outcome }
}

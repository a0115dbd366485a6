/** Sends the parts of one file: reads them once, in order, and uploads each as soon as it has been read. */
import { type Context, Data, Deferred, Effect, FiberSet, Option } from "effect"
import { hash } from "node:crypto"
import { blockBytes, type ContentDigest, headBytes } from "../../domain/ContentDigest.ts"
import { type FileError, Interrupted, type StoreError } from "../../domain/Errors.ts"
import * as Resumption from "../../domain/Resumption.ts"
import type { UploadPlan } from "../../domain/UploadPlan.ts"
import type { ObjectStore, UploadName } from "../ObjectStore.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import type { OpenSource } from "../Source/SourceReader.ts"
import type { Stop } from "../Stop.ts"
import type { BufferPool } from "./BufferPool.ts"
import type { UploadRecord } from "./UploadRecord.ts"

/** Shared by all files. */
export interface SharedResources {
  readonly store: Context.Tag.Service<ObjectStore>
  readonly stop: Context.Tag.Service<Stop>
  /** Starts work when this many bytes of memory are free, and reserves them until it ends. */
  readonly holdMemory: (bytes: number) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly buffers: BufferPool
  /** Whether to gather the facts for a manifest. */
  readonly withFacts: boolean
}

/** The file whose parts are sent. */
export interface FileParts {
  readonly source: OpenSource
  readonly plan: Extract<UploadPlan, { _tag: "Multipart" }>
  /** The content must begin with this. */
  readonly former: ContentDigest | undefined
  readonly record: UploadRecord
  /** Wraps each request with the limiter, the timeout and retries. */
  readonly request: <A>(
    attempt: Effect.Effect<A, StoreError>,
    bodyBytes?: number
  ) => Effect.Effect<A, StoreError | Interrupted>
}

/** The upload, and the parts that the store has. Mutable. */
export interface UploadProgress {
  readonly upload: UploadName
  readonly stored: Map<number, Resumption.KeptPart>
  /** Bytes of parts that this run does not send, because an earlier run stored them. */
  sparedBytes: number
}

/** The upload that was to be resumed cannot be resumed. */
export class NotResumable extends Data.TaggedError("NotResumable")<{ readonly why: string }> {}

/**
 * Completes when the store has all parts. A part reserves memory from before it is read until it is stored. With
 * reserved memory, it waits only for its own request. Once a stop is requested, no further part is read, but parts in
 * flight may finish.
 */
export const sendParts = (
  { buffers, holdMemory, stop, store, withFacts }: SharedResources,
  { former, plan, record, request, source }: FileParts,
  progress: UploadProgress
): Effect.Effect<ContentDigest, FileError | Interrupted | NotResumable> =>
  Effect.gen(function* () {
    const { partSizeBytes } = plan
    const contentHash = ContentHash.make(source.path, former, withFacts)
    const slots = yield* Effect.makeSemaphore(plan.queueSize)
    const inFlight = yield* FiberSet.make<unknown>()
    const failed = yield* Deferred.make<never, FileError | NotResumable>()
    let isStopped = false
    let head = new Uint8Array()
    let last: number | undefined

    /** Fills `body` and returns its SHA-256. */
    const read = (body: Uint8Array, position: number) =>
      Effect.zipRight(
        source.readInto(body, position),
        ContentHash.attempt(() => {
          contentHash.update(body)
          if (position === 0) head = Uint8Array.from(body.subarray(0, headBytes))
          last = body.at(-1)
          // a part of exactly one block is hashed only once, for both the content and its request
          return partSizeBytes === blockBytes ? contentHash.lastBlock() : hash("sha256", body)
        })
      )

    const send = (number: number, buffer: Buffer, body: Uint8Array, sha256: string) => {
      let attempts = 0
      const attempt = Effect.suspend(() => {
        attempts++
        return store.uploadPart({ ...progress.upload, number, body, sha256 })
      })
      return Effect.tap(request(attempt, body.length), (answer) => {
        const part = { number, sizeBytes: body.length, sha256, ...answer }
        progress.stored.set(number, part)
        // a cancelled attempt may still be reading the buffer
        if (attempts === 1) buffers.release(buffer)
        return record.partStored(part)
      })
    }

    const sendPart = (number: number, onRead: Effect.Effect<unknown>) =>
      Effect.gen(function* () {
        if (Option.isSome(yield* stop.reason)) return yield* new Interrupted()
        const position = (number - 1) * partSizeBytes
        const buffer = buffers.take(partSizeBytes)
        const body = buffer.subarray(0, Math.min(partSizeBytes, source.sizeBytes - position))
        const sha256 = yield* read(body, position)
        yield* onRead
        const comparison = Resumption.comparePart(progress.stored.get(number), { sizeBytes: body.length, sha256 })
        if (comparison === "different") return yield* new NotResumable({ why: `part ${number} has other bytes` })
        if (comparison === "send") return yield* send(number, buffer, body, sha256)
        progress.sparedBytes += body.length
        buffers.release(buffer)
      })

    const sendAll = Effect.gen(function* () {
      for (let number = 1; number <= plan.parts; number++) {
        if (isStopped) break
        const isRead = yield* Deferred.make<void>()
        const part = sendPart(number, Deferred.succeed(isRead, undefined)).pipe(
          holdMemory(partSizeBytes),
          slots.withPermits(1),
          Effect.catchTag("Interrupted", () => Effect.sync(() => (isStopped = true))),
          Effect.catchAllCause((cause) => Deferred.failCause(failed, cause)),
          Effect.ensuring(Deferred.succeed(isRead, undefined))
        )
        yield* FiberSet.run(inFlight, part)
        yield* Deferred.await(isRead)
      }
      yield* FiberSet.awaitEmpty(inFlight)
      if (yield* Deferred.isDone(failed)) return yield* Deferred.await(failed)
      if (isStopped) return yield* new Interrupted()
      yield* source.checkUndisturbed(head, last)
      return yield* ContentHash.attempt(() => contentHash.content())
    })
    return yield* Effect.raceFirst(sendAll, Deferred.await(failed))
  }).pipe(Effect.scoped)

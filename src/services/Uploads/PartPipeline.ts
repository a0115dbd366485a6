/** The parts of one file on their way: read once, in order, and sent as there is room for them. */
import { type Context, Data, Deferred, Effect, FiberSet, Option } from "effect"
import { hash } from "node:crypto"
import { blockBytes, type ContentDigest, headBytes } from "../../domain/ContentDigest.ts"
import { type FileError, Interrupted, type SourceUnreadable, type StoreError } from "../../domain/Errors.ts"
import * as Resumption from "../../domain/Resumption.ts"
import type { UploadPlan } from "../../domain/UploadPlan.ts"
import type { BufferPool } from "./BufferPool.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import type { ObjectStore, UploadName } from "../ObjectStore.ts"
import type { OpenSource } from "../Source/SourceReader.ts"
import type { Stop } from "../Stop.ts"
import type { UploadRecord } from "./UploadRecord.ts"

/** What all files share. */
export interface SharedResources {
  readonly store: Context.Tag.Service<ObjectStore>
  readonly stop: Context.Tag.Service<Stop>
  /** Put around a part of so many bytes: it waits for room in memory. */
  readonly room: (bytes: number) => <A, E, R>(part: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly buffers: BufferPool
}

/** Whose parts they are. */
export interface FileParts {
  readonly source: OpenSource
  readonly plan: Extract<UploadPlan, { _tag: "Multipart" }>
  /** What the content has to begin with. */
  readonly former: ContentDigest | undefined
  readonly record: UploadRecord
  /** Put around each request: its retries, time-out and place in the queue. */
  readonly request: <A>(attempt: Effect.Effect<A, StoreError>) => Effect.Effect<A, StoreError | Interrupted>
}

/** Where they go, and what of them is there; it grows. */
export interface Progress {
  readonly upload: UploadName
  readonly stored: Map<number, Resumption.KeptPart>
  /** Bytes that an earlier run has sent, and that were found to be the same. */
  sparedBytes: number
}

/** The upload cannot be gone on with after all. */
export class NotResumable extends Data.TaggedError("Anew")<{ readonly why: string }> {}

/**
 * Ends when the store has all parts. A part holds its bytes of memory from before it is read until it is stored, and
 * waits for nothing but its own request meanwhile. When the run is to stop, no further part is read, and those in
 * flight are waited for.
 */
export const sendParts = (
  { buffers, room, stop, store }: SharedResources,
  { former, plan, record, request, source }: FileParts,
  progress: Progress
): Effect.Effect<ContentDigest, FileError | Interrupted | NotResumable> =>
  Effect.gen(function* () {
    const { partSizeBytes } = plan
    const digest = ContentHash.make(source.path, former)
    const places = yield* Effect.makeSemaphore(plan.queueSize)
    const inFlight = yield* FiberSet.make<unknown>()
    const failed = yield* Deferred.make<never, FileError | NotResumable>()
    let stopped = false
    let head = new Uint8Array()
    let last: number | undefined

    const read = (body: Uint8Array, at: number) =>
      Effect.flatMap(source.parts.fill(body, at), () =>
        ofContent(() => {
          digest.update(body)
          if (at === 0) head = Uint8Array.from(body.subarray(0, headBytes))
          last = body.at(-1)
          // one hash for the content and for the part
          return partSizeBytes === blockBytes ? digest.lastBlock() : hash("sha256", body)
        })
      )

    const send = (number: number, buffer: Buffer, body: Uint8Array, sha256: string) => {
      let attempts = 0
      const attempt = Effect.suspend(() => {
        attempts++
        return store.uploadPart({ ...progress.upload, number, body, sha256 })
      })
      return Effect.tap(request(attempt), (answer) => {
        const part = { number, sizeBytes: body.length, sha256, ...answer }
        progress.stored.set(number, part)
        // an attempt that was cut off may still be reading it
        if (attempts === 1) buffers.give(buffer)
        return record.partStored(part)
      })
    }

    const one = (number: number, wasRead: Effect.Effect<unknown>) =>
      Effect.gen(function* () {
        if (Option.isSome(yield* stop.reason)) return yield* new Interrupted()
        const at = (number - 1) * partSizeBytes
        const buffer = buffers.take(partSizeBytes)
        const body = buffer.subarray(0, Math.min(partSizeBytes, source.sizeBytes - at))
        const sha256 = yield* read(body, at)
        yield* wasRead
        const judgement = Resumption.comparePart(progress.stored.get(number), { sizeBytes: body.length, sha256 })
        if (judgement === "other") return yield* new NotResumable({ why: `part ${number} has other bytes` })
        if (judgement === "send") return yield* send(number, buffer, body, sha256)
        progress.sparedBytes += body.length
        buffers.give(buffer)
      })

    const all = Effect.gen(function* () {
      for (let number = 1; number <= plan.parts; number++) {
        if (stopped) break
        const wasRead = yield* Deferred.make<void>()
        const part = one(number, Deferred.succeed(wasRead, undefined)).pipe(
          room(partSizeBytes),
          places.withPermits(1),
          Effect.catchTag("Interrupted", () => Effect.sync(() => (stopped = true))),
          Effect.catchAllCause((cause) => Deferred.failCause(failed, cause)),
          Effect.ensuring(Deferred.succeed(wasRead, undefined))
        )
        yield* FiberSet.run(inFlight, part)
        yield* Deferred.await(wasRead)
      }
      yield* FiberSet.awaitEmpty(inFlight)
      if (yield* Deferred.isDone(failed)) return yield* Deferred.await(failed)
      if (stopped) return yield* new Interrupted()
      yield* source.parts.undisturbed(head, last)
      return yield* ofContent(() => digest.content())
    })
    return yield* Effect.raceFirst(all, Deferred.await(failed))
  }).pipe(Effect.scoped)

/** Fails where the content does not begin with what it should. */
const ofContent = <A>(look: () => A): Effect.Effect<A, SourceUnreadable> =>
  Effect.try({
    try: look,
    catch: (cause) => {
      if (cause instanceof Error && "_tag" in cause && cause._tag === "SourceUnreadable")
        return cause as SourceUnreadable
      throw cause
    }
  })

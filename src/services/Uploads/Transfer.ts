/** Sends a content to the store with one request or many, within the limits of the settings. */
import { Effect } from "effect"
import * as Compression from "../../domain/Compression.ts"
import { type ContentDigest, sha256Of } from "../../domain/ContentDigest.ts"
import {
  ConfigError,
  type FileError,
  Interrupted,
  SourceUnreadable,
  type StateUnusable,
  type StoreError
} from "../../domain/Errors.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { Checksum } from "../../domain/StoreTraits.ts"
import * as Size from "../../domain/Size.ts"
import * as UploadPlan from "../../domain/UploadPlan.ts"
import * as CompressedTransfer from "./CompressedTransfer.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import { type NewObject, ObjectStore, type StoredObject } from "../ObjectStore.ts"
import * as Limiter from "../Requests/Limiter.ts"
import * as MultipartTransfer from "./MultipartTransfer.ts"
import * as Retry from "../Requests/Retry.ts"
import * as RequestPolicy from "../Requests/RequestPolicy.ts"
import { pieceBytes } from "../Source/OpenFile.ts"
import type { OpenSource } from "../Source/SourceReader.ts"
import { Stop } from "../Stop.ts"
import * as Timeouts from "../Requests/Timeouts.ts"
import type { UploadRecord } from "./UploadRecord.ts"

export type Limits = Limiter.Options & MultipartTransfer.Limits & Pick<Settings, "maxRetries" | "timeout">

/** Everything waits for them. */
const mostRetriesForCredentials = 3

/** What has to hold of a content for it to be sent. */
export interface Terms {
  readonly compression: Compression.Mode
  /** It begins with this; else nothing becomes visible, and the failure is one that `Digest.isReplaced` knows. */
  readonly former: ContentDigest | undefined
  /** Ends before the request is sent that may make the object visible. */
  readonly announced: (content: ContentDigest) => Effect.Effect<void, StateUnusable>
  /** After a failure, if no such request was sent, or the store has refused each: the object is what it was. */
  readonly refused: Effect.Effect<void, StateUnusable>
  /** Of an upload in parts, for the next run. */
  readonly record: UploadRecord
}

export interface Sent {
  /** Of the file, whatever the object was made of it. */
  readonly content: ContentDigest
  /** Bytes of the object. */
  readonly objectBytes: number
  readonly stored: StoredObject
}

/**
 * Every request passes three gates: the pace of all, files and parts together; `timeout`; and patience with what may
 * go better a little later. Bodies wait for room in `memory` before they are read.
 */
export const make = (limits: Limits) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const pace = yield* Limiter.make(limits)
    const memory = yield* Effect.makeSemaphore(limits.memoryBytes)
    const requesting = yield* RequestPolicy.make(pace, limits)
    const patientAtFirst = yield* Retry.make(Math.min(limits.maxRetries, mostRetriesForCredentials))
    const parts = yield* MultipartTransfer.make(limits, memory)
    const stop = yield* Stop

    const untilStop = <A, E>(work: Effect.Effect<A, E>) =>
      Effect.raceFirst(work, Effect.zipRight(stop.requested, Effect.fail(new Interrupted())))

    const send = (
      source: OpenSource,
      object: NewObject,
      { announced, compression, former, record, refused }: Terms
    ): Effect.Effect<Sent, FileError | Interrupted> => {
      const { completing, put, putStream, request, withdrawIfUnsent: settled } = requesting(object, refused)
      const compressed = (format: Compression.Format) => {
        const plan = Compression.decide(source.sizeBytes, format, limits)
        if (plan._tag === "TooLarge") return Effect.fail(tooLarge(source.sizeBytes, plan.neededMemoryBytes))
        const sent = CompressedTransfer.send(source, format, plan, { announced, former }, { put, putStream, untilStop })
        // stored, but not as the parts that were sent: the whole upload is made anew, once
        return Effect.retry(memory.withPermits(plan.memoryBytes)(sent), { times: 1, while: isWholeMismatch })
      }
      const asItIs = () =>
        UploadPlan.UploadPlan.$match(UploadPlan.decide(source.sizeBytes, limits), {
          Single: ({ memoryBytes }) =>
            memory.withPermits(memoryBytes)(
              Effect.gen(function* () {
                const body = yield* source.bytes
                const content = yield* checked(source.path, body, former)
                yield* announced(content)
                return { content, objectBytes: body.length, stored: yield* put(body, sha256Of(content)) }
              })
            ),
          Multipart: (plan) =>
            Effect.map(
              parts.send({
                source,
                object,
                plan,
                former,
                record,
                request,
                completing: (content) => completing(announced(content))
              }),
              (sent) => ({ ...sent, objectBytes: sent.content.sizeBytes })
            ),
          TooLarge: ({ neededMemoryBytes }) => Effect.fail(tooLarge(source.sizeBytes, neededMemoryBytes))
        })
      return settled(compression === "none" ? asItIs() : compressed(compression))
    }

    return {
      // a credential source may be down for a moment, like a store
      ready: (checksum: Checksum) =>
        patientAtFirst(Timeouts.forCredentials(store.ready(checksum), limits.timeout), (error) =>
          RequestPolicy.logRetry("credentials", error)
        ),
      traits: store.traits,
      send,
      /** Runs what holds so many bytes of bodies. */
      holdMemory: (bytes: number) => memory.withPermits(Math.min(bytes, limits.memoryBytes)),
      /** The first attempt of a request with a whole body. A `Call`. */
      attemptOnce: (object: NewObject, body: Uint8Array, content: ContentDigest) =>
        pace.limit(store.put(object, body, sha256Of(content)), body.length),
      /** What comes after a first attempt that failed. */
      retry: (
        object: NewObject,
        body: Uint8Array,
        content: ContentDigest,
        failed: StoreError | Interrupted,
        refused: Terms["refused"]
      ): Effect.Effect<StoredObject, FileError | Interrupted> => {
        const { put, withdrawIfUnsent: settled } = requesting(object, refused)
        return settled(put(body, sha256Of(content), failed))
      },
      /** The content, or the beginning of it, without sending anything. */
      digest: (source: OpenSource, part?: Part): Effect.Effect<ContentDigest, SourceUnreadable> =>
        memory.withPermits(pieceBytes)(digestOf(source, part))
    }
  })

export type Transfer = Effect.Effect.Success<ReturnType<typeof make>>

/** What of a content is looked at: its first so many bytes, or all; and what it has to begin with. */
export interface Part {
  readonly firstBytes?: number
  readonly former?: ContentDigest
}

/** Reads the content, or a part of it, for its digest. */
export const digestOf = (
  source: OpenSource,
  { firstBytes, former }: Part = {}
): Effect.Effect<ContentDigest, SourceUnreadable> =>
  Effect.tryPromise({
    try: async () => {
      const digest = ContentHash.make(source.path, former)
      for await (const piece of source.pieces(firstBytes)) digest.update(piece)
      return digest.content()
    },
    catch: asSourceUnreadable
  })

const checked = (path: string, body: Uint8Array, former: ContentDigest | undefined) =>
  Effect.try({
    try: () => {
      const digest = ContentHash.make(path, former)
      digest.update(body)
      return digest.content()
    },
    catch: asSourceUnreadable
  })

const asSourceUnreadable = (cause: unknown) => {
  if (cause instanceof SourceUnreadable) return cause
  throw cause
}

const isWholeMismatch = (error: FileError | Interrupted) =>
  error._tag === "IntegrityFailure" && error.operation === "CompleteMultipartUpload" && error.retryable

export const tooLarge = (sizeBytes: number, neededMemoryBytes: number) =>
  new ConfigError({
    detail: `a file of ${Size.format(sizeBytes)} needs parts for which --memory has no room`,
    advice: `give --memory ${Math.ceil(neededMemoryBytes / 1024 ** 2)}MiB`
  })

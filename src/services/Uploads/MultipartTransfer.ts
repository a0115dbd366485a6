/**
 * Carries large files to the store in parts. What a run cannot finish is kept in the ledger, and the next one sends
 * only what the store does not have; nothing is ever asked of the store for that.
 */
import { Clock, Effect, type Exit, flow } from "effect"
import { hash } from "node:crypto"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { FileError, Interrupted, StateUnusable } from "../../domain/Errors.ts"
import { keepsUpload } from "../../domain/FailureClass.ts"
import * as Resumption from "../../domain/Resumption.ts"
import type { ObjectAttributes, Settings } from "../../domain/Settings.ts"
import * as UploadPlan from "../../domain/UploadPlan.ts"
import { abortUpload, completeDespiteInterrupt } from "../ObjectStore/AbortUpload.ts"
import * as BufferPool from "./BufferPool.ts"
import { type NewObject, ObjectStore, type StoredObject, type UploadName } from "../ObjectStore.ts"
import { NotResumable, type FileParts, sendParts, type SharedResources, type Progress } from "./PartPipeline.ts"
import { Reporter } from "../Reporter.ts"
import { Stop } from "../Stop.ts"

/** One file. */
export interface Job extends FileParts {
  readonly object: NewObject
  /** Ends before the request is sent that may make the object visible. */
  readonly completing: (content: ContentDigest) => Effect.Effect<void, StateUnusable>
}

interface Sent {
  readonly content: ContentDigest
  readonly stored: StoredObject
}

export type Limits = ObjectAttributes & Pick<Settings, "memoryBytes" | "partSizeBytes">

/** Parts take their room from `memory`, each for itself. */
export const make = (limits: Limits, memory: Effect.Semaphore) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const reporter = yield* Reporter
    const stop = yield* Stop
    const buffers = BufferPool.make()
    const share = UploadPlan.partsBytes(limits)
    const shared = yield* Effect.makeSemaphore(share)
    const room = (bytes: number) => flow(memory.withPermits(bytes), shared.withPermits(Math.min(share, bytes)))
    const means: SharedResources = { store, stop, room, buffers }
    const attributes = hash("sha256", Resumption.attributesOf(limits))
    // as many files as keep their share of memory busy while one is completed, so that those begun first are done first
    const turns = yield* Effect.makeSemaphore(1 + Math.ceil(share / limits.partSizeBytes / UploadPlan.maxQueue))

    const give = (job: Job, { key, uploadId }: UploadName) =>
      Effect.zipRight(abortUpload(store, { key, uploadId }, reporter.abortFailed), Effect.ignore(job.record.end))

    const wanted = (job: Job) =>
      Effect.map(store.traits, (traits): Resumption.Created => ({
        key: job.object.key,
        state: job.object.state,
        generation: job.record.generation,
        partSizeBytes: job.plan.partSizeBytes,
        attributes,
        checksum: traits?.checksum ?? job.record.checksum
      }))

    /** The upload that is gone on with; one that cannot be is ended. */
    const resumable = (job: Job) =>
      Effect.gen(function* () {
        const kept = yield* job.record.kept
        if (kept === undefined) return undefined
        const { sizeBytes } = job.source
        const decision = Resumption.decide(kept, yield* wanted(job), sizeBytes, yield* Clock.currentTimeMillis)
        if (decision._tag === "Resume") {
          yield* Effect.zipRight(tell("going on with an upload", kept), job.record.resumed(sizeBytes))
          return kept
        }
        yield* Effect.zipRight(tell("giving an upload up", kept, decision.why), give(job, kept))
        return undefined
      })

    /** `opened` is told of it as soon as it is on disk. */
    const create = (job: Job, opened: (upload: UploadName) => void) =>
      Effect.gen(function* () {
        const created = yield* wanted(job)
        const { sizeBytes } = job.source
        const { key } = job.object
        let begun: Exit.Exit<UploadName, StateUnusable> | undefined
        const attempt = Effect.flatMap(store.createUpload(job.object), ({ checksum, uploadId }) =>
          job.record.started({ ...created, checksum, uploadId, sizeBytes }).pipe(
            Effect.tap(() => Effect.sync(() => opened({ key, uploadId }))),
            Effect.tapError(() => give(job, { key, uploadId })),
            Effect.as({ key, uploadId }),
            Effect.exit,
            Effect.tap((exit) => Effect.sync(() => (begun = exit)))
          )
        )
        // an answer that came too late for one try is there for the next
        return yield* Effect.flatten(
          job.request(
            Effect.suspend(() => (begun === undefined ? completeDespiteInterrupt(attempt) : Effect.succeed(begun)))
          )
        )
      })

    const attempt = (job: Job, kept: Resumption.KeptUpload | undefined) => {
      const stored = new Map(kept?.parts)
      let progress: Progress | undefined
      const opened = ({ key, uploadId }: UploadName) =>
        (progress ??= { upload: { key, uploadId }, stored, sparedBytes: 0 })
      let completions = 0

      const keep = Effect.sync(() => {
        if (progress !== undefined)
          reporter.addKept({ ...progress.upload, storedBytes: bytesOf(stored), sizeBytes: job.source.sizeBytes })
      })
      const after = (error: FileError | Interrupted | NotResumable): Effect.Effect<void, NotResumable> => {
        if (progress === undefined) return Effect.void
        if (error._tag === "Anew") return give(job, progress.upload)
        if (kept !== undefined && completions < 2 && Resumption.isUnknownUpload(error))
          return Effect.zipRight(
            Effect.ignore(job.record.end),
            new NotResumable({ why: "the store does not know it any more" })
          )
        if (isWholeMismatch(error)) return Effect.ignore(job.record.end)
        return keepsUpload(error) ? keep : give(job, progress.upload)
      }

      return Effect.gen(function* () {
        const upload = kept ?? (yield* create(job, opened))
        const now = opened(upload)
        const content = yield* sendParts(means, job, now)
        yield* job.completing(content)
        const inOrder = [...stored.values()].toSorted((a, b) => a.number - b.number)
        const object = yield* job.request(
          Effect.suspend(() => {
            completions++
            return store.completeUpload(job.object, upload.uploadId, inOrder)
          })
        )
        yield* job.record.end
        if (now.sparedBytes > 0) reporter.addResumed(now.sparedBytes)
        return { content, stored: object }
      }).pipe(
        Effect.tapError(after),
        Effect.onInterrupt(() => keep)
      )
    }

    return {
      send: (job: Job): Effect.Effect<Sent, FileError | Interrupted> =>
        Effect.flatMap(resumable(job), (kept) => attempt(job, kept)).pipe(
          Effect.catchTag("Anew", ({ why }) =>
            Effect.zipRight(
              Effect.annotateLogs(Effect.logDebug("beginning an upload anew"), { key: job.object.key, why }),
              // what was not gone on with does not end so
              Effect.catchTag(attempt(job, undefined), "Anew", Effect.die)
            )
          ),
          // stored, but not as the parts that were sent: the whole upload is made anew, once
          Effect.retry({ times: 1, while: (error) => isWholeMismatch(error) && !limits.noOverwrite }),
          (sending) =>
            Effect.acquireUseRelease(
              Effect.sync(buffers.open),
              () => sending,
              () => Effect.sync(buffers.close)
            ),
          turns.withPermits(1)
        )
    }
  })

const bytesOf = (parts: ReadonlyMap<number, Resumption.KeptPart>) =>
  [...parts.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

/** The object was stored, and is not what was sent; the upload is no more. */
const isWholeMismatch = (error: FileError | Interrupted | NotResumable) =>
  error._tag === "IntegrityFailure" && error.operation === "CompleteMultipartUpload" && error.status === undefined

const tell = (message: string, { key, parts, uploadId }: Resumption.KeptUpload, why?: string) =>
  Effect.annotateLogs(Effect.logDebug(message), {
    key,
    uploadId,
    storedParts: parts.size,
    storedBytes: bytesOf(parts),
    ...(why === undefined ? {} : { why })
  })

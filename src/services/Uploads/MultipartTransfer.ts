/**
 * Sends large files in parts. The ledger records the stored parts of an unfinished upload, and the next run sends only
 * the others. No request asks the store which parts it has.
 */
import { Clock, Effect, type Exit, flow } from "effect"
import { hash } from "node:crypto"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { FileError, IntegrityFailure, Interrupted, StateUnusable } from "../../domain/Errors.ts"
import { keepsUpload } from "../../domain/FailureClass.ts"
import * as LostCompletion from "../../domain/LostCompletion.ts"
import * as ManifestDirectory from "../../domain/ManifestDirectory.ts"
import * as Resumption from "../../domain/Resumption.ts"
import type { ObjectAttributes, Settings } from "../../domain/Settings.ts"
import * as UploadPlan from "../../domain/UploadPlan.ts"
import { type NewObject, ObjectStore, type UploadName } from "../ObjectStore.ts"
import { abortUpload, completeDespiteInterrupt } from "../ObjectStore/AbortUpload.ts"
import { Reporter } from "../Reporter.ts"
import * as Timeouts from "../Requests/Timeouts.ts"
import { Stop } from "../Stop.ts"
import * as BufferPool from "./BufferPool.ts"
import { type FileParts, NotResumable, type UploadProgress, sendParts, type SharedResources } from "./PartPipeline.ts"
import type { Sent } from "./Terms.ts"

/** One file to send. */
export interface Job extends FileParts {
  readonly object: NewObject
  /** Completes before the request that may make the object visible is sent. */
  readonly completing: (content: ContentDigest) => Effect.Effect<void, StateUnusable>
}

export type Limits = ObjectAttributes & UploadPlan.Limits & Pick<Settings, "force" | "manifest" | "manifestFile">

/** Each part reserves its bytes in `memory`. */
export const make = (limits: Limits, memory: Effect.Semaphore) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const reporter = yield* Reporter
    const stop = yield* Stop
    const buffers = BufferPool.make()
    const share = UploadPlan.partsBytes(limits)
    const memoryOfParts = yield* Effect.makeSemaphore(share)
    const holdMemory = (bytes: number) =>
      flow(memory.withPermits(bytes), memoryOfParts.withPermits(Math.min(share, bytes)))
    const resources: SharedResources = {
      store,
      stop,
      holdMemory,
      buffers,
      withFacts: ManifestDirectory.isWanted(limits)
    }
    const attributes = hash("sha256", Resumption.attributesOf(limits))
    // the files whose parts fill the memory, plus one, so that memory stays in use while a file completes; more files
    // would delay the first ones
    const files = yield* Effect.makeSemaphore(1 + Math.ceil(share / limits.partSizeBytes / UploadPlan.maxQueue))

    const abandon = (job: Job, { key, uploadId }: UploadName) =>
      Effect.zipRight(abortUpload(store, { key, uploadId }, reporter.abortFailed), Effect.ignore(job.record.end))

    const wantedUpload = (job: Job) =>
      Effect.map(store.traits, (traits): Resumption.Created => ({
        key: job.object.key,
        state: job.object.state,
        generation: job.record.generation,
        partSizeBytes: job.plan.partSizeBytes,
        attributes,
        checksum: traits?.checksum ?? job.record.checksum
      }))

    /** The file's unfinished upload, if it can be resumed. Aborts it otherwise. */
    const keptUpload = (job: Job) =>
      Effect.gen(function* () {
        const kept = yield* job.record.kept
        if (kept === undefined) return undefined
        const { sizeBytes } = job.source
        const decision = Resumption.decide(kept, yield* wantedUpload(job), sizeBytes, yield* Clock.currentTimeMillis)
        if (decision._tag === "Resume") {
          yield* Effect.zipRight(log("resuming an upload", kept), job.record.resumed(sizeBytes))
          return kept
        }
        yield* Effect.zipRight(log("abandoning an upload", kept, decision.why), abandon(job, kept))
        return undefined
      })

    /** Calls `onCreated` as soon as the ledger has recorded the upload on disk. */
    const create = (job: Job, onCreated: (upload: UploadName) => void) =>
      Effect.gen(function* () {
        const wanted = yield* wantedUpload(job)
        const { sizeBytes } = job.source
        const { key } = job.object
        let created: Exit.Exit<UploadName, StateUnusable> | undefined
        const attempt = Effect.flatMap(store.createUpload(job.object), ({ checksum, uploadId }) =>
          job.record.started({ ...wanted, checksum, uploadId, sizeBytes }).pipe(
            Effect.tap(() => Effect.sync(() => onCreated({ key, uploadId }))),
            Effect.tapError(() => abandon(job, { key, uploadId })),
            Effect.as({ key, uploadId }),
            Effect.exit,
            Effect.tap((exit) => Effect.sync(() => (created = exit)))
          )
        )
        // if the response arrives after the timeout, the next attempt uses it
        return yield* Effect.flatten(
          job.request(
            Effect.suspend(() => (created === undefined ? completeDespiteInterrupt(attempt) : Effect.succeed(created)))
          )
        )
      })

    /** Records a lost completion. Fails if `LostCompletion` does not allow sending the file again now. */
    const noteLost = ({ record }: Job) =>
      Effect.gen(function* () {
        yield* record.completionLost
        const lost = yield* record.lostCompletions
        if (!limits.force && LostCompletion.attemptsLeft(lost, yield* Clock.currentTimeMillis) === 0)
          return yield* LostCompletion.failure(true)
      })

    const sendOnce = (job: Job, kept: Resumption.KeptUpload | undefined) => {
      const stored = new Map(kept?.parts)
      let progress: UploadProgress | undefined
      const opened = ({ key, uploadId }: UploadName) => {
        progress ??= { upload: { key, uploadId }, stored, sparedBytes: 0 }
        reporter.tally.activeUploads.add(progress)
        return progress
      }
      const closed = Effect.sync(() => progress && reporter.tally.activeUploads.delete(progress))

      const keep = Effect.sync(() => {
        if (progress !== undefined)
          reporter.addKept({ ...progress.upload, storedBytes: bytesOf(stored), sizeBytes: job.source.sizeBytes })
      })
      const afterFailure = (
        error: FileError | Interrupted | NotResumable
      ): Effect.Effect<void, FileError | NotResumable> => {
        if (progress === undefined) return Effect.void
        if (error._tag === "NotResumable") return abandon(job, progress.upload)
        const forget = Effect.ignore(job.record.end)
        if (LostCompletion.isLost(error)) return forget
        if (kept !== undefined && Resumption.isUnknownUpload(error)) {
          // if all parts are stored, an earlier run has already tried to complete the upload
          const isComplete = progress.sparedBytes === job.source.sizeBytes
          return Effect.zipRight(forget, isComplete ? noteLost(job) : Effect.void).pipe(
            Effect.zipRight(new NotResumable({ why: "the store no longer knows it" }))
          )
        }
        if (isStoredWrong(error)) return forget
        return keepsUpload(error) ? keep : abandon(job, progress.upload)
      }

      return Effect.gen(function* () {
        const upload = kept ?? (yield* create(job, opened))
        const current = opened(upload)
        const content = yield* sendParts(resources, job, current)
        yield* job.completing(content)
        const inOrder = [...stored.values()].toSorted((a, b) => a.number - b.number)
        const object = yield* job.request(
          Effect.suspend(() => store.completeUpload(job.object, upload.uploadId, inOrder)),
          // a longer timeout: while AWS assembles the parts, it sends whitespace for up to several minutes
          inOrder.length * Timeouts.minBytesPerSecond
        )
        yield* job.record.end
        if (current.sparedBytes > 0) reporter.addResumed(current.sparedBytes)
        return { content, stored: object }
      }).pipe(
        Effect.tapError(afterFailure),
        Effect.onInterrupt(() => keep),
        Effect.ensuring(closed)
      )
    }

    return {
      send: (job: Job): Effect.Effect<Omit<Sent, "objectBytes">, FileError | Interrupted> =>
        Effect.flatMap(keptUpload(job), (kept) => sendOnce(job, kept)).pipe(
          Effect.catchTag("NotResumable", ({ why }) =>
            Effect.zipRight(
              Effect.annotateLogs(Effect.logDebug("starting an upload over"), { key: job.object.key, why }),
              // only a resumed upload can fail as not resumable
              Effect.catchTag(sendOnce(job, undefined), "NotResumable", Effect.die)
            )
          ),
          // a second upload may replace a wrong object, but only once
          Effect.retry({ times: 1, while: (error) => isStoredWrong(error) && !limits.noOverwrite }),
          (sent) =>
            Effect.acquireUseRelease(
              Effect.sync(buffers.open),
              () => sent,
              () => Effect.sync(buffers.close)
            ),
          files.withPermits(1)
        )
    }
  })

const bytesOf = (parts: ReadonlyMap<number, Resumption.KeptPart>) =>
  [...parts.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

/** Whether the object differs from the data that was sent, or the store found a difference and stored nothing. */
export const isWholeMismatch = (error: FileError | Interrupted | NotResumable): error is IntegrityFailure =>
  error._tag === "IntegrityFailure" && error.operation === "CompleteMultipartUpload"

/** Whether a wrong object is stored. In this case, the store reported success, and the upload no longer exists. */
const isStoredWrong = (error: FileError | Interrupted | NotResumable) =>
  isWholeMismatch(error) && error.status === undefined

const log = (message: string, { key, parts, uploadId }: Resumption.KeptUpload, why?: string) =>
  Effect.annotateLogs(Effect.logDebug(message), {
    key,
    uploadId,
    storedParts: parts.size,
    storedBytes: bytesOf(parts),
    ...(why === undefined ? {} : { why })
  })

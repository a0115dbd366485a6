import { Context, Effect, Layer, Option } from "effect"
import { ConfigError, type FileError, InternalError, Interrupted, type StoreError } from "../domain/Errors.ts"
import type { ObjectKey } from "../domain/ObjectKey.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Size from "../domain/Size.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import * as UploadPlan from "../domain/UploadPlan.ts"
import { type NewObject, ObjectStore, type StoredObject } from "./ObjectStore.ts"
import * as Patience from "./Patience.ts"
import { Reporter } from "./Reporter.ts"
import * as SourceReader from "./SourceReader.ts"
import { Stop } from "./Stop.ts"
import * as TimeLimit from "./TimeLimit.ts"

/** Carries files to the store, within the limits of the settings. */
export class Uploads extends Context.Tag("ibsr-export/Uploads")<
  Uploads,
  {
    /** Whether there is anybody to upload as, and where; sends nothing to the store. */
    readonly ready: Effect.Effect<void, StoreError | ConfigError>
    /** Stores one file under its key. Never fails: what went wrong is an outcome like any other. */
    readonly upload: (file: SourceFile, key: ObjectKey) => Effect.Effect<Outcome>
  }
>() {
  /**
   * Every request passes three gates: `concurrency`, over files and parts together; `timeout`; and patience with what
   * may go better a little later. Bodies wait for room in `memory` before they are read.
   */
  static readonly layer = (limits: Limits) =>
    Layer.effect(
      Uploads,
      Effect.gen(function* () {
        const store = yield* ObjectStore
        const reporter = yield* Reporter
        const requests = yield* Effect.makeSemaphore(limits.concurrency)
        const memory = yield* Effect.makeSemaphore(limits.memoryBytes)
        const patient = yield* Patience.make(limits.maxRetries)
        const stop = yield* Stop

        const once = <A>(attempt: Effect.Effect<A, StoreError>) =>
          requests.withPermits(1)(
            Effect.flatMap(stop.reason, (reason): Effect.Effect<A, StoreError | Interrupted> =>
              Option.isSome(reason)
                ? Effect.fail(new Interrupted())
                : TimeLimit.inTime(attempt, limits.timeout, TimeLimit.noAnswer)
            )
          )

        const send = (
          source: SourceReader.OpenSource,
          object: NewObject,
          onRetry: (error: StoreError) => Effect.Effect<void>
        ): Effect.Effect<StoredObject, FileError | Interrupted> => {
          const request = <A>(attempt: Effect.Effect<A, StoreError>) => patient(once(attempt), onRetry)
          return UploadPlan.UploadPlan.$match(UploadPlan.decide(source.sizeBytes, limits), {
            Single: ({ memoryBytes }) =>
              memory.withPermits(memoryBytes)(Effect.flatMap(source.bytes, (body) => request(store.put(object, body)))),
            // its parts would be thrown away without those that may not be sent any more, so it ends with the signal
            Multipart: ({ memoryBytes, ...parts }) =>
              memory
                .withPermits(memoryBytes)(
                  store.putMultipart(
                    object,
                    { ...parts, pieces: source.pieces },
                    { request, leftOpen: reporter.leftOpen }
                  )
                )
                .pipe(
                  // stored, but not as the parts that were sent: the whole upload is made anew, once
                  Effect.retry({ times: 1, while: isWholeMismatch }),
                  Effect.raceFirst(Effect.zipRight(stop.requested, Effect.fail(new Interrupted())))
                ),
            TooLarge: ({ neededMemoryBytes }) => Effect.fail(tooLarge(source, neededMemoryBytes))
          })
        }

        return {
          // a credential source may be down for a moment, like a store
          ready: patient(
            TimeLimit.inTime(store.ready, limits.timeout, TimeLimit.noCredentials),
            retrying("credentials")
          ).pipe(Effect.catchTag("Interrupted", () => Effect.void)),
          upload: (file, key) => {
            const onRetry = (error: StoreError) => {
              reporter.tally.retries++
              return retrying(key)(error)
            }
            return SourceReader.open(file, limits).pipe(
              Effect.flatMap((source) =>
                limits.finalOnly && source.state === "live"
                  ? Effect.succeed<Outcome>(Outcome.Live())
                  : Effect.map(send(source, { key, state: source.state }, onRetry), () =>
                      Outcome.Uploaded({
                        relativePath: file.relativePath,
                        sizeBytes: source.sizeBytes,
                        torn: source.torn
                      })
                    )
              ),
              Effect.scoped,
              // looked at anew, it is smaller and at rest
              Effect.retry({ times: 2, while: SourceReader.isShrunk }),
              asOutcome(file, key)
            )
          }
        }
      })
    )

  /** Looks at the files, and sends nothing. */
  static readonly layerDryRun = (limits: Limits) =>
    Layer.succeed(Uploads, {
      ready: Effect.void,
      upload: (file, key) =>
        SourceReader.open(file, limits).pipe(
          Effect.flatMap((source) => {
            if (limits.finalOnly && source.state === "live") return Effect.succeed<Outcome>(Outcome.Live())
            const planned = (parts: number): Effect.Effect<Outcome, ConfigError> =>
              Effect.succeed(
                Outcome.Planned({ relativePath: file.relativePath, key, sizeBytes: source.sizeBytes, parts })
              )
            return UploadPlan.UploadPlan.$match(UploadPlan.decide(source.sizeBytes, limits), {
              Single: () => planned(1),
              Multipart: ({ parts }) => planned(parts),
              TooLarge: ({ neededMemoryBytes }) => Effect.fail(tooLarge(source, neededMemoryBytes))
            })
          }),
          Effect.scoped,
          asOutcome(file, key)
        )
    })
}

export type Limits = Pick<
  Settings,
  | "concurrency"
  | "memoryBytes"
  | "partSizeBytes"
  | "maxRetries"
  | "timeout"
  | "followSymlinks"
  | "finalAfter"
  | "finalOnly"
>

const isWholeMismatch = (error: FileError | Interrupted) =>
  error._tag === "IntegrityFailure" && error.operation === "CompleteMultipartUpload" && error.retryable

const tooLarge = (source: SourceReader.OpenSource, neededMemoryBytes: number) =>
  new ConfigError({
    detail: `a file of ${Size.format(source.sizeBytes)} needs parts for which --memory has no room`,
    advice: `give --memory ${Math.ceil(neededMemoryBytes / 1024 ** 2)}MiB`
  })

/** What is tried again, and why. */
const retrying = (what: string) => (error: FileError) =>
  Effect.annotateLogs(Effect.logDebug("retrying"), { what, error: error.message })

/** Whatever happened to a file becomes its outcome; a defect too, so that the other files still get their turn. */
const asOutcome =
  (file: SourceFile, key: ObjectKey) =>
  <R>(
    self: Effect.Effect<Outcome, FileError | SourceReader.OpenError | Interrupted, R>
  ): Effect.Effect<Outcome, never, R> =>
    self.pipe(
      Effect.catchAllDefect((cause) => Effect.fail(new InternalError({ detail: String(cause), cause }))),
      Effect.catchAll((error) => {
        switch (error._tag) {
          case "Interrupted":
            return Effect.succeed<Outcome>(Outcome.Interrupted())
          case "Vanished":
            return Effect.succeed(Outcome.Vanished())
          case "NotReady":
            return Effect.succeed(Outcome.NotReady())
          case "NotRegular":
            return Effect.succeed(Outcome.Skipped({ why: error.why }))
          default:
            return Effect.succeed(Outcome.Failed({ relativePath: file.relativePath, key, error }))
        }
      })
    )

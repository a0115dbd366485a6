/** A bucket in memory, for tests of what surrounds a store. It passes the suite of the real ones. */
import { Effect, Layer } from "effect"
import {
  AccessDenied,
  BucketUnusable,
  ObjectExists,
  SourceUnreadable,
  type StoreError
} from "../../src/domain/Errors.ts"
import {
  type MultipartBody,
  type MultipartPolicy,
  type NewObject,
  ObjectStore,
  type StoredObject
} from "../../src/services/ObjectStore.ts"

export interface MemoryOptions {
  readonly noOverwrite?: boolean
  /** Keys that may be written to. */
  readonly permitted?: string
  readonly bucketExists?: boolean
  readonly mayAbort?: boolean
  /** Runs before each attempt of a request, which fails with what it fails with. */
  readonly before?: (operation: string, key: string) => Effect.Effect<void, StoreError>
  /** Runs after what stores an object, whose answer is lost when it fails. */
  readonly after?: (key: string) => Effect.Effect<void, StoreError>
}

export interface MemoryStore {
  readonly layer: Layer.Layer<ObjectStore>
  /** By key, oldest version first. */
  readonly versions: ReadonlyMap<string, ReadonlyArray<Buffer>>
  /** Keys of multipart uploads neither completed nor aborted. */
  readonly open: ReadonlySet<string>
  /** Every attempt, as `PutObject a/b.jsonl`. */
  readonly requests: ReadonlyArray<string>
}

const refusal = (operation: string, code: string) => ({ operation, detail: code, code, retryable: false })

export const make = (options: MemoryOptions = {}): MemoryStore => {
  const versions = new Map<string, Array<Buffer>>()
  const open = new Set<string>()
  const requests: Array<string> = []

  const request = (operation: string, key: string): Effect.Effect<void, StoreError> =>
    Effect.suspend(() => {
      requests.push(`${operation} ${key}`)
      if (options.bucketExists === false) return Effect.fail(new BucketUnusable(refusal(operation, "NoSuchBucket")))
      if (
        !key.startsWith(options.permitted ?? "") ||
        (operation === "AbortMultipartUpload" && options.mayAbort === false)
      ) {
        return Effect.fail(new AccessDenied(refusal(operation, "AccessDenied")))
      }
      return options.before?.(operation, key) ?? Effect.void
    })

  const store = (operation: string, key: string, body: Buffer): Effect.Effect<StoredObject, StoreError> =>
    Effect.suspend(() => {
      const known = versions.get(key) ?? []
      if (options.noOverwrite === true && known.length > 0) {
        return Effect.fail(new ObjectExists(refusal(operation, "PreconditionFailed")))
      }
      versions.set(key, [...known, body])
      return Effect.as(options.after?.(key) ?? Effect.void, { etag: undefined, versionId: String(known.length) })
    })

  const abort = (key: string, { leftOpen }: Pick<MultipartPolicy<never>, "leftOpen">) =>
    Effect.matchEffect(request("AbortMultipartUpload", key), {
      onFailure: (error) => leftOpen({ key, uploadId: key, reason: error.message }),
      onSuccess: () => Effect.sync(() => open.delete(key))
    })

  return {
    versions,
    open,
    requests,
    layer: Layer.succeed(ObjectStore, {
      ready: () => Effect.void,
      learned: Effect.succeed(undefined),
      put: ({ key }, body) => Effect.zipRight(request("PutObject", key), store("PutObject", key, Buffer.from(body))),
      putMultipart: <E>({ key }: NewObject, body: MultipartBody, policy: MultipartPolicy<E>) =>
        Effect.gen(function* () {
          yield* policy.request(
            Effect.tap(request("CreateMultipartUpload", key), () => Effect.sync(() => open.add(key)))
          )
          const whole = yield* Effect.tryPromise({
            try: () => Array.fromAsync(body.pieces()),
            catch: (cause) =>
              cause instanceof SourceUnreadable
                ? cause
                : new SourceUnreadable({ path: key, detail: String(cause), cause })
          })
          const bytes = Buffer.concat(whole)
          const parts = Array.from({ length: Math.ceil(bytes.length / body.partSizeBytes) })
          yield* Effect.forEach(parts, () => policy.request(request("UploadPart", key)), {
            concurrency: body.queueSize,
            discard: true
          })
          yield* policy.completing
          const stored = yield* policy.request(
            Effect.zipRight(request("CompleteMultipartUpload", key), store("CompleteMultipartUpload", key, bytes))
          )
          open.delete(key)
          return stored
        }).pipe(Effect.onExit((exit) => (exit._tag === "Failure" && open.has(key) ? abort(key, policy) : Effect.void)))
    })
  }
}

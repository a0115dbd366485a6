/** A store in memory, for tests of the code around a store. It passes the same contract suite as the real ones. */
import { Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import {
  AccessDenied,
  BucketUnusable,
  ObjectExists,
  SourceUnreadable,
  type StoreError,
  UploadFailed
} from "../../src/domain/Errors.ts"
import type { State } from "../../src/domain/Snapshot.ts"
import {
  type NewObject,
  ObjectStore,
  type StoredObject,
  type StreamBody,
  type StreamPolicy
} from "../../src/services/ObjectStore.ts"

export interface MemoryOptions {
  readonly noOverwrite?: boolean
  /** The prefix of the keys that may be written. Default: all. */
  readonly permitted?: string
  readonly bucketExists?: boolean
  readonly mayAbort?: boolean
  /** Runs before each attempt of a request. If it fails, so does the request. */
  readonly before?: (operation: string, key: string) => Effect.Effect<void, StoreError>
  /** Changes what is stored, as a faulty store does. */
  readonly alter?: (key: string, body: Buffer) => Buffer
  /** Runs after an object is stored. If it fails, the response is lost. */
  readonly after?: (key: string, operation: string) => Effect.Effect<void, StoreError>
}

export interface MemoryStore {
  readonly layer: Layer.Layer<ObjectStore>
  /** By key, oldest version first. */
  readonly versions: ReadonlyMap<string, ReadonlyArray<Buffer>>
  /** By key: the state of the latest version. */
  readonly states: ReadonlyMap<string, State>
  /** Multipart uploads that are neither completed nor aborted, by ID. A test may remove an upload. */
  readonly open: Map<string, OpenUpload>
  /** Every attempt, such as `PutObject a/b.jsonl`. */
  readonly requests: ReadonlyArray<string>
}

interface OpenUpload {
  readonly key: string
  readonly parts: Map<number, Buffer>
}

const errorFields = (operation: string, code: string) => ({ operation, detail: code, code, retryable: false })

export const make = (options: MemoryOptions = {}): MemoryStore => {
  const versions = new Map<string, Array<Buffer>>()
  const states = new Map<string, State>()
  const open = new Map<string, OpenUpload>()
  let created = 0
  const requests: Array<string> = []

  const request = (operation: string, key: string): Effect.Effect<void, StoreError> =>
    Effect.suspend(() => {
      requests.push(`${operation} ${key}`)
      if (options.bucketExists === false) return Effect.fail(new BucketUnusable(errorFields(operation, "NoSuchBucket")))
      if (
        !key.startsWith(options.permitted ?? "") ||
        (operation === "AbortMultipartUpload" && options.mayAbort === false)
      ) {
        return Effect.fail(new AccessDenied(errorFields(operation, "AccessDenied")))
      }
      return options.before?.(operation, key) ?? Effect.void
    })

  const store = (operation: string, { key, state }: NewObject, body: Buffer): Effect.Effect<StoredObject, StoreError> =>
    Effect.suspend(() => {
      const existing = versions.get(key) ?? []
      if (options.noOverwrite === true && existing.length > 0) {
        return Effect.fail(new ObjectExists({ ...errorFields(operation, "PreconditionFailed"), status: 412 }))
      }
      versions.set(key, [...existing, options.alter?.(key, body) ?? body])
      states.set(key, state)
      return Effect.as(options.after?.(key, operation) ?? Effect.void, {
        etag: undefined,
        versionId: String(existing.length)
      })
    })

  const create = (key: string) =>
    Effect.map(request("CreateMultipartUpload", key), () => {
      const uploadId = `${key}#${++created}`
      open.set(uploadId, { key, parts: new Map() })
      return uploadId
    })

  const findUpload = (operation: string, key: string, uploadId: string) =>
    Effect.suspend(() => {
      const upload = open.get(uploadId)
      return upload?.key === key
        ? Effect.succeed(upload)
        : Effect.fail(new UploadFailed(errorFields(operation, "NoSuchUpload")))
    })

  const abort = (key: string, uploadId: string) =>
    Effect.zipRight(
      request("AbortMultipartUpload", key),
      Effect.sync(() => void open.delete(uploadId))
    )

  return {
    versions,
    states,
    open,
    requests,
    layer: Layer.succeed(ObjectStore, {
      ready: () => Effect.void,
      traits: Effect.succeed(undefined),
      put: (object, body, sha256) =>
        Effect.suspend(() => {
          assertSha256(body, sha256)
          return Effect.zipRight(request("PutObject", object.key), store("PutObject", object, Buffer.from(body)))
        }),
      createUpload: ({ key }) => Effect.map(create(key), (uploadId) => ({ uploadId, checksum: "SHA256" })),
      uploadPart: ({ body, key, number, sha256, uploadId }) =>
        Effect.zipRight(request("UploadPart", key), findUpload("UploadPart", key, uploadId)).pipe(
          Effect.map(({ parts }) => {
            assertSha256(body, sha256)
            parts.set(number, Buffer.from(body))
            return { etag: etagOf(body), checksum: undefined }
          })
        ),
      completeUpload: (object, uploadId, parts) =>
        Effect.gen(function* () {
          const { key } = object
          yield* request("CompleteMultipartUpload", key)
          const upload = yield* findUpload("CompleteMultipartUpload", key, uploadId)
          const bodies = parts.map(({ etag, number }) => {
            const body = upload.parts.get(number)
            return body !== undefined && etagOf(body) === etag ? body : undefined
          })
          if (!bodies.every((body) => body !== undefined) || bodies.length !== upload.parts.size)
            return yield* new UploadFailed(errorFields("CompleteMultipartUpload", "InvalidPart"))
          open.delete(uploadId)
          return yield* store("CompleteMultipartUpload", object, Buffer.concat(bodies))
        }),
      abortUpload: ({ key, uploadId }) => abort(key, uploadId),
      putStream: <E>(object: NewObject, body: StreamBody, policy: StreamPolicy<E>) =>
        Effect.gen(function* () {
          const { key } = object
          const uploadId = yield* policy.request(create(key))
          return yield* Effect.gen(function* () {
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
              Effect.zipRight(request("CompleteMultipartUpload", key), store("CompleteMultipartUpload", object, bytes))
            )
            open.delete(uploadId)
            return stored
          }).pipe(
            Effect.onExit((exit) =>
              exit._tag === "Failure" && open.has(uploadId)
                ? Effect.catchAll(abort(key, uploadId), (error) =>
                    policy.abortFailed({ key, uploadId, reason: error.message })
                  )
                : Effect.void
            )
          )
        })
    })
  }
}

/** The caller's SHA-256 has to be correct, because the signature of a real request covers it. */
const assertSha256 = (body: Uint8Array, sha256: string | undefined) => {
  if (sha256 !== undefined && sha256 !== createHash("sha256").update(body).digest("hex"))
    throw new Error("the body does not have the given SHA-256")
}

const etagOf = (body: Uint8Array) => createHash("md5").update(body).digest("hex")

/** A bucket in memory, for tests of what surrounds a store. It passes the suite of the real ones. */
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
import {
  type NewObject,
  ObjectStore,
  type StoredObject,
  type StreamBody,
  type StreamPolicy
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
  /** Multipart uploads neither completed nor aborted, by id; a test may take one away. */
  readonly open: Map<string, OpenUpload>
  /** Every attempt, as `PutObject a/b.jsonl`. */
  readonly requests: ReadonlyArray<string>
}

interface OpenUpload {
  readonly key: string
  readonly parts: Map<number, Buffer>
}

const refusal = (operation: string, code: string) => ({ operation, detail: code, code, retryable: false })

export const make = (options: MemoryOptions = {}): MemoryStore => {
  const versions = new Map<string, Array<Buffer>>()
  const open = new Map<string, OpenUpload>()
  let created = 0
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

  const create = (key: string) =>
    Effect.map(request("CreateMultipartUpload", key), () => {
      const uploadId = `${key}#${++created}`
      open.set(uploadId, { key, parts: new Map() })
      return uploadId
    })

  const found = (operation: string, key: string, uploadId: string) =>
    Effect.suspend(() => {
      const upload = open.get(uploadId)
      return upload?.key === key
        ? Effect.succeed(upload)
        : Effect.fail(new UploadFailed(refusal(operation, "NoSuchUpload")))
    })

  const abort = (key: string, uploadId: string) =>
    Effect.zipRight(
      request("AbortMultipartUpload", key),
      Effect.sync(() => void open.delete(uploadId))
    )

  return {
    versions,
    open,
    requests,
    layer: Layer.succeed(ObjectStore, {
      ready: () => Effect.void,
      traits: Effect.succeed(undefined),
      put: ({ key }, body, sha256) =>
        Effect.suspend(() => {
          checkSum(body, sha256)
          return Effect.zipRight(request("PutObject", key), store("PutObject", key, Buffer.from(body)))
        }),
      createUpload: ({ key }) => Effect.map(create(key), (uploadId) => ({ uploadId, checksum: "SHA256" })),
      uploadPart: ({ body, key, number, sha256, uploadId }) =>
        Effect.zipRight(request("UploadPart", key), found("UploadPart", key, uploadId)).pipe(
          Effect.map(({ parts }) => {
            checkSum(body, sha256)
            parts.set(number, Buffer.from(body))
            return { etag: etagOf(body), checksum: undefined }
          })
        ),
      completeUpload: ({ key }, uploadId, parts) =>
        Effect.gen(function* () {
          yield* request("CompleteMultipartUpload", key)
          const upload = yield* found("CompleteMultipartUpload", key, uploadId)
          const bodies = parts.map(({ etag, number }) => {
            const body = upload.parts.get(number)
            return body !== undefined && etagOf(body) === etag ? body : undefined
          })
          if (!bodies.every((body) => body !== undefined) || bodies.length !== upload.parts.size)
            return yield* new UploadFailed(refusal("CompleteMultipartUpload", "InvalidPart"))
          open.delete(uploadId)
          return yield* store("CompleteMultipartUpload", key, Buffer.concat(bodies))
        }),
      abortUpload: ({ key, uploadId }) => abort(key, uploadId),
      putStream: <E>({ key }: NewObject, body: StreamBody, policy: StreamPolicy<E>) =>
        Effect.gen(function* () {
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
              Effect.zipRight(request("CompleteMultipartUpload", key), store("CompleteMultipartUpload", key, bytes))
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

/** What is said of a body has to be true: a signature is made of it. */
const checkSum = (body: Uint8Array, sha256: string | undefined) => {
  if (sha256 !== undefined && sha256 !== createHash("sha256").update(body).digest("hex"))
    throw new Error("the body has another SHA-256 than the one that was told")
}

const etagOf = (body: Uint8Array) => createHash("md5").update(body).digest("hex")

import { Context, Effect, Layer } from "effect"
import type { ConfigError, SourceUnreadable, StoreError } from "../domain/Errors.ts"
import type { ObjectKey } from "../domain/ObjectKey.ts"
import type { State } from "../domain/Snapshot.ts"
import type { Checksum, StoreTraits } from "../domain/StoreTraits.ts"
import type { OpenUpload } from "../report/Report.ts"

/** The store's acknowledgement of an object. */
export interface StoredObject {
  /** Without quotes. */
  readonly etag: string | undefined
  /** Defined only if the bucket keeps versions. */
  readonly versionId: string | undefined
}

/** An object to create, without its content. */
export interface NewObject {
  readonly key: ObjectKey
  /** Stored as metadata `ibsr-state`. A `final` object does not change any more, but a `live` one may grow. */
  readonly state: State
}

/** A multipart upload, from its creation to its completion. */
export interface UploadName {
  readonly key: ObjectKey
  readonly uploadId: string
}

/** The store's acknowledgement of a new multipart upload. */
export interface CreatedUpload {
  readonly uploadId: string
  /** Each part must be sent with this checksum. */
  readonly checksum: Checksum
}

export interface NewPart extends UploadName {
  /** Counted from 1. */
  readonly number: number
  /** The bytes must not change until the attempt has ended. */
  readonly body: Uint8Array
  /** SHA-256 of the body in hexadecimal, if it is known. */
  readonly sha256?: string
}

/** The store's acknowledgement of a part, which completing the upload requires. */
export interface StoredPart {
  /** Exactly as in the response. */
  readonly etag: string
  /**
   * SHA-256 in base64; undefined unless the response contained it. A store that keeps checksums of parts returns them,
   * and requires them for the completion. Swift before 2.36 does neither, and refuses a completion that contains them.
   */
  readonly checksum: string | undefined
}

/** A body that is sent in parts while it is being produced. */
export interface StreamBody {
  /** The bytes, in pieces of any size. If it throws `SourceUnreadable`, the upload fails with that error. */
  readonly pieces: () => AsyncIterable<Uint8Array>
  /** Bytes of every part but the last. */
  readonly partSizeBytes: number
  /** Maximum parts in flight. */
  readonly queueSize: number
}

/** The caller's additions to the requests of a streamed upload. */
export interface StreamPolicy<E> {
  /** Wraps each request: adds retries, the timeout and the concurrency limit. */
  readonly request: <A>(attempt: Effect.Effect<A, StoreError>, bodyBytes?: number) => Effect.Effect<A, StoreError | E>
  /** Runs after all parts are stored and before the request that makes the object visible. */
  readonly completing: Effect.Effect<void, E>
  /** Called for an upload that could not be aborted. */
  readonly abortFailed: (upload: OpenUpload) => Effect.Effect<void>
}

/**
 * A bucket to write to.
 *
 * Every operation tries its requests once; callers add retries, limits and timeouts. Interruption aborts a request on
 * the wire. No operation reads, lists or deletes objects: `s3:PutObject` is the only permission needed.
 */
export class ObjectStore extends Context.Tag("ibsr-export/ObjectStore")<
  ObjectStore,
  {
    /**
     * Resolves region and credentials, without a request to the store. Call it first. `checksum`: the algorithm that
     * the store accepted in an earlier run.
     */
    readonly ready: (checksum: Checksum) => Effect.Effect<void, StoreError | ConfigError>
    /** The store's traits, as shown by its responses so far; undefined before the first response. Sends nothing. */
    readonly traits: Effect.Effect<StoreTraits | undefined>
    /**
     * One request. Stores the whole body under the key, or fails; it never stores an incomplete body. After a failure
     * without a response (timeout, reset, interruption) the object may exist; sending it again does no harm. `sha256`:
     * the SHA-256 of the body in hexadecimal, if it is known. Should be a `Callback`, because there may be thousands of
     * requests.
     */
    readonly put: (object: NewObject, body: Uint8Array, sha256?: string) => Effect.Effect<StoredObject, StoreError>
    /** One request. Creates an upload, whose parts cost storage until it is completed or aborted. */
    readonly createUpload: (object: NewObject) => Effect.Effect<CreatedUpload, StoreError>
    /** One request. Stores the whole part, or fails. A part with the same number replaces the earlier one. */
    readonly uploadPart: (part: NewPart) => Effect.Effect<StoredPart, StoreError>
    /**
     * One request. Creates the object from exactly these parts, in order of their numbers, or fails like `put`. If the
     * upload is already complete, a store may report that the upload does not exist.
     */
    readonly completeUpload: (
      object: NewObject,
      uploadId: string,
      parts: ReadonlyArray<StoredPart & Pick<NewPart, "number">>
    ) => Effect.Effect<StoredObject, StoreError>
    /** One request. Frees the storage of its parts. Succeeds if the upload does not exist. */
    readonly abortUpload: (upload: UploadName) => Effect.Effect<void, StoreError>
    /**
     * A multipart upload of a body of unknown length. Stores the whole body under the key, or fails like `put`. Aborts
     * the upload after a failure or an interruption, so that its parts cost no storage. If the abort fails, calls
     * `policy.abortFailed`.
     */
    readonly putStream: <E>(
      object: NewObject,
      body: StreamBody,
      policy: StreamPolicy<E>
    ) => Effect.Effect<StoredObject, StoreError | SourceUnreadable | E>
  }
>() {
  /** Loads and builds the store on first use, and closes it with this layer. `ready` reports its `ConfigError`. */
  static readonly layerLazy = (load: Effect.Effect<Layer.Layer<ObjectStore, ConfigError>>) =>
    Layer.scoped(
      ObjectStore,
      Effect.gen(function* () {
        const scope = yield* Effect.scope
        let loaded: Context.Tag.Service<ObjectStore> | undefined
        const build = yield* Effect.cached(
          Effect.map(
            Effect.flatMap(load, (layer) => Layer.buildWithScope(layer, scope)),
            (context) => (loaded = Context.get(context, ObjectStore))
          )
        )
        const store = Effect.orDie(build)
        return {
          ready: (checksum) => Effect.flatMap(build, ({ ready }) => ready(checksum)),
          traits: Effect.suspend(() => loaded?.traits ?? Effect.succeed(undefined)),
          put: (object, body, sha256) =>
            loaded?.put(object, body, sha256) ?? Effect.flatMap(store, ({ put }) => put(object, body, sha256)),
          createUpload: (object) => Effect.flatMap(store, ({ createUpload }) => createUpload(object)),
          uploadPart: (part) => Effect.flatMap(store, ({ uploadPart }) => uploadPart(part)),
          completeUpload: (object, uploadId, parts) =>
            Effect.flatMap(store, ({ completeUpload }) => completeUpload(object, uploadId, parts)),
          abortUpload: (upload) => Effect.flatMap(store, ({ abortUpload }) => abortUpload(upload)),
          putStream: (object, body, policy) => Effect.flatMap(store, ({ putStream }) => putStream(object, body, policy))
        }
      })
    )
}

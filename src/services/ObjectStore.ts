import { Context, Effect, Layer } from "effect"
import type { ConfigError, SourceUnreadable, StoreError } from "../domain/Errors.ts"
import type { Checksum, StoreTraits } from "../domain/StoreTraits.ts"
import type { ObjectKey } from "../domain/ObjectKey.ts"
import type { OpenUpload } from "../report/Report.ts"
import type { State } from "../domain/Snapshot.ts"
import { cached } from "../fibers/Cached.ts"

/** What the store answered when it took an object. */
export interface StoredObject {
  /** Without quotes. */
  readonly etag: string | undefined
  /** Where the bucket keeps versions. */
  readonly versionId: string | undefined
}

/** What is said of an object besides its content. */
export interface NewObject {
  readonly key: ObjectKey
  /** Stored as metadata `ibsr-state`: a reader may rely on a `final` object, and expect a `live` one to grow. */
  readonly state: State
}

/** A multipart upload, from its creation to its completion. */
export interface UploadName {
  readonly key: ObjectKey
  readonly uploadId: string
}

/** What the store answered when it created one. */
export interface CreatedUpload {
  readonly uploadId: string
  /** What has to go with each of its parts. */
  readonly checksum: Checksum
}

export interface NewPart extends UploadName {
  /** Counted from 1. */
  readonly number: number
  /** Must stay as it is until the attempt has ended. */
  readonly body: Uint8Array
  /** SHA-256 of the body in hexadecimal, where it is known already. */
  readonly sha256?: string
}

/** What the store answered when it took a part; its completion wants it back. */
export interface StoredPart {
  /** As the store wrote it. */
  readonly etag: string
  /** As its header has it; undefined where bodies go with MD5. */
  readonly checksum: string | undefined
}

/** A body that is sent in parts as it comes. */
export interface StreamBody {
  /** The bytes, in pieces of any size. Throws `SourceUnreadable`, with which the upload then fails. */
  readonly pieces: () => AsyncIterable<Uint8Array>
  /** Bytes of every part but the last. */
  readonly partSizeBytes: number
  /** Parts in flight at once. */
  readonly queueSize: number
}

/** What surrounds the requests of such an upload. */
export interface StreamPolicy<E> {
  /** Put around each request: its retries, time-out and place in the queue. */
  readonly request: <A>(attempt: Effect.Effect<A, StoreError>) => Effect.Effect<A, StoreError | E>
  /** Done when all parts are stored, before the request that makes an object of them. */
  readonly completing: Effect.Effect<void, E>
  /** Told of an upload that could not be aborted. */
  readonly abortFailed: (upload: OpenUpload) => Effect.Effect<void>
}

/**
 * A bucket that can be written to.
 *
 * Each request is attempted once. Interruption aborts it on the wire. Nothing is ever read back, listed or deleted:
 * `s3:PutObject` is all the permission it takes.
 */
export class ObjectStore extends Context.Tag("ibsr-export/ObjectStore")<
  ObjectStore,
  {
    /**
     * Resolves region and credentials, and sends nothing to the store. Asked before all else. `checksum`: what an
     * earlier run has learned that the store takes.
     */
    readonly ready: (checksum: Checksum) => Effect.Effect<void, StoreError | ConfigError>
    /** What its answers have told so far; undefined before the first. Asks nobody. */
    readonly traits: Effect.Effect<StoreTraits | undefined>
    /**
     * One request. Stores the whole body under the key, or fails: never a part of it. A failure without an answer
     * (a time-out, a reset, an interruption) leaves open which; sending it again does no harm. `sha256` of the body in
     * hex, where it is known already. Best as a `Call`, because there may be thousands.
     */
    readonly put: (object: NewObject, body: Uint8Array, sha256?: string) => Effect.Effect<StoredObject, StoreError>
    /** One request. An upload whose parts cost storage until it is completed or aborted. */
    readonly createUpload: (object: NewObject) => Effect.Effect<CreatedUpload, StoreError>
    /** One request. Keeps the whole part, or fails. One that is sent again takes the place of the former. */
    readonly uploadPart: (part: NewPart) => Effect.Effect<StoredPart, StoreError>
    /**
     * One request. Makes the object of exactly these parts, in order of their numbers, or fails, as `put` does. A
     * store may have forgotten an upload that was completed, and call it unknown.
     */
    readonly completeUpload: (
      object: NewObject,
      uploadId: string,
      parts: ReadonlyArray<StoredPart & Pick<NewPart, "number">>
    ) => Effect.Effect<StoredObject, StoreError>
    /** One request. Its parts cost nothing any more. That there is no such upload is no failure. */
    readonly abortUpload: (upload: UploadName) => Effect.Effect<void, StoreError>
    /**
     * A multipart upload of a body whose length is not known. Stores the whole of it under the key, or fails, as `put` does.
     * After a failure or an interruption the upload is aborted, so that its parts cost no storage; where that is not
     * permitted, `policy.leftOpen` is told.
     */
    readonly putStream: <E>(
      object: NewObject,
      body: StreamBody,
      policy: StreamPolicy<E>
    ) => Effect.Effect<StoredObject, StoreError | SourceUnreadable | E>
  }
>() {
  /**
   * A store that is loaded and built at its first use, and closed with this layer. Its configuration is checked then:
   * `ready` reports what is wrong with it.
   */
  static readonly layerLazy = (load: Effect.Effect<Layer.Layer<ObjectStore, ConfigError>>) =>
    Layer.scoped(
      ObjectStore,
      Effect.gen(function* () {
        const scope = yield* Effect.scope
        let loaded: Context.Tag.Service<ObjectStore> | undefined
        const build = yield* cached(
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

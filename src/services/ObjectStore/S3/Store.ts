/** `ObjectStore` on S3 and on what speaks its protocol. */
import { Effect, Exit, Layer, Scope } from "effect"
import type { StoreError } from "../../../domain/Errors.ts"
import type { Settings } from "../../../domain/Settings.ts"
import * as Callback from "../../../fibers/Callback.ts"
import { ObjectStore, type StoredObject } from "../../ObjectStore.ts"
import { cached } from "../../../fibers/Cached.ts"
import { type ObjectHeaders, objectHeaders, withAdvice } from "./ObjectHeaders.ts"
import * as BodyRequests from "./BodyRequests.ts"
import { bodyOf, mismatch } from "./Checksums.ts"
import * as Client from "./Client.ts"
import { storeError, withoutSecrets } from "./Errors.ts"
import * as Negotiation from "./Negotiation.ts"
import * as Multipart from "./Multipart.ts"
import { missing, sender, storedObject } from "./Commands.ts"
import * as StreamedMultipart from "./StreamedMultipart.ts"

export type Options = Pick<Settings, "target" | "attributes" | "timeout">

/** The SDK's client, opened when it is first used, and closed with the layer. */
export const layer = (options: Options) =>
  Layer.scoped(
    ObjectStore,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      let connected: Connected | undefined
      const opened = yield* cached(
        Effect.tap(Scope.extend(connect(options), scope), (now) => Effect.sync(() => void (connected = now)))
      )
      // what is wrong with the configuration shows in `ready`
      const connection = Effect.orDie(opened)
      const attributes = objectHeaders(options)
      return {
        ready: (checksum) =>
          Effect.flatMap(opened, (connection) => {
            connection.negotiation.assumeChecksum(checksum)
            return Client.ready(connection.client, options.target)
          }),
        traits: Effect.sync(() => connected?.negotiation.traits()),
        put: (object, bytes, sha256) =>
          connected === undefined
            ? Effect.flatMap(connection, (via) => put(via, attributes(object), bytes, sha256))
            : put(connected, attributes(object), bytes, sha256),
        createUpload: (object) => Effect.flatMap(connection, ({ parts }) => parts.create(attributes(object))),
        uploadPart: (part) => Effect.flatMap(connection, ({ parts }) => parts.send(part)),
        completeUpload: (object, uploadId, parts) =>
          Effect.flatMap(connection, (connected) => connected.parts.complete(attributes(object), uploadId, parts)),
        abortUpload: (upload) => Effect.flatMap(connection, ({ parts }) => parts.abort(upload)),
        putStream: (object, body, policy) =>
          Effect.flatMap(connection, (via) => StreamedMultipart.put(via, attributes(object), body, policy))
      }
    })
  )

/** A `Call`. */
const put = (
  { bodyRequests, negotiation }: Connected,
  asked: ObjectHeaders,
  bytes: Uint8Array,
  sha256: string | undefined
): Effect.Effect<StoredObject, StoreError> =>
  negotiation.negotiatedCallback((checksum) => {
    // one checksum, known before the body is sent: a trailer would need aws-chunked, which Ceph and Swift refuse
    const body = bodyOf(checksum, bytes, sha256)
    return Callback.matchEffect(bodyRequests.put(asked, body), {
      onFailure: Exit.fail,
      onSuccess: (answer) => {
        const wrong =
          missing("PutObject", answer.ETag) ??
          mismatch("PutObject", body.checksum, answer, asked.IfNoneMatch === undefined)
        if (wrong !== undefined) return Exit.fail(wrong)
        negotiation.noteEncryption(asked, answer)
        return Exit.succeed(storedObject(answer))
      }
    })
  })

type Connected = Effect.Effect.Success<ReturnType<typeof connect>>

const connect = (options: Options) =>
  Effect.map(Client.connect(options), ({ client, credentials, http }) => {
    const failure = (operation: string, cause: unknown) =>
      withAdvice(options)(withoutSecrets(storeError(operation, cause), credentials.current()))
    const negotiation = Negotiation.make(client, credentials)
    const bodyRequests = BodyRequests.make({ client, credentials, http, failure })
    const send = sender(client, failure)
    return {
      client,
      bodyRequests,
      negotiation,
      send,
      parts: Multipart.make({ bodyRequests, negotiation, send }, options.target.bucket)
    }
  })

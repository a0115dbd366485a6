/** `ObjectStore` on Amazon S3 and compatible services. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { type Context, Effect, Exit, Layer } from "effect"
import type { Env } from "../../../domain/Env.ts"
import type { StoreError } from "../../../domain/Errors.ts"
import type { Origin } from "../../../domain/ObjectMetadata.ts"
import type { ObjectAttributes, Settings, Target } from "../../../domain/Settings.ts"
import * as Providers from "../../../domain/Providers.ts"
import * as Callback from "../../../fibers/Callback.ts"
import { ObjectStore, type StoredObject } from "../../ObjectStore.ts"
import { type SentRequest, withAdvice } from "./Advice.ts"
import * as BodyRequests from "./BodyRequests.ts"
import { bodyOf, mismatch } from "./Checksums.ts"
import * as Circumstances from "./Circumstances.ts"
import * as Client from "./Client.ts"
import { missing, sender, storedObject } from "./Commands.ts"
import { storeError, withoutSecrets } from "./Errors.ts"
import * as Multipart from "./Multipart.ts"
import * as Negotiation from "./Negotiation.ts"
import { type ObjectHeaders, objectHeaders } from "./ObjectHeaders.ts"
import * as StreamedMultipart from "./StreamedMultipart.ts"

export type Options = Target & ObjectAttributes & Pick<Settings, "timeout">

/**
 * The store on the SDK's client, which is closed with the layer. Building it sends nothing, and fails if the
 * configuration cannot work. The SDK itself also reads `process.env`, for its configuration files and in its credential
 * sources.
 */
export const layer = (options: Options, env: Env, origin: Origin) =>
  Layer.scoped(
    ObjectStore,
    Effect.map(connect(options, env), (connection) => make(connection, options, origin))
  ).pipe(Layer.provide(NodeFileSystem.layer))

export const make = (connection: Connection, options: Options, origin: Origin): Context.Tag.Service<ObjectStore> => {
  const { client, negotiation, parts } = connection
  const headersOf = objectHeaders(options, origin)
  return {
    ready: (checksum) =>
      Effect.suspend(() => {
        // the ledger contains SHA-256 until the program has learned another checksum
        negotiation.assumeChecksum(checksum === "SHA256" ? Providers.of(options.endpoint).checksum : checksum)
        return Effect.mapError(Client.ready(client, options), (error) =>
          error._tag === "ConfigError" ? error : connection.advise(error)
        )
      }),
    traits: Effect.sync(negotiation.traits),
    put: (object, bytes, sha256) => put(connection, headersOf(object), bytes, sha256),
    createUpload: (object) => parts.create(headersOf(object)),
    uploadPart: parts.send,
    completeUpload: (object, uploadId, stored) => parts.complete(headersOf(object), uploadId, stored),
    abortUpload: parts.abort,
    putStream: (object, body, policy) => StreamedMultipart.put(connection, headersOf(object), body, policy)
  }
}

/** A `Callback`. */
const put = (
  { bodyRequests, negotiation }: Connection,
  headers: ObjectHeaders,
  bytes: Uint8Array,
  sha256: string | undefined
): Effect.Effect<StoredObject, StoreError> =>
  negotiation.withChecksum("PutObject", (checksum) => {
    // a checksum in a header, because a trailer would need aws-chunked, which Ceph and Swift refuse
    const body = bodyOf(checksum, bytes, sha256)
    return Callback.matchEffect(bodyRequests.put(headers, body), {
      onFailure: Exit.fail,
      onSuccess: (answer) => {
        const wrong =
          missing("PutObject", answer.ETag) ??
          mismatch("PutObject", body.checksum, answer, headers.IfNoneMatch === undefined)
        if (wrong !== undefined) return Exit.fail(wrong)
        negotiation.noteEncryption(headers, answer)
        return Exit.succeed(storedObject(answer))
      }
    })
  })

export type Connection = Effect.Effect.Success<ReturnType<typeof connect>>

export const connect = (options: Options, env: Env) =>
  Effect.map(Client.connect(options, env), (setUp) => {
    const { client, clock, credentials, credentialOrigin, http, profile } = setUp
    const advise = withAdvice({
      ...Circumstances.of(options, env, profile),
      hasSucceeded: () => negotiation.traits() !== undefined,
      credentialOrigin,
      hasSession: () => credentials.current()?.sessionToken !== undefined
    })
    const failure = (operation: string, cause: unknown, request?: SentRequest) =>
      advise(withoutSecrets(storeError(operation, cause), credentials.current()), request)
    const negotiation = Negotiation.make(clock, credentials)
    const bodyRequests = BodyRequests.make({ client, clock, credentials, http, failure })
    const send = sender(client, failure)
    return {
      ...setUp,
      advise,
      failure,
      bodyRequests,
      negotiation,
      send,
      parts: Multipart.make({ bodyRequests, negotiation, send }, options.bucket)
    }
  })

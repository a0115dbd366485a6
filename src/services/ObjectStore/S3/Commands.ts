/** Sends a command of the SDK, and checks that the response has the required fields. */
import type {
  $Command,
  S3Client,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
} from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { NetworkFailure, type StoreError } from "../../../domain/Errors.ts"
import type { StoredObject } from "../../ObjectStore.ts"
import type { SentRequest } from "./Advice.ts"

/** A command of the SDK, by its input and output. */
export type Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = $Command<
  Input,
  Output,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>

/** Sends a command once. Interruption aborts the request on the wire. */
export type Send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: Command<Input, Output>
) => Effect.Effect<Output, StoreError>

/** Translates an operation's exception into a store error. */
export type Failure = (operation: string, cause: unknown, request?: SentRequest) => StoreError

export const sender =
  (client: S3Client, failure: Failure): Send =>
  (command) =>
    Effect.tryPromise({
      try: (signal) => client.send(command, { abortSignal: signal }),
      catch: (cause) =>
        failure(command.constructor.name.replace(/Command$/, ""), cause, {
          isConditional: "IfNoneMatch" in command.input && command.input.IfNoneMatch !== undefined
        })
    })

/**
 * The failure for a response without a field that every store sends on success. Such a response does not come from a
 * store.
 */
export const missing = (operation: string, field: string | undefined): NetworkFailure | undefined =>
  field === undefined
    ? new NetworkFailure({
        operation,
        detail: "the answer reports success, but does not come from a store",
        retryable: true,
        advice: "check --endpoint: a proxy or a login page may answer in place of the store"
      })
    : undefined

export const present = (operation: string, field: string | undefined): Effect.Effect<string, NetworkFailure> =>
  field === undefined ? Effect.fail(missing(operation, field)!) : Effect.succeed(field)

/** The acknowledgement in a response to `PutObject` or `CompleteMultipartUpload`. */
export const storedObject = (answer: {
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
}): StoredObject => ({
  etag: answer.ETag?.replaceAll('"', "") || undefined,
  versionId: answer.VersionId
})

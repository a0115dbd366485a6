/** One request: how it is sent, and what its answer must say. */
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

/** A command of the SDK, by what goes in and what comes out. */
export type Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = $Command<
  Input,
  Output,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>

/** One attempt of one operation; interruption aborts it on the wire. */
export type Send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: Command<Input, Output>
) => Effect.Effect<Output, StoreError>

/** `failure` says what went wrong with an operation. */
export const sender =
  (client: S3Client, failure: (operation: string, cause: unknown) => StoreError): Send =>
  (command) =>
    Effect.tryPromise({
      try: (signal) => client.send(command, { abortSignal: signal }),
      catch: (cause) => failure(command.constructor.name.replace(/Command$/, ""), cause)
    })

/** What no store leaves out of an answer to a request that it took. Without it, something else has answered. */
export const missing = (operation: string, field: string | undefined): NetworkFailure | undefined =>
  field === undefined
    ? new NetworkFailure({
        operation,
        detail: "the answer is not a store's, though it says that all is well",
        retryable: true,
        advice: "check --endpoint: a proxy or a login page may answer in place of the store"
      })
    : undefined

export const present = (operation: string, field: string | undefined): Effect.Effect<string, NetworkFailure> =>
  field === undefined ? Effect.fail(missing(operation, field)!) : Effect.succeed(field)

/** From what both `PutObject` and `CompleteMultipartUpload` answer. */
export const storedObject = (answer: {
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
}): StoredObject => ({
  etag: answer.ETag?.replaceAll('"', "") || undefined,
  versionId: answer.VersionId
})

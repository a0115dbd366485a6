/** One request: how it is sent, and what its answer must say. */
import type {
  $Command,
  S3Client,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
} from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { IntegrityFailure, NetworkFailure, type StoreError } from "../../domain/Errors.ts"
import type { Checksum } from "../../domain/Learned.ts"
import type { StoredObject } from "../ObjectStore.ts"
import { storeError } from "./S3Errors.ts"

/** A command of the SDK, by what goes in and what comes out. */
type Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = $Command<
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

/** `explained` says more of a failure. */
export const sender =
  (client: S3Client, explained: (error: StoreError) => StoreError): Send =>
  (command) =>
    Effect.tryPromise({
      try: (signal) => client.send(command, { abortSignal: signal }),
      catch: (cause) => explained(storeError(command.constructor.name.replace(/Command$/, ""), cause))
    })

export interface ChecksumHeader {
  readonly ChecksumCRC32?: string
  readonly ContentMD5?: string
}

export const checksumHeader = (checksum: Checksum, bytes: Uint8Array): ChecksumHeader =>
  checksum === "CRC32"
    ? { ChecksumCRC32: crc32Base64(bytes) }
    : { ContentMD5: createHash("md5").update(bytes).digest("base64") }

/** CRC-32 as its header has it: big-endian, base64. */
export const crc32Base64 = (bytes: Uint8Array): string => {
  const sum = Buffer.allocUnsafe(4)
  sum.writeUInt32BE(crc32(bytes))
  return sum.toString("base64")
}

/** What no store leaves out of an answer to a request that it took. Without it, something else has answered. */
export const present = (operation: string, field: string | undefined): Effect.Effect<string, NetworkFailure> =>
  field === undefined
    ? Effect.fail(
        new NetworkFailure({
          operation,
          detail: "the answer is not a store's, though it says that all is well",
          retryable: true,
          advice: "check --endpoint: a proxy or a login page may answer in place of the store"
        })
      )
    : Effect.succeed(field)

/**
 * Not every store answers with a checksum; one that does must have got what was sent. `mayReplace`: sending it again
 * would replace what is wrong.
 */
export const sameChecksum = (
  operation: string,
  { ChecksumCRC32: sent }: ChecksumHeader,
  answer: { readonly ChecksumCRC32?: string | undefined },
  mayReplace = true
): Effect.Effect<void, IntegrityFailure> =>
  sent === undefined || answer.ChecksumCRC32 === undefined || answer.ChecksumCRC32 === sent
    ? Effect.void
    : Effect.fail(
        new IntegrityFailure({
          operation,
          detail: `CRC-32 of what was sent is ${sent}, of what was stored ${answer.ChecksumCRC32}`,
          retryable: mayReplace
        })
      )

/** From what both `PutObject` and `CompleteMultipartUpload` answer. */
export const storedObject = (answer: {
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
}): StoredObject => ({
  etag: answer.ETag?.replaceAll('"', "") || undefined,
  versionId: answer.VersionId
})

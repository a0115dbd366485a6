/** `ObjectStore` on S3 and on what speaks its protocol. */
import { PutObjectCommand, type PutObjectCommandInput } from "@aws-sdk/client-s3"
import { Effect, Layer } from "effect"
import * as ObjectKey from "../../domain/ObjectKey.ts"
import type { Encryption, ObjectAttributes, Settings } from "../../domain/Settings.ts"
import { type NewObject, ObjectStore } from "../ObjectStore.ts"
import * as Client from "./S3Client.ts"
import * as Multipart from "./S3Multipart.ts"
import { crc32Base64, present, sameChecksum, sender, storedObject } from "./S3Requests.ts"

export type Options = Pick<Settings, "target" | "attributes" | "concurrency" | "timeout">

/** The SDK's client, opened and closed with the layer. What is wrong with its configuration shows in `ready`. */
export const layer = (options: Options) =>
  Layer.scoped(
    ObjectStore,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => Client.make(options)),
        (client) => Effect.sync(() => client.destroy())
      ),
      (client) => {
        const send = sender(client)
        const attributes = ({ key, state }: NewObject): Multipart.Attributes => ({
          ...attributeHeaders(options.attributes),
          Metadata: { ...options.attributes.metadata, "ibsr-state": state },
          Bucket: options.target.bucket,
          Key: key,
          ContentType: ObjectKey.contentType(key)
        })
        return {
          ready: Client.ready(client, options.target),
          put: (object, body) => {
            // one checksum, known before the body is sent: a trailer would need aws-chunked, which Ceph and Swift refuse
            const checksum = crc32Base64(body)
            return send(new PutObjectCommand({ ...attributes(object), Body: body, ChecksumCRC32: checksum })).pipe(
              Effect.tap((answer) => present("PutObject", answer.ETag)),
              Effect.tap((answer) => sameChecksum("PutObject", checksum, answer, !options.attributes.noOverwrite)),
              Effect.map(storedObject)
            )
          },
          putMultipart: (object, body, policy) => Multipart.put(client, send, attributes(object), body, policy)
        }
      }
    )
  )

const query = (pairs: Readonly<Record<string, string>>) =>
  Object.entries(pairs)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&")

const encryptionHeaders = (encryption: Encryption): Partial<PutObjectCommandInput> => {
  switch (encryption._tag) {
    case "BucketDefault":
      return {}
    case "S3":
      return { ServerSideEncryption: "AES256" }
    case "Kms":
      return {
        ServerSideEncryption: "aws:kms",
        SSEKMSKeyId: encryption.keyId,
        // the header carries base64 of JSON, which the SDK leaves to its caller
        SSEKMSEncryptionContext:
          encryption.context && Buffer.from(JSON.stringify(encryption.context)).toString("base64")
      }
  }
}

const attributeHeaders = (attributes: ObjectAttributes) =>
  ({
    ...encryptionHeaders(attributes.encryption),
    StorageClass: attributes.storageClass as PutObjectCommandInput["StorageClass"],
    ACL: attributes.acl as PutObjectCommandInput["ACL"],
    Tagging: Object.keys(attributes.tags).length === 0 ? undefined : query(attributes.tags),
    IfNoneMatch: attributes.noOverwrite ? "*" : undefined
  }) satisfies Partial<PutObjectCommandInput>

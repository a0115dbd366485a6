/** The attributes of an object as input for the SDK. */
import type { PutObjectCommandInput } from "@aws-sdk/client-s3"
import * as ObjectKey from "../../../domain/ObjectKey.ts"
import * as ObjectMetadata from "../../../domain/ObjectMetadata.ts"
import type { ObjectAttributes, Target } from "../../../domain/Settings.ts"
import type { NewObject } from "../../ObjectStore.ts"

/** Name and attributes of an object to create. */
export type ObjectHeaders = PutObjectCommandInput & {
  readonly Bucket: string
  readonly Key: ObjectKey.ObjectKey
}

export const objectHeaders = (settings: ObjectAttributes & Pick<Target, "bucket">, origin: ObjectMetadata.Origin) => {
  const shared = { ...attributeHeaders(settings), Bucket: settings.bucket }
  const metadata = {
    live: { ...settings.metadata, ...ObjectMetadata.of("live", origin) },
    final: { ...settings.metadata, ...ObjectMetadata.of("final", origin) }
  }
  return ({ key, state }: NewObject): ObjectHeaders => ({
    ...shared,
    Metadata: metadata[state],
    Key: key,
    ContentType: ObjectKey.contentType(key)
  })
}

const attributeHeaders = (attributes: ObjectAttributes) =>
  ({
    ...encryptionHeaders(attributes),
    StorageClass: attributes.storageClass as PutObjectCommandInput["StorageClass"],
    ACL: attributes.acl as PutObjectCommandInput["ACL"],
    Tagging: Object.keys(attributes.tags).length === 0 ? undefined : tagging(attributes.tags),
    IfNoneMatch: attributes.noOverwrite ? "*" : undefined
  }) satisfies Partial<PutObjectCommandInput>

const tagging = (pairs: Readonly<Record<string, string>>) =>
  Object.entries(pairs)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&")

const encryptionHeaders = ({ kmsContext, kmsKeyId, sse }: ObjectAttributes): Partial<PutObjectCommandInput> => {
  switch (sse) {
    case "none":
      return {}
    case "s3":
      return { ServerSideEncryption: "AES256" }
    case "kms":
      return {
        ServerSideEncryption: "aws:kms",
        SSEKMSKeyId: kmsKeyId,
        // the header contains JSON in base64, and the SDK does not encode it
        SSEKMSEncryptionContext: kmsContext && Buffer.from(JSON.stringify(kmsContext)).toString("base64")
      }
  }
}

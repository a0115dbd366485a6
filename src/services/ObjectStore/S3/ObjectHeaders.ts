/** What objects are stored with, as the SDK has it; and what of it a store may refuse. */
import type { PutObjectCommandInput } from "@aws-sdk/client-s3"
import { revised, type StoreError } from "../../../domain/Errors.ts"
import * as ObjectKey from "../../../domain/ObjectKey.ts"
import type { Encryption, ObjectAttributes, Settings } from "../../../domain/Settings.ts"
import type { NewObject } from "../../ObjectStore.ts"
import * as Providers from "./Providers.ts"

/** What every request for an object names, and what it is created with. */
export type ObjectHeaders = PutObjectCommandInput & { readonly Bucket: string; readonly Key: string }

export const objectHeaders = ({ attributes, target }: Pick<Settings, "attributes" | "target">) => {
  const same = { ...attributeHeaders(attributes), Bucket: target.bucket }
  return ({ key, state }: NewObject): ObjectHeaders => ({
    ...same,
    Metadata: { ...attributes.metadata, "ibsr-state": state },
    Key: key,
    ContentType: ObjectKey.contentType(key)
  })
}

const attributeHeaders = (attributes: ObjectAttributes) =>
  ({
    ...encryptionHeaders(attributes.encryption),
    StorageClass: attributes.storageClass as PutObjectCommandInput["StorageClass"],
    ACL: attributes.acl as PutObjectCommandInput["ACL"],
    Tagging: Object.keys(attributes.tags).length === 0 ? undefined : query(attributes.tags),
    IfNoneMatch: attributes.noOverwrite ? "*" : undefined
  }) satisfies Partial<PutObjectCommandInput>

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

/** Says of a refusal which of the settings may be the cause. */
export const withAdvice =
  ({ attributes, target }: Pick<Settings, "attributes" | "target">) =>
  (error: StoreError): StoreError => {
    if (error._tag === "AccessDenied" && error.advice === undefined) {
      return revised(error, { advice: permissions(attributes) })
    }
    if (error._tag === "UploadFailed" && error.status === 501) {
      return revised(error, {
        advice: `the store does not know what a flag asks for: see ${Providers.of(target.endpoint).lacks}`
      })
    }
    const unresolved = error._tag === "NetworkFailure" && error.code === "ENOTFOUND" && target.endpoint !== undefined
    return unresolved && target.forcePathStyle === undefined
      ? revised(error, {
          advice: "check the host's DNS and --endpoint; a store without a name per bucket needs --force-path-style"
        })
      : error
  }

/** Sources: "Required permissions for Amazon S3 API operations" in the User Guide, and "Key policies" of AWS KMS. */
const permissions = ({ acl, encryption, noOverwrite, tags }: ObjectAttributes): string => {
  const needed = [
    "allow s3:PutObject on this bucket and prefix (see --bucket and --prefix)",
    ...(Object.keys(tags).length > 0 ? ["s3:PutObjectTagging for --tag"] : []),
    ...(acl === undefined ? [] : ["s3:PutObjectAcl for --acl"]),
    ...(encryption._tag === "Kms" ? ["kms:GenerateDataKey and kms:Decrypt on the key of --sse kms"] : [])
  ]
  const demanded = [
    ...(noOverwrite ? [] : ["--no-overwrite"]),
    ...(encryption._tag === "BucketDefault" ? ["--sse"] : [])
  ]
  return `${needed.join(", ")}${
    demanded.length === 0 ? "" : `; or the bucket's policy demands ${demanded.join(" or ")}`
  }`
}

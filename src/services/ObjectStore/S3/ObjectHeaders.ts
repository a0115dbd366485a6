/** What objects are stored with, as the SDK has it; and what of it a store may refuse. */
import type { PutObjectCommandInput } from "@aws-sdk/client-s3"
import { revised, type StoreError } from "../../../domain/Errors.ts"
import * as ObjectKey from "../../../domain/ObjectKey.ts"
import type { ObjectAttributes, Target } from "../../../domain/Settings.ts"
import type { NewObject } from "../../ObjectStore.ts"
import * as Providers from "./Providers.ts"

/** What every request for an object names, and what it is created with. */
export type ObjectHeaders = PutObjectCommandInput & { readonly Bucket: string; readonly Key: string }

export const objectHeaders = (settings: ObjectAttributes & Pick<Target, "bucket">) => {
  const same = { ...attributeHeaders(settings), Bucket: settings.bucket }
  return ({ key, state }: NewObject): ObjectHeaders => ({
    ...same,
    Metadata: { ...settings.metadata, "ibsr-state": state },
    Key: key,
    ContentType: ObjectKey.contentType(key)
  })
}

const attributeHeaders = (attributes: ObjectAttributes) =>
  ({
    ...encryptionHeaders(attributes),
    StorageClass: attributes.storageClass as PutObjectCommandInput["StorageClass"],
    ACL: attributes.acl as PutObjectCommandInput["ACL"],
    Tagging: Object.keys(attributes.tags).length === 0 ? undefined : query(attributes.tags),
    IfNoneMatch: attributes.noOverwrite ? "*" : undefined
  }) satisfies Partial<PutObjectCommandInput>

const query = (pairs: Readonly<Record<string, string>>) =>
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
        // the header carries base64 of JSON, which the SDK leaves to its caller
        SSEKMSEncryptionContext: kmsContext && Buffer.from(JSON.stringify(kmsContext)).toString("base64")
      }
  }
}

/** Says of a refusal which of the settings may be the cause. */
export const withAdvice =
  (settings: ObjectAttributes & Target) =>
  (error: StoreError): StoreError => {
    if (error._tag === "AccessDenied" && error.advice === undefined) {
      return revised(error, { advice: permissions(settings) })
    }
    if (error._tag === "UploadFailed" && error.status === 501) {
      return revised(error, {
        advice: `the store does not know what a flag asks for: see ${Providers.of(settings.endpoint).lacks}`
      })
    }
    const unresolved = error._tag === "NetworkFailure" && error.code === "ENOTFOUND" && settings.endpoint !== undefined
    return unresolved && !settings.forcePathStyle
      ? revised(error, {
          advice: "check the host's DNS and --endpoint; a store without a name per bucket needs --force-path-style"
        })
      : error
  }

/** Sources: "Required permissions for Amazon S3 API operations" in the User Guide, and "Key policies" of AWS KMS. */
const permissions = ({ acl, noOverwrite, sse, tags }: ObjectAttributes): string => {
  const needed = [
    "allow s3:PutObject on this bucket and prefix (see --bucket and --prefix)",
    ...(Object.keys(tags).length > 0 ? ["s3:PutObjectTagging for --tag"] : []),
    ...(acl === undefined ? [] : ["s3:PutObjectAcl for --acl"]),
    ...(sse === "kms" ? ["kms:GenerateDataKey and kms:Decrypt on the key of --sse kms"] : [])
  ]
  const demanded = [...(noOverwrite ? [] : ["--no-overwrite"]), ...(sse === "none" ? ["--sse"] : [])]
  return `${needed.join(", ")}${
    demanded.length === 0 ? "" : `; or the bucket's policy demands ${demanded.join(" or ")}`
  }`
}

/** The attributes of an object as input for the SDK, and hints for stores that refuse them. */
import type { PutObjectCommandInput } from "@aws-sdk/client-s3"
import { revised, type StoreError } from "../../../domain/Errors.ts"
import * as ObjectKey from "../../../domain/ObjectKey.ts"
import * as ObjectMetadata from "../../../domain/ObjectMetadata.ts"
import type { ObjectAttributes, Target } from "../../../domain/Settings.ts"
import type { NewObject } from "../../ObjectStore.ts"
import * as Providers from "./Providers.ts"

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
        // the header contains JSON in base64, and the SDK leaves that to its caller
        SSEKMSEncryptionContext: kmsContext && Buffer.from(JSON.stringify(kmsContext)).toString("base64")
      }
  }
}

/** Adds to a refusal a hint about the settings that may have caused it. */
export const withAdvice =
  (settings: ObjectAttributes & Target) =>
  (error: StoreError): StoreError => {
    if (error._tag === "AccessDenied" && error.advice === undefined) {
      return revised(error, { advice: permissions(settings) })
    }
    if (error._tag === "UploadFailed" && error.status === 501) {
      const { unsupportedFlags } = Providers.of(settings.endpoint)
      return revised(error, { advice: `the store does not implement what a flag asks for: check ${unsupportedFlags}` })
    }
    const unresolved = error._tag === "NetworkFailure" && error.code === "ENOTFOUND" && settings.endpoint !== undefined
    return unresolved && !settings.forcePathStyle
      ? revised(error, {
          advice: "check the host's DNS and --endpoint; a store without a host name per bucket needs --force-path-style"
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
  const required = [...(noOverwrite ? [] : ["--no-overwrite"]), ...(sse === "none" ? ["--sse"] : [])]
  return `${needed.join(", ")}${
    required.length === 0 ? "" : `; or the bucket's policy requires ${required.join(" or ")}`
  }`
}

/** The attributes of an object as input for the SDK, and hints for stores that refuse them. */
import type { PutObjectCommandInput } from "@aws-sdk/client-s3"
import { revised, type StoreAnswer, type StoreError, UploadFailed } from "../../../domain/Errors.ts"
import * as Providers from "../../../domain/Providers.ts"
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
    if (error._tag === "ObjectExists" && !settings.noOverwrite)
      return new UploadFailed({
        ...error,
        advice: "the request had no condition: check what a proxy adds to requests, and the rules of the bucket"
      })
    if (error._tag === "UploadFailed" && error.status === 501) {
      const suspects = Providers.suspectFlags(Providers.of(settings.endpoint))
      return revised(error, { advice: `the store does not implement what a flag asks for: check ${suspects}` })
    }
    if (error._tag === "UploadFailed" && error.operation === "UploadPart" && partLimit.test(error.detail))
      return revised(error, { advice: "the store accepts no more parts: raise --part-size, and --memory with it" })
    const advice = error._tag === "CredentialsMissing" ? undefined : bucketAdvice(error, settings)
    return advice === undefined || error._tag === "CredentialsMissing" ? error : revised(error, { advice })
  }

const partLimit = /part ?number|too many parts/i

/** A hint on where the bucket's name goes. */
const bucketAdvice = ({ code = "" }: StoreAnswer, { endpoint, forcePathStyle }: Target): string | undefined => {
  if (wantsHostName.has(code))
    return `the store wants the bucket in the host name: ${
      forcePathStyle === true ? "remove --force-path-style" : "give --force-path-style=no"
    }`
  if (endpoint === undefined || Providers.usesPathStyle(endpoint, forcePathStyle)) return undefined
  const remedy =
    forcePathStyle === false
      ? "remove --force-path-style=no"
      : "a store without a host name per bucket needs --force-path-style"
  return lacksHostName[code] && `${lacksHostName[code]}; ${remedy}`
}

/** Codes of Alibaba Cloud OSS and Tencent Cloud COS. */
const wantsHostName = new Set(["SecondLevelDomainForbidden", "PathStyleDomainForbidden"])

/** What a store without a host name per bucket causes. A store that ignores the host name takes the key for a bucket. */
const lacksHostName: Readonly<Record<string, string>> = {
  ENOTFOUND: "check the host's DNS and --endpoint",
  ERR_TLS_CERT_ALTNAME_INVALID: "check the endpoint's certificate",
  NoSuchBucket: "create the bucket, or check --bucket and --endpoint"
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

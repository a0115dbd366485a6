/**
 * Statements of a policy in the language of AWS IAM, which MinIO and Ceph also understand.
 *
 * Sources: "Required permissions for Amazon S3 API operations" in the Amazon S3 User Guide; "Policies and permissions"
 * in the AWS KMS Developer Guide; "IAM policy elements: Variables and tags" for the escapes.
 */
import * as ObjectKey from "../domain/ObjectKey.ts"
import type { Options } from "./Policy.ts"

export interface Statement {
  readonly Effect: "Allow"
  readonly Principal?: { readonly AWS: ReadonlyArray<string> }
  readonly Action: string | ReadonlyArray<string>
  readonly Resource: string
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Allows writing objects below the prefix. */
export const s3 = (
  options: Pick<Options, "abort" | "acl" | "tags">,
  objects: string
): Pick<Statement, "Effect" | "Action" | "Resource"> => {
  const actions = [
    "s3:PutObject",
    ...(options.abort ? ["s3:AbortMultipartUpload"] : []),
    ...(Object.keys(options.tags).length > 0 ? ["s3:PutObjectTagging"] : []),
    ...(options.acl === undefined ? [] : ["s3:PutObjectAcl"])
  ]
  return { Effect: "Allow", Action: actions.length === 1 ? "s3:PutObject" : actions, Resource: objects }
}

/**
 * For AWS only: allows encryption with the key through S3, and decryption, which completing a multipart upload needs.
 */
export const kms = (keyId: string | undefined, partition: string): Statement => {
  const viaS3 = { "kms:ViaService": "s3.*.amazonaws.com" }
  const anyKey = `arn:${partition}:kms:*:*:key/`
  const allow = { Effect: "Allow", Action: ["kms:GenerateDataKey", "kms:Decrypt"] } as const
  const alias = /^(?:arn:.*:)?(alias\/.*)$/.exec(keyId ?? "")?.[1]
  return alias === undefined
    ? {
        ...allow,
        Resource: keyId?.startsWith("arn:") ? keyId : anyKey + literal(keyId ?? "") + (keyId === undefined ? "*" : ""),
        Condition: { StringLike: viaS3 }
      }
    : {
        ...allow,
        Resource: `${anyKey}*`,
        Condition: { StringLike: viaS3, "ForAnyValue:StringEquals": { "kms:ResourceAliases": alias } }
      }
}

/** The ARN of all objects below the prefix. A bucket may be an access point, whose name is an ARN already. */
export const objectsBelow = (
  { bucket, prefix }: Pick<Options, "bucket" | "prefix">,
  partition: string,
  escape: (text: string) => string = literal
): string =>
  `${bucket.startsWith("arn:") ? `${bucket}/object` : `arn:${partition}:s3:::${bucket}`}/${escape(ObjectKey.startOf(prefix))}*`

/** Escapes a text, so that IAM finds no wildcard and no variable in it. */
const literal = (text: string) => text.replace(/[*?$]/g, "${$&}")

/** MinIO and Ceph know no escapes for these characters. */
export const wildcardProblems = ({ prefix }: Pick<Options, "prefix">): ReadonlyArray<string> =>
  /[*?$]/.test(prefix) ? ["--prefix: a policy of this store cannot contain *, ? or $ as they are"] : []

export const document = (statements: ReadonlyArray<Statement>): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements }, null, 2)

/** Source: "Amazon Resource Names" in the AWS General Reference. */
export const partitionOf = (region: string | undefined): string => {
  if (region?.startsWith("cn-")) return "aws-cn"
  return region?.startsWith("us-gov-") ? "aws-us-gov" : "aws"
}

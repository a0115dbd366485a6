/** Stores that lack a feature of S3, and flags that need a permission of their own. */
import { always, type FaultCase, type FaultRule } from "./FaultCase.ts"

const checksumHeader = /^x-amz-(checksum-|sdk-checksum-)/

/** A store that supports Content-MD5 only. */
const noChecksums: FaultRule = ({ headers }) =>
  Object.keys(headers).some((name) => checksumHeader.test(name))
    ? { kind: "answer", status: 501, code: "NotImplemented" }
    : undefined

const notImplemented: FaultRule = always({ kind: "answer", status: 501, code: "NotImplemented" })
const denied: FaultRule = always({ kind: "answer", status: 403, code: "AccessDenied" })

const permissions: ReadonlyArray<readonly [flag: string, permission: RegExp]> = [
  ["--sse=kms", /kms:GenerateDataKey/],
  ["--tag=host=17", /s3:PutObjectTagging/],
  ["--acl=bucket-owner-full-control", /s3:PutObjectAcl/]
]

export const unsupportedFeatures: ReadonlyArray<FaultCase> = [
  {
    when: "the store rejects checksum headers, and reports that it sends Content-MD5 instead",
    fault: noChecksums,
    attempts: 2,
    exit: 0,
    output: /MD5/
  },
  {
    when: "the store rejects checksum headers in a multipart upload, and reports that it sends Content-MD5 instead",
    file: "parts",
    flags: ["--concurrency=1"],
    fault: noChecksums,
    attempts: { CreateMultipartUpload: 2, UploadPart: 2, CompleteMultipartUpload: 1 },
    exit: 0,
    output: /MD5/
  },
  {
    when: "the store answers NotImplemented with and without checksum headers",
    fault: notImplemented,
    attempts: 2,
    exit: 10,
    hint: /flag/
  },
  {
    when: "the store does not support multipart uploads",
    file: "parts",
    fault: notImplemented,
    attempts: { CreateMultipartUpload: 2 },
    exit: 10,
    hint: /flag/
  },
  {
    when: "the store accepts no checksum of a part in a completion, because it returned none",
    file: "parts",
    store: { dialect: { plainParts: true } },
    attempts: { CreateMultipartUpload: 1, UploadPart: 2, CompleteMultipartUpload: 1 },
    exit: 0
  },
  {
    when: "the store refuses the parameter x-id",
    file: "parts",
    store: { dialect: { refusesParameters: ["x-id"] } },
    attempts: { CreateMultipartUpload: 1, UploadPart: 2, CompleteMultipartUpload: 1 },
    exit: 0
  },
  {
    // as in most buckets today
    when: "the bucket has no ACLs",
    flags: ["--acl=bucket-owner-full-control"],
    fault: always({ kind: "answer", status: 400, code: "AccessControlListNotSupported" }),
    attempts: 1,
    exit: 10,
    hint: /--acl/
  },
  ...permissions.map(([flag, permission]): FaultCase => ({
    when: `the permission for ${flag} is missing`,
    flags: [flag],
    fault: denied,
    attempts: 1,
    exit: 22,
    hint: permission
  }))
]

/** Stores that lack something of S3, and flags that need a right of their own. */
import { always, type FaultCase, type FaultRule } from "./FaultCase.ts"

const withChecksum = /^x-amz-(checksum-|sdk-checksum-)/

/** Knows Content-MD5 alone. */
const noChecksums: FaultRule = ({ headers }) =>
  Object.keys(headers).some((name) => withChecksum.test(name))
    ? { kind: "answer", status: 501, code: "NotImplemented" }
    : undefined

const denied: FaultRule = always({ kind: "answer", status: 403, code: "AccessDenied" })

const rights: ReadonlyArray<readonly [flag: string, right: RegExp]> = [
  ["--sse=kms", /kms:GenerateDataKey/],
  ["--tag=host=17", /s3:PutObjectTagging/],
  ["--acl=bucket-owner-full-control", /s3:PutObjectAcl/]
]

export const unsupportedFeatures: ReadonlyArray<FaultCase> = [
  {
    name: "no checksum headers: Content-MD5 takes their place, which is told",
    strike: noChecksums,
    attempts: 2,
    exit: 0,
    says: /MD5/
  },
  {
    name: "no checksum headers, for a file sent in parts",
    file: "parts",
    flags: ["--concurrency=1"],
    strike: noChecksums,
    attempts: { CreateMultipartUpload: 2, UploadPart: 2, CompleteMultipartUpload: 1 },
    exit: 0,
    says: /MD5/
  },
  {
    name: "something else that is not implemented: the fallback is tried, once",
    strike: always({ kind: "answer", status: 501, code: "NotImplemented" }),
    attempts: 2,
    exit: 10,
    hint: /flag/
  },
  {
    name: "no multipart uploads",
    file: "parts",
    strike: always({ kind: "answer", status: 501, code: "NotImplemented" }),
    attempts: { CreateMultipartUpload: 2 },
    exit: 10,
    hint: /flag/
  },
  {
    name: "no ACLs, as in most buckets of today",
    flags: ["--acl=bucket-owner-full-control"],
    strike: always({ kind: "answer", status: 400, code: "AccessControlListNotSupported" }),
    attempts: 1,
    exit: 10,
    hint: /--acl/
  },
  ...rights.map(([flag, right]): FaultCase => ({
    name: `no right to ${flag}`,
    flags: [flag],
    strike: denied,
    attempts: 1,
    exit: 22,
    hint: right
  }))
]

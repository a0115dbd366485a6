/** Stores that lack a feature of S3, and flags that need a permission of their own. */
import { always, type FaultCase, type FaultRule } from "./FaultCase.ts"

const withBody = ["PutObject", "CreateMultipartUpload", "UploadPart"]

/** A store that refuses checksum headers in these operations. */
const refusing = (status: number, code: string, message: string, operations = withBody) => ({
  dialect: { refusesChecksums: { status, code, message, operations } }
})
const noChecksums = refusing(501, "NotImplemented", "A header implies functionality that is not implemented.")

const notImplemented: FaultRule = always({ kind: "answer", status: 501, code: "NotImplemented" })
const denied: FaultRule = always({ kind: "answer", status: 403, code: "AccessDenied" })

const permissions: ReadonlyArray<readonly [flag: string, permission: RegExp]> = [
  ["--sse=kms", /kms:GenerateDataKey/],
  ["--tag=host=17", /s3:PutObjectTagging/],
  ["--acl=bucket-owner-full-control", /s3:PutObjectAcl/]
]

export const unsupportedFeatures: ReadonlyArray<FaultCase> = [
  ...[
    noChecksums,
    refusing(400, "InvalidArgument", "Unsupported header 'x-amz-checksum-sha256' received for this API call."),
    refusing(400, "InvalidRequest", "The value is not valid."),
    refusing(403, "SignatureDoesNotMatch", "Access denied.")
  ].map((store): FaultCase => {
    const { code, message, status } = store.dialect.refusesChecksums
    return {
      when: `the store refuses a checksum header with ${status} ${code}: ${message}`,
      store,
      attempts: 2,
      exit: 0,
      output: /MD5/
    }
  }),
  {
    when: "the store refuses the checksum headers of a multipart upload, and reports that it sends Content-MD5 instead",
    file: "parts",
    flags: ["--concurrency=1"],
    store: noChecksums,
    attempts: { CreateMultipartUpload: 2, UploadPart: 2, CompleteMultipartUpload: 1 },
    exit: 0,
    output: /MD5/
  },
  ...(
    [
      [400, "InvalidRequest"],
      [403, "SignatureDoesNotMatch"]
    ] as const
  ).map(([status, code]): FaultCase => ({
    when: `the store answers only the creation of an upload with ${code}, because it names a checksum algorithm`,
    file: "parts",
    store: refusing(status, code, "no", ["CreateMultipartUpload"]),
    attempts: { CreateMultipartUpload: 2, UploadPart: 2, CompleteMultipartUpload: 1 },
    exit: 0
  })),
  {
    when: "the store refuses both SHA-256 and Content-MD5, and reports that only the signature protects the bodies",
    file: "parts",
    flags: ["--concurrency=1"],
    store: {
      dialect: { ...noChecksums.dialect, refusesMd5: { status: 400, code: "InvalidArgument", message: "content-md5" } }
    },
    attempts: { CreateMultipartUpload: 2, UploadPart: 3, CompleteMultipartUpload: 1 },
    exit: 0,
    output: /only the signature/
  },
  {
    when: "the store requires Content-MD5",
    store: { dialect: { requiresMd5: true } },
    attempts: 2,
    exit: 0,
    output: /MD5/
  },
  {
    when: "the store answers NotImplemented with and without checksum headers",
    fault: notImplemented,
    attempts: 3,
    exit: 10,
    hint: /--endpoint/
  },
  {
    when: "the store does not support multipart uploads",
    file: "parts",
    fault: notImplemented,
    attempts: { CreateMultipartUpload: 2 },
    exit: 10,
    hint: /--part-size/
  },
  {
    when: "the store accepts no checksum of a part in a completion, because it returned none",
    file: "parts",
    store: { dialect: { plainParts: true } },
    attempts: { CreateMultipartUpload: 1, UploadPart: 2, CompleteMultipartUpload: 1 },
    exit: 0
  },
  {
    when: "the store accepts fewer parts",
    file: "parts",
    flags: ["--concurrency=1"],
    store: { dialect: { maxParts: 1 } },
    attempts: { CreateMultipartUpload: 1, UploadPart: 2, AbortMultipartUpload: 1 },
    exit: 10,
    hint: /raise --part-size/
  },
  ...["SecondLevelDomainForbidden", "PathStyleDomainForbidden"].flatMap((code) =>
    (
      [
        [[], /give --force-path-style=no$/],
        [["--force-path-style"], /remove --force-path-style$/]
      ] as const
    ).map(([flags, hint]): FaultCase => ({
      when: `the store wants the bucket in the host name: ${code} with [${flags.join()}]`,
      flags,
      fault: always({ kind: "answer", status: 403, code }),
      attempts: 1,
      exit: 23,
      hint
    }))
  ),
  {
    when: "the store ignores --no-overwrite, before it replaces a file's object",
    flags: ["--no-overwrite"],
    store: { dialect: { ignoresCondition: ["PutObject"] } },
    attempts: 2,
    exit: 61,
    hint: /remove --no-overwrite/,
    versions: 0
  },
  {
    when: "the store refuses the parameter x-id",
    file: "parts",
    store: { dialect: { refusesParameters: ["x-id"] } },
    attempts: { CreateMultipartUpload: 1, UploadPart: 2, CompleteMultipartUpload: 1 },
    exit: 0
  },
  {
    // most buckets today refuse ACLs
    when: "the bucket has no ACLs",
    flags: ["--acl=bucket-owner-full-control"],
    fault: always({ kind: "answer", status: 400, code: "AccessControlListNotSupported" }),
    attempts: 1,
    exit: 10,
    hint: /--acl/
  },
  ...["--sse=s3", "--tag=host=17", "--acl=private", "--storage-class=COLD", "--metadata=a=b"].map(
    (flag): FaultCase => ({
      when: `the store does not implement ${flag}`,
      flags: [flag],
      fault: notImplemented,
      attempts: 3,
      exit: 10,
      hint: new RegExp(flag.split("=")[0]!)
    })
  ),
  {
    when: "the store has no key for --sse, and answers InternalError",
    flags: ["--sse=s3"],
    fault: always({ kind: "answer", status: 500, code: "InternalError" }),
    attempts: 3,
    exit: 32,
    hint: /--sse/
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

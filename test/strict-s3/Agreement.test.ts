import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type S3Client,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import { randomBytes } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { checksum, md5 } from "../../scripts/strict-s3/Checksums.ts"
import { owner, StrictS3 } from "../../scripts/strict-s3/StrictS3.ts"
import { type RawClient, type RawRequest, sendRaw } from "../fixtures/RawRequest.ts"
import { realServers } from "../fixtures/real-servers/Installed.ts"
import { sdkClient, statusOf } from "../fixtures/SdkClient.ts"

interface Subject {
  server: RawClient
  client: S3Client
  bucket: string
}

const base64 = (algorithm: string, text: string) => checksum(algorithm, Buffer.from(text)).toString("base64")

const raw =
  (request: Partial<RawRequest> & { key?: string }, change: Partial<RawClient> = {}) =>
  ({ server, bucket }: Subject) => {
    const path = `/${bucket}/${request.key ?? randomBytes(6).toString("hex")}`
    return sendRaw({ ...server, ...change }, { method: "PUT", path, body: "hello", ...request })
  }

const twice =
  (headers: Record<string, string>) =>
  async ({ server, bucket }: Subject) => {
    const request = {
      method: "PUT",
      path: `/${bucket}/twice-${randomBytes(6).toString("hex")}`,
      body: "hello",
      headers
    }
    return [await sendRaw(server, request), await sendRaw(server, request)].join(", ")
  }

const multipart =
  (sizes: readonly number[], change: { etag?: string; order?: "descending"; aborted?: boolean } = {}) =>
  async ({ client, bucket: Bucket }: Subject) => {
    const Key = `multipart-${randomBytes(6).toString("hex")}`
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "CRC32" })
    )
    const Parts = await Promise.all(
      sizes.map(async (size, index) => {
        const body = Buffer.alloc(size, index)
        const { ETag } = await client.send(
          new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: index + 1, Body: body })
        )
        const crc = checksum("crc32", body).toString("base64")
        return { PartNumber: index + 1, ETag: change.etag ?? ETag, ChecksumCRC32: crc }
      })
    )
    if (change.order === "descending") Parts.reverse()
    if (change.aborted === true) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
    const upload = { Bucket, Key, UploadId, MultipartUpload: { Parts } }
    return statusOf(client.send(new CompleteMultipartUploadCommand(upload)))
  }

const oddKey = async ({ server, client, bucket: Bucket }: Subject) => {
  const Key = "odd/a  b+c%20é&=?#'()*!~.txt"
  const path = `/${Bucket}/${Key.split("/").map(encodeURIComponent).join("/")}`.replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )
  const status = await sendRaw(server, { method: "PUT", path, body: "hello" })
  const listed = await client.send(new ListObjectsV2Command({ Bucket, Prefix: "odd/" }))
  return `${status} ${listed.Contents?.[0]?.Key}`
}

const bodyCut = async ({ server, client, bucket: Bucket }: Subject) => {
  await sendRaw(server, { method: "PUT", path: `/${Bucket}/cut`, body: "hello", sent: "hel", cut: true })
  return statusOf(client.send(new GetObjectCommand({ Bucket, Key: "cut" })))
}

const twoChecksums = {
  "x-amz-checksum-crc32": base64("crc32", "hello"),
  "x-amz-checksum-sha256": base64("sha256", "hello")
}

const cases: readonly [name: string, expected: string, run: (subject: Subject) => Promise<string>][] = [
  ["a plain object", "200", raw({})],
  ["an odd key", "200 odd/a  b+c%20é&=?#'()*!~.txt", oddKey],
  ["a correct CRC32", "200", raw({ headers: { "x-amz-checksum-crc32": base64("crc32", "hello") } })],
  ["a wrong CRC32", "400 BadDigest", raw({ headers: { "x-amz-checksum-crc32": base64("crc32", "jello") } })],
  ["a wrong SHA-256", "400 BadDigest", raw({ headers: { "x-amz-checksum-sha256": base64("sha256", "jello") } })],
  [
    "a wrong Content-MD5",
    "400 BadDigest",
    raw({ headers: { "content-md5": md5(Buffer.from("x")).toString("base64") } })
  ],
  ["a malformed Content-MD5", "400 InvalidDigest", raw({ headers: { "content-md5": "x" } })],
  ["two checksums", "400 InvalidRequest", raw({ headers: twoChecksums })],
  ["a tampered body", "400 XAmzContentSHA256Mismatch", raw({ sent: "jello" })],
  ["a body cut short", "404 NoSuchKey", bodyCut],
  ["a chunked body", "411 MissingContentLength", raw({ chunked: true })],
  ["a wrong secret", "403 SignatureDoesNotMatch", raw({}, { secretAccessKey: "wrong-secret-key" })],
  ["an unknown key id", "403 InvalidAccessKeyId", raw({}, { accessKeyId: "nobody-known" })],
  ["a wrong region", "400 AuthorizationHeaderMalformed", raw({}, { region: "eu-central-1" })],
  ["an unsigned x-amz- header", "403 AccessDenied", raw({ unsigned: { "x-amz-meta-a": "b" } })],
  ["an unknown bucket", "404 NoSuchBucket", raw({ path: "/no-such-bucket-here/key" })],
  // the key has segments of 200 bytes, because the server's file system limits the length of a name
  ["a key of 1024 bytes", "200", raw({ key: `${"k".repeat(200)}/`.repeat(6).slice(0, 1024) })],
  ["a key of 1025 bytes", "400 KeyTooLongError", raw({ key: `${"k".repeat(200)}/`.repeat(6).slice(0, 1025) })],
  ["an unknown storage class", "400 InvalidStorageClass", raw({ headers: { "x-amz-storage-class": "WARM" } })],
  ["unknown encryption", "400 InvalidArgument", raw({ headers: { "x-amz-server-side-encryption": "rot13" } })],
  ["eleven tags", "400 InvalidTag", raw({ headers: { "x-amz-tagging": "abcdefghijk".replace(/./g, "$&=1&") } })],
  ["the same key twice", "200, 200", twice({})],
  ["the same key twice with If-None-Match", "200, 412 PreconditionFailed", twice({ "if-none-match": "*" })],
  ["a multipart upload", "200", multipart([5 * 1024 * 1024, 3])],
  ["a small part that is not the last", "400 EntityTooSmall", multipart([3, 3])],
  ["a part with a wrong ETag", "400 InvalidPart", multipart([3], { etag: '"0123456789abcdef0123456789abcdef"' })],
  ["parts in descending order", "400 InvalidPartOrder", multipart([5 * 1024 * 1024, 3], { order: "descending" })],
  ["an aborted upload", "404 NoSuchUpload", multipart([3], { aborted: true })]
]

const subjects = [undefined, ...(await realServers()).filter(({ isVariant }) => !isVariant)]

describe.each(subjects.map((server) => [server?.name ?? "the strict server", server] as const))("%s", (_name, real) => {
  let strict: StrictS3 | undefined
  let subject: Subject

  beforeAll(async () => {
    strict = real === undefined ? await StrictS3.start() : undefined
    const server = real ?? { endpoint: strict?.endpoint ?? "", region: "us-east-1", ...owner }
    const client = sdkClient(server)
    subject = { server, client, bucket: `agreement-${randomBytes(6).toString("hex")}` }
    await client.send(new CreateBucketCommand({ Bucket: subject.bucket }))
  })

  afterAll(async () => {
    subject.client.destroy()
    await strict?.stop()
  })

  const expectations = cases.map(([title, expected, run]) => [title, real?.answers[title] ?? expected, run] as const)
  it.each(expectations)("answers %s with %s", async (_title, expected, run) => {
    expect(await run(subject)).toBe(expected)
  })
})

it("has a test case for every known deviation", () => {
  const titles = cases.map(([title]) => title)
  expect(titles).toEqual(expect.arrayContaining(subjects.flatMap((server) => Object.keys(server?.answers ?? {}))))
})

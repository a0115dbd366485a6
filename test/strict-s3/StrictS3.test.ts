import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { checksum, md5 } from "../../scripts/strict-s3/Checksums.ts"
import { type Identity, owner, StrictS3, writer, writerNoAbort } from "../../scripts/strict-s3/StrictS3.ts"
import { type RawRequest, sendRaw } from "../fixtures/RawRequest.ts"
import { sdkClient, statusOf } from "../fixtures/SdkClient.ts"

const Bucket = "snapshots"
const base64 = (algorithm: string, text: string) => checksum(algorithm, Buffer.from(text)).toString("base64")

let server: StrictS3
const clients: S3Client[] = []
const as = (identity: Identity, config: Parameters<typeof sdkClient>[1] = {}) => {
  const client = sdkClient({ endpoint: server.endpoint, region: "us-east-1", ...identity }, config)
  clients.push(client)
  return client
}
const raw = (request: Partial<RawRequest>, identity: Identity = writer) =>
  sendRaw(
    { endpoint: server.endpoint, region: "us-east-1", ...identity },
    { method: "PUT", path: `/${Bucket}/key`, body: "hello", ...request }
  )
const put = (client: S3Client, Key = "key") =>
  statusOf(client.send(new PutObjectCommand({ Bucket, Key, Body: "hello" })))

// a new server for each test, so that no test depends on objects of another
beforeEach(async () => {
  server = await StrictS3.start()
  return async () => {
    for (const client of clients.splice(0)) client.destroy()
    await server.stop()
  }
})

describe("authorization", () => {
  it("stores a writer's object byte for byte under the exact key", async () => {
    const Key = "a/../b//c é+%20 &=?#.txt"
    expect(await put(as(writer), Key)).toBe("200")
    expect(server.keys()).toEqual([Key])
    const answer = await as(owner).send(new GetObjectCommand({ Bucket, Key }))
    expect(await answer.Body?.transformToString()).toBe("hello")
  })

  it.each([
    ["a wrong secret", "403 SignatureDoesNotMatch", { ...writer, secretAccessKey: "guess" }],
    ["an unknown key", "403 InvalidAccessKeyId", { ...writer, accessKeyId: "nobody" }]
  ])("refuses %s with %s", async (_, expected, identity) => {
    expect(await put(as(identity))).toBe(expected)
    expect(server.keys()).toEqual([])
  })

  it("refuses a request with a timestamp that is 20 minutes off", async () => {
    expect(await put(as(writer, { systemClockOffset: -20 * 60_000 }))).toBe("403 RequestTimeTooSkewed")
    expect(await put(as(writer, { systemClockOffset: -10 * 60_000 }))).toBe("200")
  })

  it("refuses a signature for another region, and names its own region", async () => {
    const error: unknown = await as(writer, { region: "eu-central-1" })
      .send(new PutObjectCommand({ Bucket, Key: "key", Body: "hello" }))
      .catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: "AuthorizationHeaderMalformed", Region: "us-east-1" })
  })

  it("refuses an unsigned request, and an unsigned x-amz- header", async () => {
    const answer = await fetch(`${server.endpoint}/${Bucket}/key`, { method: "PUT", body: "hello" })
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain("<Code>AccessDenied</Code>")
    expect(await raw({ unsigned: { "x-amz-meta-added": "later" } })).toBe("403 AccessDenied")
    expect(await raw({ headers: { "x-amz-meta-added": "before" } })).toBe("200")
  })

  it("lets the owner, but not a writer, read, list and delete", async () => {
    await put(as(writer))
    const calls = (client: S3Client) =>
      Promise.all([
        statusOf(client.send(new GetObjectCommand({ Bucket, Key: "key" }))),
        statusOf(client.send(new HeadObjectCommand({ Bucket, Key: "key" }))),
        statusOf(client.send(new ListObjectsV2Command({ Bucket })))
      ])
    const remove = (client: S3Client) => statusOf(client.send(new DeleteObjectCommand({ Bucket, Key: "key" })))
    const [get, head, list] = await calls(as(writer))
    expect([get, head?.slice(0, 3), list, await remove(as(writer))]).toEqual([
      "403 AccessDenied",
      "403",
      "403 AccessDenied",
      "403 AccessDenied"
    ])
    expect(server.keys()).toEqual(["key"])
    expect([...(await calls(as(owner))), await remove(as(owner))]).toEqual(["200", "200", "200", "204"])
    expect(server.keys()).toEqual([])
  })

  it("lets an identity abort an upload only with the permission to do so", async () => {
    const { UploadId } = await as(writer).send(new CreateMultipartUploadCommand({ Bucket, Key: "key" }))
    const abort = (client: S3Client) =>
      statusOf(client.send(new AbortMultipartUploadCommand({ Bucket, Key: "key", UploadId })))
    expect(await abort(as(writerNoAbort))).toBe("403 AccessDenied")
    expect(server.openUploads()).toHaveLength(1)
    expect(await abort(as(writer))).toBe("204")
    expect(server.openUploads()).toEqual([])
    expect(await abort(as(writer))).toBe("404 NoSuchUpload")
  })
})

describe("validation", () => {
  const refused: [string, string, Partial<RawRequest>][] = [
    ["a body other than the signed one", "400 XAmzContentSHA256Mismatch", { sent: "jello" }],
    ["a wrong CRC32", "400 BadDigest", { headers: { "x-amz-checksum-crc32": base64("crc32", "jello") } }],
    ["a wrong CRC32C", "400 BadDigest", { headers: { "x-amz-checksum-crc32c": base64("crc32c", "jello") } }],
    ["a wrong SHA-256", "400 BadDigest", { headers: { "x-amz-checksum-sha256": base64("sha256", "jello") } }],
    ["a wrong Content-MD5", "400 BadDigest", { headers: { "content-md5": md5(Buffer.from("x")).toString("base64") } }],
    [
      "two checksums",
      "400 InvalidRequest",
      {
        headers: {
          "x-amz-checksum-crc32": base64("crc32", "hello"),
          "x-amz-checksum-sha256": base64("sha256", "hello")
        }
      }
    ],
    [
      "a checksum in addition to Content-MD5",
      "400 InvalidRequest",
      {
        headers: {
          "x-amz-checksum-crc32": base64("crc32", "hello"),
          "content-md5": md5(Buffer.from("hello")).toString("base64")
        }
      }
    ],
    ["a chunked body", "411 MissingContentLength", { chunked: true }],
    [
      "a streaming signature",
      "411 MissingContentLength",
      { headers: { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked" } }
    ],
    ["an unsigned body over http", "400 InvalidRequest", { headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } }],
    ["a key of 1025 bytes", "400 KeyTooLongError", { path: `/${Bucket}/${"k".repeat(1025)}` }],
    ["an unknown bucket", "404 NoSuchBucket", { path: "/elsewhere/key" }],
    ["an unknown storage class", "400 InvalidStorageClass", { headers: { "x-amz-storage-class": "WARM" } }],
    ["unknown encryption", "400 InvalidArgument", { headers: { "x-amz-server-side-encryption": "rot13" } }],
    [
      "an encryption context that is plain JSON",
      "400 InvalidArgument",
      { headers: { "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-context": "{}" } }
    ],
    [
      "eleven tags",
      "400 InvalidTag",
      { headers: { "x-amz-tagging": Array.from({ length: 11 }, (_, tag) => `t${tag}=v`).join("&") } }
    ],
    ["If-None-Match with an ETag", "501 NotImplemented", { headers: { "if-none-match": '"etag"' } }]
  ]
  it.each(refused)("refuses %s with %s and stores nothing", async (_, expected, request) => {
    expect(await raw(request)).toBe(expected)
    expect(server.keys()).toEqual([])
  })

  it.each(["crc32", "crc32c", "sha1", "sha256"])("accepts a correct %s and echoes it", async (algorithm) => {
    const name = `x-amz-checksum-${algorithm}`
    expect(await raw({ headers: { [name]: base64(algorithm, "hello") } })).toBe("200")
    expect(server.object("key")?.checksum).toEqual([name, base64(algorithm, "hello")])
  })

  it("computes the check value of CRC-32C", () => {
    expect(checksum("crc32c", Buffer.from("123456789")).toString("hex")).toBe("e3069283")
  })

  it("accepts a key of 1024 bytes", async () => {
    expect(await put(as(writer), "k".repeat(1024))).toBe("200")
  })

  it("stores nothing if the body is cut off, and records that the client disconnected", async () => {
    expect(await raw({ body: "hello", sent: "hel", cut: true })).toBe("cut")
    await expect.poll(() => server.requests.map((request) => request.aborted)).toEqual([true])
    expect(server.keys()).toEqual([])
  })
})

describe("conditional writes", () => {
  it("let exactly one of eight concurrent writers succeed, and then refuse the key", async () => {
    const client = as(writer)
    const write = () =>
      statusOf(client.send(new PutObjectCommand({ Bucket, Key: "key", Body: "hello", IfNoneMatch: "*" })))
    const outcomes = await Promise.all(Array.from({ length: 8 }, write))
    expect(outcomes.filter((result) => result === "200")).toHaveLength(1)
    const failures = new Set(outcomes.filter((result) => result !== "200"))
    expect(["409 ConditionalRequestConflict", "412 PreconditionFailed"]).toEqual(expect.arrayContaining([...failures]))
    expect(server.versions("key")).toHaveLength(1)
    expect(await write()).toBe("412 PreconditionFailed")
  })
})

describe("multipart uploads", () => {
  const upload = async (sizes: readonly number[], alter: (etag: string) => string = (etag) => etag) => {
    const client = as(writer)
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ Bucket, Key: "key", ChecksumAlgorithm: "CRC32" })
    )
    const Parts = await Promise.all(
      sizes.map(async (size, index) => {
        const part = { Bucket, Key: "key", UploadId, PartNumber: index + 1, Body: Buffer.alloc(size, index) }
        const { ETag = "", ChecksumCRC32 } = await client.send(new UploadPartCommand(part))
        return { PartNumber: index + 1, ETag: alter(ETag), ChecksumCRC32 }
      })
    )
    return client.send(new CompleteMultipartUploadCommand({ Bucket, Key: "key", UploadId, MultipartUpload: { Parts } }))
  }
  const mebibyte = 1024 * 1024

  it("join the parts and return the composite checksum", async () => {
    const answer = await upload([5 * mebibyte, 3])
    const bodies = [Buffer.alloc(5 * mebibyte, 0), Buffer.alloc(3, 1)]
    const composite = checksum("crc32", Buffer.concat(bodies.map((body) => checksum("crc32", body))))
    expect(answer.ChecksumCRC32).toBe(`${composite.toString("base64")}-2`)
    expect(answer.ETag).toBe(`"${md5(Buffer.concat(bodies.map(md5))).toString("hex")}-2"`)
    expect(server.object("key")?.body.equals(Buffer.concat(bodies))).toBe(true)
  })

  it("refuse a small part that is not the last", async () => {
    expect(await statusOf(upload([5 * mebibyte - 1, 3]))).toBe("400 EntityTooSmall")
    expect(server.keys()).toEqual([])
  })

  it("refuse a part with a wrong ETag", async () => {
    expect(await statusOf(upload([3], () => '"0123456789abcdef0123456789abcdef"'))).toBe("400 InvalidPart")
    expect(server.keys()).toEqual([])
  })
})

describe("over TLS", () => {
  let secure: StrictS3
  beforeAll(async () => {
    const { generate } = await import("selfsigned")
    const pems = await generate([{ name: "commonName", value: "127.0.0.1" }])
    secure = await StrictS3.start({ tls: { key: pems.private, cert: pems.cert } })
  })
  afterAll(() => secure.stop())

  it("accepts an unsigned payload, and can reset a connection", async () => {
    const requestHandler = { httpsAgent: { rejectUnauthorized: false } }
    const client = sdkClient({ endpoint: secure.endpoint, region: "us-east-1", ...writer }, { requestHandler })
    expect(await put(client)).toBe("200")
    secure.fault = () => ({ kind: "reset" })
    await expect(put(client, "other")).rejects.toThrow(/ECONNRESET|socket hang up/)
    client.destroy()
    expect(secure.keys()).toEqual(["key"])
  })
})

import { verifyChecksums } from "./Checksums.ts"
import { checkObjectHeaders } from "./Guards.ts"
import {
  abortUpload,
  type Limits,
  completeUpload,
  createUpload,
  isConditional,
  listUploads,
  uploadPart
} from "./Multipart.ts"
import { Bucket } from "./Objects.ts"
import { document, element, S3Error } from "./Responses.ts"
import type { Answer, Call, StoredVersion } from "./Types.ts"

const putObject = (bucket: Bucket, call: Call, { dialect }: Limits): Answer => {
  const echoed = checkObjectHeaders(call.headers)
  const checksums = verifyChecksums(call.headers, call.body)
  if (isConditional(call, dialect)) bucket.mustBeNew(call.key, call.record)
  const checksum = Object.entries(checksums)[0]
  const version = bucket.store(call.key, call.headers, call.body, { checksum, parts: 1 })
  return {
    status: 200,
    headers: {
      etag: `"${version.etag}"`,
      "x-amz-version-id": version.versionId,
      ...echoed,
      ...checksums,
      ...(checksum === undefined ? {} : { "x-amz-checksum-type": "FULL_OBJECT" })
    }
  }
}

// the headers of the upload that GetObject returns
const returned =
  /^(cache-control|content-(disposition|encoding|language)|expires|x-amz-(storage-class|server-side-encryption|meta-.*))$/

const describe = (version: StoredVersion, withChecksum: boolean): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(version.headers).filter((entry): entry is [string, string] => returned.test(entry[0]))
  ),
  "content-type": version.contentType ?? "binary/octet-stream",
  etag: `"${version.etag}"`,
  "last-modified": new Date(version.storedAt).toUTCString(),
  "accept-ranges": "bytes",
  "x-amz-version-id": version.versionId,
  ...(withChecksum && version.checksum !== undefined ? { [version.checksum[0]]: version.checksum[1] } : {})
})

const getObject = (bucket: Bucket, call: Call): Answer => {
  const version = bucket.latest(call.key)
  if (version === undefined) {
    throw new S3Error(404, "NoSuchKey", "The specified key does not exist.", { Key: call.key })
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(call.headers["range"] ?? "")
  const withChecksum = range === null && call.headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED"
  const headers = describe(version, withChecksum)
  if (call.record.method === "HEAD") {
    return { status: 200, headers: { ...headers, "content-length": String(version.size) } }
  }
  if (range === null) return { status: 200, headers, body: version.body }
  const first = Number(range[1])
  const last = Math.min(range[2] === "" ? Infinity : Number(range[2]), version.size - 1)
  if (first > last) throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable")
  headers["content-range"] = `bytes ${first}-${last}/${version.size}`
  return { status: 206, headers, body: version.body.subarray(first, last + 1) }
}

const listObjects = (bucket: Bucket, call: Call): Answer => {
  const prefix = call.query.get("prefix") ?? ""
  // the token is the last key of the previous page
  const after = call.query.get("continuation-token") ?? call.query.get("start-after") ?? ""
  const limit = Math.min(Number(call.query.get("max-keys") ?? 1000), 1000)
  const url = call.query.get("encoding-type") === "url"
  const encode = (key: string) => (url ? encodeURIComponent(key).replaceAll("%2F", "/") : key)
  const matching = bucket.keys().filter((key) => key.startsWith(prefix) && key > after)
  const page = matching.slice(0, limit).flatMap((key) => bucket.latest(key) ?? [])
  const truncated = matching.length > page.length
  const content = [
    element("Name", call.bucket),
    element("Prefix", encode(prefix)),
    element("KeyCount", page.length),
    element("MaxKeys", limit),
    element("IsTruncated", String(truncated)),
    ...(url ? [element("EncodingType", "url")] : []),
    ...(truncated ? [element("NextContinuationToken", page.at(-1)?.key ?? "")] : []),
    ...page.map((version) =>
      [
        "<Contents>",
        element("Key", encode(version.key)),
        element("LastModified", new Date(version.storedAt).toISOString()),
        element("ETag", `"${version.etag}"`),
        element("Size", version.size),
        element("StorageClass", version.headers["x-amz-storage-class"] ?? "STANDARD"),
        "</Contents>"
      ].join("")
    )
  ]
  return document("ListBucketResult", content.join(""))
}

export const createBucket = (buckets: Map<string, Bucket>, name: string, keepBodies: boolean): Answer => {
  if (buckets.has(name)) throw new S3Error(409, "BucketAlreadyOwnedByYou", "You already own the bucket.")
  buckets.set(name, new Bucket(keepBodies))
  return { status: 200, headers: { location: `/${name}` } }
}

/** Performs the operation of an authorized request on an existing bucket. */
export const perform = (bucket: Bucket, call: Call, limits: Limits): Answer => {
  switch (call.record.operation) {
    case "PutObject":
      return putObject(bucket, call, limits)
    case "CreateMultipartUpload":
      return createUpload(bucket, call)
    case "UploadPart":
      return uploadPart(bucket, call, limits)
    case "CompleteMultipartUpload":
      return completeUpload(bucket, call, limits)
    case "AbortMultipartUpload":
      return abortUpload(bucket, call)
    case "GetObject":
    case "HeadObject":
      return getObject(bucket, call)
    case "DeleteObject":
      bucket.delete(call.key)
      return { status: 204 }
    case "ListObjectsV2":
      return listObjects(bucket, call)
    case "ListMultipartUploads":
      return listUploads(bucket, call)
    case "HeadBucket":
      return { status: 200 }
    default:
      throw new S3Error(501, "NotImplemented", "This server does not implement what the request asks for.")
  }
}

import { S3Error } from "./Responses.ts"
import type { Headers } from "./Types.ts"

/** The operation, bucket and key of a request. */
export interface Target {
  operation: string
  bucket: string | undefined
  key: string | undefined
  query: ReadonlyMap<string, string>
}

/** The path and the query of a request target, not decoded. */
export const splitTarget = (target: string): readonly [path: string, query: string] => {
  const mark = target.indexOf("?")
  return mark === -1 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)]
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error(400, "InvalidURI", "Couldn't parse the specified URI.")
  }
}

export const parseQuery = (query: string): Map<string, string> => {
  const pairs = query.split("&").filter((pair) => pair !== "")
  return new Map(
    pairs.map((pair) => {
      const [name = "", ...value] = pair.split("=")
      return [decode(name), decode(value.join("=").replaceAll("+", " "))]
    })
  )
}

// known parameters; any other one selects an operation that this server does not implement
const neutral = new Set([
  "x-id",
  "prefix",
  "delimiter",
  "max-keys",
  "max-uploads",
  "encoding-type",
  "continuation-token",
  "start-after",
  "fetch-owner",
  "list-type",
  "uploads",
  "uploadId",
  "partNumber",
  "key-marker",
  "upload-id-marker"
])

const objectOperation = (method: string, query: ReadonlyMap<string, string>, headers: Headers): string => {
  const upload = query.has("uploadId")
  if (method === "PUT" && headers["x-amz-copy-source"] !== undefined) return "Unknown"
  if (method === "PUT") return upload || query.has("partNumber") ? "UploadPart" : "PutObject"
  if (method === "POST")
    return query.has("uploads") ? "CreateMultipartUpload" : upload ? "CompleteMultipartUpload" : "Unknown"
  if (method === "DELETE") return upload ? "AbortMultipartUpload" : "DeleteObject"
  if (method === "GET") return upload ? "Unknown" : "GetObject"
  return method === "HEAD" ? "HeadObject" : "Unknown"
}

const bucketOperation = (method: string, query: ReadonlyMap<string, string>): string => {
  if (method === "GET" && query.get("list-type") === "2") return "ListObjectsV2"
  if (method === "GET" && query.has("uploads")) return "ListMultipartUploads"
  if (method === "PUT") return "CreateBucket"
  return method === "HEAD" ? "HeadBucket" : "Unknown"
}

/** Parses the bucket, key and operation of a request. The key is decoded once and never normalised. */
export const parseTarget = (method: string, raw: string, headers: Headers, domain: string | undefined): Target => {
  const [path, rawQuery] = splitTarget(raw)
  const query = parseQuery(rawQuery)
  const host = (headers["host"] ?? "").replace(/:\d+$/, "")
  const virtual = domain !== undefined && host.endsWith(`.${domain}`)
  const [, first = "", ...rest] = path.split("/")
  const bucket = virtual ? host.slice(0, -domain.length - 1) : decode(first)
  const key = decode(virtual ? path.slice(1) : rest.join("/"))
  const known = [...query.keys()].every((name) => neutral.has(name))
  const operation =
    !known || bucket === ""
      ? "Unknown"
      : key === ""
        ? bucketOperation(method, query)
        : objectOperation(method, query, headers)
  return { operation, bucket: bucket === "" ? undefined : bucket, key: key === "" ? undefined : key, query }
}

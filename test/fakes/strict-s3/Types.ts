import type { Server } from "node:net"

/** Who may call the server, and what it may do. */
export interface Identity {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
  /** A writer may only write, under its prefix; only the owner may read, list and delete. */
  permissions: "owner" | { prefix: string; abort: boolean }
  expired?: boolean
}

/** May do everything. */
export const owner: Identity = { accessKeyId: "owner", secretAccessKey: "owner-secret-key", permissions: "owner" }

/** May write any key and abort its uploads. */
export const writer: Identity = {
  accessKeyId: "writer",
  secretAccessKey: "writer-secret-key",
  permissions: { prefix: "", abort: true }
}

/** May write any key, but not abort an upload. */
export const writerNoAbort: Identity = {
  accessKeyId: "writer-no-abort",
  secretAccessKey: "writer-no-abort-secret-key",
  permissions: { prefix: "", abort: false }
}

/** Header values by lower-case name. */
export type Headers = Readonly<Record<string, string | undefined>>

/** One request, recorded when its head arrived and filled in as it goes. */
export interface RecordedRequest {
  /** The S3 operation's name, or Unknown. */
  operation: string
  method: string
  /** As on the wire, with the query. */
  path: string
  bucket: string | undefined
  key: string | undefined
  identity: string | undefined
  headers: Headers
  bodyBytes: number
  /** Undefined while unanswered, and for ever when the connection was cut. */
  status: number | undefined
  code: string | undefined
  startedAt: number
  endedAt: number | undefined
  /** The client closed before the answer was finished. */
  aborted: boolean
}

/** One stored object. */
export interface StoredVersion {
  versionId: string
  key: string
  /** Empty when the server was told not to keep bodies. */
  body: Buffer
  size: number
  /** In hexadecimal. */
  sha256: string
  /** Without quotes. */
  etag: string
  contentType: string | undefined
  metadata: Readonly<Record<string, string>>
  /** Of the PutObject or the CreateMultipartUpload. */
  headers: Headers
  /** Name and value of the checksum header that GetObject answers with. */
  checksum: readonly [string, string] | undefined
  storedAt: number
  parts: number
}

/** How to start the server. */
export interface StrictS3Options {
  /** The address to listen on. Default: 127.0.0.1. */
  host?: string
  /** What listens already, in place of a host: at the far end of a link, say. */
  listener?: Server
  /** Default: snapshots. */
  buckets?: string[]
  /** Default: us-east-1. */
  region?: string
  /** Default: owner, writer, writerNoAbort. */
  identities?: Identity[]
  /** Serve https with this key and certificate (PEM). */
  tls?: { key: string; cert: string }
  /** Wait this long between a request's last byte and its handling. */
  latencyMs?: number
  /** Default: 5 MiB. */
  minPartBytes?: number
  /** Default: true. Without, only size and SHA-256 of an object stay. */
  keepBodies?: boolean
  /** The server's clock, in milliseconds since 1970, where it is not the machine's. */
  clock?: () => number
  /** Also take the bucket from a host such as snapshots.s3.test, given s3.test. */
  domain?: string
}

/** What the server says. */
export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string | Buffer
}

/** A request that is authenticated and whose body is complete. */
export interface Call {
  record: RecordedRequest
  headers: Headers
  query: ReadonlyMap<string, string>
  bucket: string
  key: string
  body: Buffer
}

import type { Server } from "node:net"
import type { Dialect } from "./Dialect.ts"

/** An access key, and its permissions. */
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

/** A request, recorded when its head has arrived, and completed as it is handled. */
export interface RecordedRequest {
  /** The S3 operation's name, or Unknown. */
  operation: string
  method: string
  /** The request target as sent, including the query. */
  path: string
  bucket: string | undefined
  key: string | undefined
  identity: string | undefined
  headers: Headers
  bodyBytes: number
  /** Undefined until the request is answered; stays undefined if the connection was cut. */
  status: number | undefined
  code: string | undefined
  startedAt: number
  endedAt: number | undefined
  /** Whether the client disconnected before the response was complete. */
  aborted: boolean
}

/** One version of a stored object. */
export interface StoredVersion {
  versionId: string
  key: string
  /** Empty if the server does not keep bodies. */
  body: Buffer
  size: number
  /** In hexadecimal. */
  sha256: string
  /** Without quotes. */
  etag: string
  contentType: string | undefined
  metadata: Readonly<Record<string, string>>
  /** The headers of the PutObject or the CreateMultipartUpload. */
  headers: Headers
  /** The name and the value of the checksum header in the answer to GetObject. */
  checksum: readonly [string, string] | undefined
  storedAt: number
  parts: number
}

export interface StrictS3Options {
  /** The address to listen on. Default: 127.0.0.1. */
  host?: string
  /** A server that already listens, instead of `host`: for example at the far end of a simulated link. */
  listener?: Server
  /** Default: snapshots. */
  buckets?: string[]
  /** Default: us-east-1. */
  region?: string
  /** Default: owner, writer, writerNoAbort. */
  identities?: Identity[]
  /** Serve https with this key and certificate (PEM). */
  tls?: { key: string; cert: string }
  /** The delay between the last byte of a request and its handling. */
  latencyMs?: number
  /** Default: 5 MiB. */
  minPartBytes?: number
  /** Default: true. Otherwise, only the size and the SHA-256 of an object are kept. */
  keepBodies?: boolean
  /** The server's clock, in milliseconds since 1970. Default: the machine's clock. */
  clock?: () => number
  /** A domain such as s3.test: the host snapshots.s3.test then names the bucket snapshots. */
  domain?: string
  /** How it differs from AWS. Default: not at all. */
  dialect?: Dialect
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string | Buffer
}

/** An authenticated request with its complete body. */
export interface Call {
  record: RecordedRequest
  headers: Headers
  query: ReadonlyMap<string, string>
  bucket: string
  key: string
  body: Buffer
}

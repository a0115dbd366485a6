/**
 * What stores need, by the host of their endpoint.
 *
 * | provider         | host                         | region if none is given | bucket in                   | does not know                  |
 * | ---------------- | ---------------------------- | ----------------------- | --------------------------- | ------------------------------ |
 * | AWS              | none given, `*.amazonaws.com` | must be given           | the host name               |                                |
 * | Cloudflare R2    | `*.r2.cloudflarestorage.com` | `auto`                  | the host name               | `--tag`, `--acl`, `--sse`      |
 * | MinIO, any other | any other                    | `us-east-1`             | the path, where the host is | often `--acl`, `--storage-class` |
 * |                  |                              |                         | an IP address or localhost  |                                |
 *
 * All take the checksum as a header, in SHA-256 or, where that is not implemented, as Content-MD5: see `S3Lessons`.
 */
import { isIP } from "node:net"

export interface Provider {
  /** Undefined: there is no sensible one. */
  readonly defaultRegion: string | undefined
  readonly pathStyle: boolean
  /** What to think of when the store says that it does not implement something. */
  readonly lacks: string
}

export const of = (endpoint: URL | undefined): Provider => {
  if (endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(endpoint.hostname)) return aws
  return endpoint.hostname.endsWith(".r2.cloudflarestorage.com") ? r2 : other(endpoint.hostname)
}

const aws: Provider = { defaultRegion: undefined, pathStyle: false, lacks: "--acl, --sse, --storage-class and --tag" }
const r2: Provider = {
  defaultRegion: "auto",
  pathStyle: false,
  lacks: "--tag, --acl and --sse, which R2 does not have"
}
const other = (hostname: string): Provider => ({
  // any will do, but the signature must name one
  defaultRegion: "us-east-1",
  pathStyle: hostname === "localhost" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0,
  lacks: "--acl, --sse, --storage-class and --tag, which not every store has"
})

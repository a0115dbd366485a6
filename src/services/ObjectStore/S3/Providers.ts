/**
 * The requirements of a store, by the host of its endpoint.
 *
 * | provider         | host                          | default region | bucket in                     | not implemented                  |
 * | ---------------- | ----------------------------- | -------------- | ----------------------------- | -------------------------------- |
 * | AWS              | no endpoint, `*.amazonaws.com` | none           | the host name                 |                                  |
 * | Cloudflare R2    | `*.r2.cloudflarestorage.com`  | `auto`         | the host name                 | `--tag`, `--acl`, `--sse`        |
 * | MinIO, any other | any other                     | `us-east-1`    | the path for an IP address or | often `--acl`, `--storage-class` |
 * |                  |                               |                | localhost, else the host name |                                  |
 *
 * All accept a checksum in a header: SHA-256 or, if that is not implemented, Content-MD5. See `Negotiation`.
 */
import { isIP } from "node:net"

export interface Provider {
  /** Undefined: the region must be given. */
  readonly defaultRegion: string | undefined
  readonly pathStyle: boolean
  /** The flags to check when the store does not implement something, for a hint. */
  readonly unsupportedFlags: string
}

export const of = (endpoint: URL | undefined): Provider => {
  if (endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(endpoint.hostname)) return aws
  return endpoint.hostname.endsWith(".r2.cloudflarestorage.com") ? r2 : other(endpoint.hostname)
}

const aws: Provider = {
  defaultRegion: undefined,
  pathStyle: false,
  unsupportedFlags: "--acl, --sse, --storage-class and --tag"
}
const r2: Provider = {
  defaultRegion: "auto",
  pathStyle: false,
  unsupportedFlags: "--tag, --acl and --sse, which R2 does not implement"
}
const other = (hostname: string): Provider => ({
  // any name will do, but the signature must contain one
  defaultRegion: "us-east-1",
  pathStyle: hostname === "localhost" || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0,
  unsupportedFlags: "--acl, --sse, --storage-class and --tag, which not every store implements"
})

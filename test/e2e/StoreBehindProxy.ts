/** A store behind a proxy, with host names that only the proxy resolves and a certificate of a private authority. */
import { Proxy } from "../fakes/Proxy.ts"
import type { StrictS3Options } from "../../scripts/strict-s3/StrictS3.ts"
import { type Authority, makeAuthority } from "../fixtures/Certificates.ts"
import { tree } from "../fixtures/Tree.ts"
import { stopAfterTest } from "./StopAfterTest.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2

export interface ProxiedOptions {
  /** URLs of further servers by host name. */
  readonly names?: Readonly<Record<string, string>>
  /** Default: a new one. */
  readonly authority?: Authority
  readonly store?: StrictS3Options
  /** The login that the proxy requires. */
  readonly login?: string
  /** Whether the client speaks TLS with the proxy itself. Default: false. */
  readonly secureProxy?: boolean
  /** Whether the store speaks TLS. Default: true. */
  readonly secure?: boolean
}

/** Starts a store and a proxy for one test. `domain` is the host name of the store, without the bucket. */
export const startStoreBehindProxy = async (domain: string, options: ProxiedOptions = {}) => {
  const { login, names = {}, secure = true, secureProxy = false } = options
  const authority = options.authority ?? (await makeAuthority())
  const tls = secure ? { tls: await authority.issue(domain, `*.${domain}`) } : {}
  const store = await startStore({ ...options.store, ...tls, domain })
  const resolve = (host: string) => {
    const address = host.endsWith(domain) ? store.endpoint : names[host]
    return address === undefined ? undefined : { host: "127.0.0.1", port: Number(new URL(address).port) }
  }
  const proxy = stopAfterTest(
    await Proxy.start({
      resolve,
      ...(login === undefined ? {} : { login }),
      ...(secureProxy ? { tls: await authority.issue("127.0.0.1") } : {})
    })
  )
  return { authority, proxy, store, host: `snapshots.${domain}` }
}

/** An input with one file each for a small request, a large request, and a multipart upload. */
export const filesOfAllSizes = () =>
  tree({
    "small.jsonl": "{}\n",
    "large.jsonl": Buffer.alloc(3 * MiB, "x\n"),
    "parts.jsonl": Buffer.alloc(17 * MiB, "y\n")
  })

/** The distinct requests to a proxy, sorted. */
export const distinctRequests = ({ log }: Proxy) => [...new Set(log)].sort()

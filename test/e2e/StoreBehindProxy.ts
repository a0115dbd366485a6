/** A store behind a proxy: with names that only the proxy can resolve, and a certificate that nobody trusts until told to. */
import { Proxy } from "../fakes/Proxy.ts"
import type { StrictS3Options } from "../fakes/StrictS3.ts"
import { type Authority, makeAuthority } from "../fixtures/Certificates.ts"
import { tree } from "../fixtures/Tree.ts"
import { stopAfterTest } from "./CredentialSources.ts"
import { startStore } from "./Store.ts"

const MiB = 1024 ** 2

export interface ProxiedOptions {
  /** Names of servers besides the store's, and their URLs. */
  readonly names?: Readonly<Record<string, string>>
  /** Default: a new one. */
  readonly authority?: Authority
  readonly store?: StrictS3Options
  /** The login that the proxy wants. */
  readonly login?: string
  /** Whether the client speaks TLS with the proxy itself. Default: false. */
  readonly secureProxy?: boolean
  /** Whether the store speaks TLS. Default: true. */
  readonly secure?: boolean
}

/** `domain` is the store's own name; the bucket stands before it. */
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

/** Files of all ways of sending: in one small request, in one large request, and in parts. */
export const filesOfAllSizes = () =>
  tree({
    "small.jsonl": "{}\n",
    "large.jsonl": Buffer.alloc(3 * MiB, "x\n"),
    "parts.jsonl": Buffer.alloc(17 * MiB, "y\n")
  })

/** What was asked of a proxy, each once. */
export const distinctRequests = ({ log }: Proxy) => [...new Set(log)].sort()

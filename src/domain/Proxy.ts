/** Which proxy serves which host, from the environment variables that curl and most programs read. */
import { Array, Either } from "effect"
import type { Env } from "./Env.ts"

/** The proxy options of Node's agents. */
export interface Proxies {
  readonly HTTP_PROXY?: string
  readonly HTTPS_PROXY?: string
  readonly NO_PROXY?: string
}

/** As in curl, the lower-case name takes precedence. An empty variable counts as unset. */
const named = (env: Env, name: string) => [name.toLowerCase(), name].find((candidate) => env[candidate])

/**
 * Parses the variables. The error names the variable but not its value, which may contain a password. A URL with an
 * unescaped `@`, `/`, `?` or `#` in its password would have a different host, and part of the password as its path.
 */
export const fromEnv = (env: Env): Either.Either<Proxies, string> => {
  const read = (name: "HTTP_PROXY" | "HTTPS_PROXY") => {
    const from = named(env, name)
    if (from === undefined) return Either.right({})
    const text = env[from] ?? ""
    const url = URL.parse(text.includes("://") ? text : `http://${text}`)
    return url !== null && isProxy(url)
      ? Either.right({ [name]: url.href })
      : Either.left(
          `${from} is not the URL of an HTTP proxy, such as http://user:password@proxy.example.com:3128, with special characters of the password percent-encoded: @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25`
        )
  }
  const exempt = env[named(env, "NO_PROXY") ?? ""]
  return Either.map(Either.all([read("HTTP_PROXY"), read("HTTPS_PROXY")]), ([http, https]) => ({
    ...http,
    ...https,
    ...(exempt === undefined ? {} : { NO_PROXY: exemptions(exempt) })
  }))
}

/** Whether a URL has only a login, a host and a port. */
const isProxy = ({ hash, password, pathname, protocol, search, username }: URL) =>
  /^https?:$/.test(protocol) && pathname + search + hash === "/" && isEncoded(username) && isEncoded(password)

/** Whether every percent sign starts an escape. */
const isEncoded = (text: string) => !/%(?![0-9a-f]{2})/i.test(text)

/**
 * Translates `NO_PROXY` for Node, where a name is one host and CIDR notation is unknown. Here, as in other programs, a name
 * includes its subdomains, and CIDR notation works.
 *
 * | input            | result                       |
 * | ---------------- | ---------------------------- |
 * | `*`              | `*`                          |
 * | `example.com`    | `example.com`, `.example.com`|
 * | `.example.com`   | unchanged                    |
 * | `10.1.0.0/16`    | `10.1.0.0-10.1.255.255`      |
 * | `10.1.2.3`       | `10.1.2.3`                   |
 * | `host:9000`      | `host:9000`                  |
 * | `[::1]`          | `::1`                        |
 * | `[::1]:9000`     | `::1:9000`                   |
 */
export const exemptions = (text: string): string =>
  Array.flatMap(
    text.split(/[\s,]+/).filter((entry) => entry !== ""),
    (entry) => {
      const network = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(entry)
      if (network !== null) return [addressRange(network.slice(1).map(Number))]
      const name = entry.replace(/^\*?\./, ".").replace(/^\[(.*)\](?=$|:)/, "$1")
      return /^\.|^\*$|:|^[\d.]+$/.test(name) ? [name] : [name, `.${name}`]
    }
  ).join(",")

const addressRange = ([a = 0, b = 0, c = 0, d = 0, bits = 32]: ReadonlyArray<number>) => {
  const size = 2 ** Math.max(0, 32 - bits)
  const address = ((a * 256 + b) * 256 + c) * 256 + d
  const first = Math.floor(address / size) * size
  return `${dotted(first)}-${dotted(first + size - 1)}`
}

const dotted = (address: number) => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".")

/**
 * The proxy for a host, if any, chosen as Node's agents do. Expects `NO_PROXY` as `exemptions` returns it.
 *
 * | in `NO_PROXY`           | exempts                               |
 * | ----------------------- | ------------------------------------- |
 * | `*`                     | every host                            |
 * | `a.b`, `10.1.2.3`, `::1`| this host                             |
 * | `a.b:9000`              | this host on this port                |
 * | `.a.b`                  | `a.b` and its subdomains              |
 * | `10.1.0.0-10.1.255.255` | addresses from the first to the last  |
 */
export const of = (
  { HTTPS_PROXY, HTTP_PROXY, NO_PROXY = "" }: Proxies,
  { hostname, port, protocol }: { readonly protocol: string; readonly hostname: string; readonly port: number }
): string | undefined => {
  const host = hostname.toLowerCase()
  const isExempt = NO_PROXY.toLowerCase()
    .split(",")
    .some((entry) => {
      if (entry === "*" || entry === host || entry === `${host}:${port}`) return true
      return entry.startsWith(".") ? `.${host}`.endsWith(entry) : isWithin(entry, host)
    })
  if (isExempt) return undefined
  return protocol === "https:" ? HTTPS_PROXY : HTTP_PROXY
}

const isWithin = (range: string, host: string) => {
  const [first, last, address] = [...range.split("-", 2), host].map(addressOf)
  return address !== undefined && first !== undefined && last !== undefined && address >= first && address <= last
}

/** An IPv4 address as a number. */
const addressOf = (text: string): number | undefined => {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  return bytes?.reduce((address, byte) => address * 256 + byte, 0)
}

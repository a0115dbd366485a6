/** Connections to the store and to the services that issue credentials: proxies, CA certificates and timeouts. */
import { Duration, Effect, Either, type Scope } from "effect"
import http from "node:http"
import https from "node:https"
import { setDefaultAutoSelectFamilyAttemptTimeout } from "node:net"
import { createSecureContext } from "node:tls"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError } from "../../../domain/Errors.ts"
import * as Proxy from "../../../domain/Proxy.ts"
import type { Settings } from "../../../domain/Settings.ts"
import * as Authorities from "../Http/Authorities.ts"
import * as Client from "../Http/Client.ts"
import * as NamedProxy from "../Http/NamedProxy.ts"
import * as Dialer from "../Http/Dialer.ts"
import * as SettingsFile from "../../SettingsFile.ts"
import { detailOf } from "../../SystemError.ts"

/**
 * A host that does not accept a connection within this time counts as unreachable. The kernel would wait two minutes.
 */
const connectTimeout = Duration.seconds(10)
/**
 * If a host has several addresses, the next one is tried after this time. It must exceed a second, after which the
 * kernel repeats a lost packet. Node's default of 250 ms is shorter than a round trip between some continents.
 */
const addressTimeout = Duration.seconds(3)

export type Options = Pick<Settings, "endpoint" | "timeout">

/** Options of the SDK's own HTTP client; times in milliseconds. */
export interface HandlerOptions {
  readonly connectionTimeout: number
  readonly socketTimeout: number
  readonly requestTimeout: number
  readonly throwOnRequestTimeout: boolean
  readonly httpAgent: http.Agent
  readonly httpsAgent: https.Agent
}

export interface Network {
  /** The way to an origin. */
  readonly routeTo: (origin: Client.Origin) => Client.Route
  /** Sends requests to the store. */
  readonly http: Client.HttpClient
  /** For requests to the services that issue credentials. */
  readonly handler: HandlerOptions
}

/**
 * Sets up the connections until the scope closes. `caBundle`: the path of a PEM file; `AWS_CA_BUNDLE` takes precedence.
 */
export const connect = (
  options: Options,
  env: Env,
  caBundle: string | undefined
): Effect.Effect<Network, ConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const proxyEnv = yield* Either.mapLeft(Proxy.fromEnv(env), (detail) =>
      misconfigured(detail, "correct it, or unset it if there is no proxy")
    )
    bypassProxyForMetadata()
    // the SDK's own connections use these certificates, too
    setDefaultAutoSelectFamilyAttemptTimeout(Duration.toMillis(addressTimeout))
    const ca = yield* readAuthorities(env["AWS_CA_BUNDLE"] || caBundle)
    const trust: Authorities.Trust = { ...ca, extraAuthorities: env[extraAuthorities] || undefined }
    if (options.endpoint?.protocol !== "http:") yield* checkExtraAuthorities(trust.extraAuthorities)
    const stallMillis = Duration.toMillis(options.timeout)
    const connectionTimeout = Duration.toMillis(Duration.min(connectTimeout, options.timeout))
    // without a timeout, the connection to a proxy that never opens its tunnel would stay open
    const agent = { keepAlive: true, proxyEnv: { ...proxyEnv }, timeout: connectionTimeout }
    const routeTo = Dialer.make(proxyEnv, trust, connectionTimeout, stallMillis)
    return {
      routeTo,
      http: yield* Client.make(routeTo, stallMillis),
      handler: {
        // a short timeout, because these requests are small and the whole run waits for them
        connectionTimeout: 5000,
        socketTimeout: 10_000,
        requestTimeout: 10_000,
        // otherwise the SDK only logs a warning and keeps waiting
        throwOnRequestTimeout: true,
        httpAgent: new http.Agent(agent),
        httpsAgent: systemTrustingAgent({ ...agent, ...ca, rejectUnauthorized: true }, trust.extraAuthorities, proxyEnv)
      }
    }
  })

/** More than any bundle: that of Debian has a fifth of a MiB. */
const maxBundleMiB = 16

/** As in other AWS tools, a bundle replaces the default CA certificates. */
const readAuthorities = (path: string | undefined) => {
  if (path === undefined) return Effect.succeed({})
  const unusable = (cause: unknown) =>
    misconfigured(
      `the CA bundle ${path} cannot be used: ${detailOf(cause)}`,
      "check AWS_CA_BUNDLE, or ca_bundle in the profile",
      cause
    )
  return Effect.tryPromise({ try: () => SettingsFile.read(path, maxBundleMiB), catch: unusable }).pipe(
    Effect.flatMap((ca) =>
      Effect.try({
        try: () => {
          createSecureContext({ ca })
          if (!ca.includes("BEGIN CERTIFICATE")) throw new Error("it contains no PEM certificate")
          return { ca }
        },
        catch: unusable
      })
    )
  )
}

const extraAuthorities = "NODE_EXTRA_CA_CERTS"

/** Fails if NODE_EXTRA_CA_CERTS cannot be read. Node itself would only print a warning. */
const checkExtraAuthorities = (path: string | undefined) =>
  path !== undefined
    ? Effect.tryPromise({
        try: () => SettingsFile.read(path, maxBundleMiB),
        catch: (cause) =>
          misconfigured(
            `${path}, which ${extraAuthorities} names, cannot be read: ${detailOf(cause)}`,
            `correct ${extraAuthorities}, or unset it`,
            cause
          )
      })
    : Effect.void

/**
 * An agent that trusts the system's CA certificates from its first connection on. If a connection to a proxy fails, the
 * error names the proxy.
 */
const systemTrustingAgent = (options: https.AgentOptions, extra: string | undefined, proxies: Proxy.Proxies) => {
  const agent = new https.Agent(options)
  const createConnection = agent.createConnection.bind(agent)
  agent.createConnection = (target, done) => {
    Authorities.trustSystem(extra)
    const { host = "localhost", port } = target as https.RequestOptions
    const proxy = Proxy.of(proxies, { protocol: "https:", hostname: host ?? "", port: Number(port ?? 443) })
    const opening = createConnection(target, (error, connected) =>
      // on an error before the tunnel was open, Node passes the socket of the proxy to this callback
      done?.(
        proxy !== undefined && error && connected === opening ? NamedProxy.inError(error, proxy, true) : error,
        connected
      )
    )
    return opening
  }
  return agent
}

const misconfigured = (detail: string, advice: string, cause?: unknown) => new ConfigError({ detail, advice, cause })

/** The SDK reaches metadata services through Node's global agents, to which NODE_USE_ENV_PROXY may give a proxy. */
const bypassProxyForMetadata = (): void => {
  http.globalAgent = new http.Agent()
  https.globalAgent = new https.Agent()
}

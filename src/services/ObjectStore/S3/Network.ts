/** The way to the store, and to whoever issues credentials: proxies, trusted certificates, and signs of life. */
import { FileSystem } from "@effect/platform"
import { Duration, Effect, Either, type Scope } from "effect"
import http from "node:http"
import https from "node:https"
import { createSecureContext } from "node:tls"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError } from "../../../domain/Errors.ts"
import * as Proxy from "../../../domain/Proxy.ts"
import type { Settings } from "../../../domain/Settings.ts"
import * as Client from "../Http/Client.ts"
import * as Dialer from "../Http/Dialer.ts"
import { detailOf } from "../../SystemError.ts"

/** A host that takes longer to accept a connection is not there; the kernel's own patience is two minutes. */
const connectTimeout = Duration.seconds(10)
/** A connection on which nothing moves for so long is dead, be it in the middle of a body or of an answer. */
const idleTimeout = Duration.seconds(30)

export type Options = Pick<Settings, "timeout">

/** All in milliseconds. */
export interface Handler {
  readonly connectionTimeout: number
  readonly socketTimeout: number
  readonly requestTimeout: number
  readonly throwOnRequestTimeout: boolean
  readonly httpAgent: http.Agent
  readonly httpsAgent: https.Agent
}

export interface Network {
  /** To the store. */
  readonly http: Client.HttpClient
  /** To whoever issues credentials, in the words of the SDK. */
  readonly handler: Handler
}

/** Until the scope ends. `caBundle`: path of a file in PEM, besides `AWS_CA_BUNDLE`. */
export const connect = (
  options: Options,
  env: Env,
  caBundle: string | undefined
): Effect.Effect<Network, ConfigError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const proxyEnv = yield* Either.mapLeft(Proxy.fromEnv(env), (detail) =>
      misconfigured(detail, "correct it, or leave it out where there is no proxy")
    )
    neighboursDirectly()
    const ca = yield* readAuthorities(env["AWS_CA_BUNDLE"] || caBundle)
    const connectionTimeout = Duration.toMillis(Duration.min(connectTimeout, options.timeout))
    // a proxy that never opens its tunnel is left; without it, only the request would end
    const agent = { keepAlive: true, proxyEnv: { ...proxyEnv }, timeout: connectionTimeout }
    return {
      http: yield* Client.make(Dialer.make(proxyEnv, ca, connectionTimeout), Duration.toMillis(idleTimeout)),
      handler: {
        // a request is small, and everything waits for it
        connectionTimeout: 5000,
        socketTimeout: 10_000,
        requestTimeout: 10_000,
        // without it the SDK only logs a warning, and waits on
        throwOnRequestTimeout: true,
        httpAgent: new http.Agent(agent),
        httpsAgent: new https.Agent({ ...agent, ...ca })
      }
    }
  })

/** As elsewhere in the AWS world, a bundle replaces the well-known authorities. */
const readAuthorities = (path: string | undefined) => {
  if (path === undefined) return Effect.succeed({})
  const unusable = (cause: unknown) =>
    misconfigured(
      `the CA bundle ${path} cannot be used: ${detailOf(cause)}`,
      "check AWS_CA_BUNDLE, or ca_bundle in the profile",
      cause
    )
  return Effect.flatMap(FileSystem.FileSystem, (files) => files.readFile(path)).pipe(
    Effect.mapError(({ cause }) => unusable(cause)),
    Effect.flatMap((bytes) =>
      Effect.try({
        try: () => {
          const ca = Buffer.from(bytes)
          createSecureContext({ ca })
          if (!ca.includes("BEGIN CERTIFICATE")) throw new Error("there is no certificate in PEM in it")
          return { ca }
        },
        catch: unusable
      })
    )
  )
}

const misconfigured = (detail: string, advice: string, cause?: unknown) => new ConfigError({ detail, advice, cause })

/** The SDK asks metadata services through Node's own agents, to which NODE_USE_ENV_PROXY gives a proxy. */
const neighboursDirectly = (): void => {
  http.globalAgent = new http.Agent()
  https.globalAgent = new https.Agent()
}

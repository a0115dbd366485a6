/** Gets the credentials that requests are signed with, from the credential chain, and renews them during a run. */
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers"
import { Duration, Effect, Either, Schedule } from "effect"
import type { Target } from "../../../domain/Settings.ts"
import * as ConfigFile from "./ConfigFile.ts"
import * as CredentialProcess from "./CredentialProcess.ts"
import { type Provider, type Source, type SourceOptions, standardSources } from "./CredentialSources.ts"

type Identity = Awaited<ReturnType<Provider>>

/** No credential source is set up. `reasons` has a reason for each source. */
export class NoSource extends Error {
  override readonly name = "NoSource"
  constructor(reasons: ReadonlyArray<string>) {
    super(reasons.join("; "))
  }
}

/**
 * A source that is set up, perhaps incompletely, failed. The next source is not tried, because it would upload under a
 * different identity.
 */
export class SourceFailed extends Error {
  override readonly name = "SourceFailed"
  readonly source: string
  constructor(source: string, cause: unknown) {
    super(source, { cause })
    this.source = source
  }
}

/** Gets credentials from the first source that is set up. Rejects with `NoSource` or `SourceFailed`. */
export const chain =
  (options: SourceOptions, sources: ReadonlyArray<Source> = standardSources): Provider =>
  async (client) => {
    const reasons: Array<string> = []
    for (const source of sources) {
      let reason = await source.unavailable(options).catch((cause: unknown) => {
        throw new SourceFailed(source.name(options), cause)
      })
      if (reason === undefined) {
        const answer = await Effect.runPromise(Effect.either(ask(source, options, client)))
        if (Either.isRight(answer)) {
          options.onAnswer?.(source.origin(options))
          return sendable(answer.right, source.name(options))
        }
        // only a request shows whether the last source, the metadata service, exists
        if (source !== sources.at(-1)) throw answer.left
        reason = metadataFailure(answer.left.cause)
      }
      reasons.push(`${source.name(options)}: ${reason}`)
    }
    throw new NoSource(reasons)
  }

const ask = (source: Source, options: SourceOptions, client: Parameters<Provider>[0]) => {
  const failed = (cause: unknown) => new SourceFailed(source.name(options), cause)
  const request = (signal: AbortSignal) => {
    signal.addEventListener("abort", CredentialProcess.killAll)
    return source.provider(options)(client)
  }
  return Effect.tryPromise({ try: request, catch: failed }).pipe(
    Effect.timeoutFail({
      duration: Duration.seconds(source.limitSeconds),
      onTimeout: () => failed(new Error(`no answer within ${source.limitSeconds} s`))
    }),
    Effect.retry({ times: source.attempts - 1, schedule: Schedule.linear(Duration.millis(200)) })
  )
}

/** The names of the sources that credentials came from, for `check`. */
export const sourceOf = new WeakMap<Identity, string>()

/** Refuses credentials that no header can carry. The store would otherwise refuse every request. */
const sendable = (identity: Identity, source: string) => {
  for (const part of ["accessKeyId", "secretAccessKey", "sessionToken"] as const) {
    const flaw = ConfigFile.unsendable(identity[part] ?? "")
    if (flaw !== undefined) throw new SourceFailed(source, new Error(`its ${part} contains ${flaw}`))
  }
  sourceOf.set(identity, source)
  return identity
}

const metadataFailure = (cause: unknown) => {
  const status = cause instanceof Error && "statusCode" in cause ? cause.statusCode : undefined
  if (status === 404) return "the instance has no role"
  return status === undefined
    ? "no token (IMDSv2): not an EC2 instance, or out of reach, such as from a container behind a hop limit of 1"
    : `answered ${String(status)}`
}

/** Uses the credential chain, then assumes the target's role, if there is one. */
export const provider = (target: Target, options: SourceOptions): Provider =>
  target.assumeRoleArn === undefined
    ? chain(options)
    : fromTemporaryCredentials({
        masterCredentials: chain(options),
        params: { RoleArn: target.assumeRoleArn, RoleSessionName: target.assumeRoleSessionName },
        clientConfig: options.clientConfig
      })

/** A session is renewed this many milliseconds before it expires, or halfway through its life if that is later. */
const renewalMargin = 5 * 60_000
/** Milliseconds between two requests to a failing source. */
const retryPause = 10_000

/** Cached credentials, which are renewed before they expire. */
export interface RenewingCredentials {
  /** With `memoized`, the SDK does not add its own cache. */
  readonly provider: Provider & { readonly memoized: true }
  /** The latest credentials. */
  readonly current: () => Identity | undefined
  /** The latest credentials, unless it is time to renew them. */
  readonly fresh: () => Identity | undefined
  /**
   * Call it when the store reports that these credentials have expired. `renewed`: new credentials are available;
   * `unchanged`: the source returned the same ones; `unavailable`: the source failed.
   */
  readonly renew: (expired: Identity | undefined) => Promise<"renewed" | "unchanged" | "unavailable">
}

/**
 * Renews a session that expires soon, once for all callers. Until then, callers get the current session. If the source
 * fails, callers still get the old session, even if it has expired. The store then rejects the request, and a retry may
 * succeed when the source is up again.
 */
export const renewing = (source: Provider): RenewingCredentials => {
  let current: Identity | undefined
  let renewAt = Infinity
  let pending: Promise<Identity> | undefined
  /** The client that needs the credentials. */
  let client: Parameters<Provider>[0]

  const request = () =>
    (pending ??= source(client)
      .then((identity) => {
        const now = Date.now()
        const end = identity.expiration?.getTime() ?? Infinity
        renewAt = Math.max(end - renewalMargin, now + (end - now) / 2)
        return (current = identity)
      })
      .finally(() => {
        pending = undefined
      }))

  const provide: Provider = async (options) => {
    client = options
    if (current === undefined) return request()
    const [present, now] = [current, Date.now()]
    if (now >= renewAt) {
      renewAt = now + retryPause
      request().catch(() => {})
    }
    const hasExpired = present.expiration !== undefined && present.expiration.getTime() <= now
    return hasExpired && pending !== undefined ? pending.catch(() => present) : present
  }

  return {
    provider: Object.assign(provide, { memoized: true as const }),
    current: () => current,
    fresh: () => (Date.now() < renewAt ? current : undefined),
    renew: async (expired) => {
      if (current !== expired) return "renewed"
      const next = await request().catch(() => undefined)
      if (next === undefined) return "unavailable"
      const isSame = next.accessKeyId === expired?.accessKeyId && next.sessionToken === expired.sessionToken
      return isSame ? "unchanged" : "renewed"
    }
  }
}

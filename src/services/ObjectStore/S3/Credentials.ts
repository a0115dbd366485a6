/** Whose requests they are: the credential chain, told where it ends, and renewed while a run goes on. */
import { fromTemporaryCredentials } from "@aws-sdk/credential-providers"
import { Duration, Effect, Either, Schedule } from "effect"
import type { Target } from "../../../domain/Settings.ts"
import { type Asking, type Provider, type Source, sources } from "./CredentialSources.ts"

type Identity = Awaited<ReturnType<Provider>>

/** No source is set up; `lacking` says what each lacks. */
export class NoSource extends Error {
  override readonly name = "NoSource"
  readonly lacking: ReadonlyArray<string>
  constructor(lacking: ReadonlyArray<string>) {
    super(lacking.join("; "))
    this.lacking = lacking
  }
}

/** The source that is set up gave none. Another is not asked then: it would be somebody else's. */
export class SourceFailed extends Error {
  override readonly name = "SourceFailed"
  readonly source: string
  constructor(source: string, cause: unknown) {
    super(source, { cause })
    this.source = source
  }
}

export const chain =
  (asking: Asking, links: ReadonlyArray<Source> = sources): Provider =>
  async (client) => {
    const reasons: Array<string> = []
    for (const source of links) {
      let reason = await source.unavailable(asking)
      if (reason === undefined) {
        const answer = await Effect.runPromise(Effect.either(ask(source, asking, client)))
        if (Either.isRight(answer)) return answer.right
        // only the metadata service, which is the last source, shows whether it exists when it is asked
        if (source !== links.at(-1)) throw answer.left
        reason = metadataFailure(answer.left.cause)
      }
      reasons.push(`${source.name(asking)}: ${reason}`)
    }
    throw new NoSource(reasons)
  }

const ask = (
  source: Source,
  asking: Asking,
  client: Parameters<Provider>[0]
): Effect.Effect<Identity, SourceFailed> => {
  const failed = (cause: unknown) => new SourceFailed(source.name(asking), cause)
  return Effect.tryPromise({ try: () => source.provider(asking)(client), catch: failed }).pipe(
    Effect.timeoutFail({
      duration: Duration.seconds(source.limitSeconds),
      onTimeout: () => failed(new Error(`no answer within ${source.limitSeconds} s`))
    }),
    Effect.retry({ times: source.attempts - 1, schedule: Schedule.linear(Duration.millis(200)) })
  )
}

const metadataFailure = (cause: unknown) => {
  const status = cause instanceof Error && "statusCode" in cause ? cause.statusCode : undefined
  if (status === 404) return "the instance has no role"
  return status === undefined
    ? "no token (IMDSv2): not an EC2 instance, or out of reach, as from a container behind a hop limit of 1"
    : `answered ${String(status)}`
}

/** With the role that is to be assumed. */
export const provider = (target: Target, asking: Asking): Provider =>
  target.assumeRoleArn === undefined
    ? chain(asking)
    : fromTemporaryCredentials({
        masterCredentials: chain(asking),
        params: { RoleArn: target.assumeRoleArn, RoleSessionName: target.assumeRoleSessionName },
        clientConfig: asking.clientConfig
      })

/** Milliseconds before its end at which a session is renewed; half of its life if that is less. */
const margin = 5 * 60_000
/** Milliseconds between two questions to a source that is down. */
const pause = 10_000

/** Credentials that are kept as long as they are good. */
export interface Renewing {
  /** In the form that the SDK takes for one that keeps them itself. */
  readonly provider: Provider & { readonly memoized: true }
  /** Those given last. */
  readonly current: () => Identity | undefined
  /** The same, if there is no reason to ask for others. */
  readonly fresh: () => Identity | undefined
  /** The store calls these expired: whether there are others now; unknown, if their source is down. */
  readonly renewed: (refused: Identity | undefined) => Promise<"others" | "none" | "unknown">
}

/**
 * A session that ends soon is renewed, once for all who ask, and serves on meanwhile. If its source is down it serves
 * on after its end, too: the store will say so, and a source that was down for a minute costs nothing.
 */
export const renewing = (source: Provider): Renewing => {
  let current: Identity | undefined
  let renewAt = Infinity
  let pending: Promise<Identity> | undefined
  /** Which client wants them. */
  let asked: Parameters<Provider>[0]

  const fetch = () =>
    (pending ??= source(asked)
      .then((identity) => {
        const now = Date.now()
        const end = identity.expiration?.getTime() ?? Infinity
        renewAt = Math.max(end - margin, now + (end - now) / 2)
        return (current = identity)
      })
      .finally(() => {
        pending = undefined
      }))

  const provider: Provider = async (options) => {
    asked = options
    if (current === undefined) return fetch()
    const [former, now] = [current, Date.now()]
    if (now >= renewAt) {
      renewAt = now + pause
      fetch().catch(() => {})
    }
    const isOver = former.expiration !== undefined && former.expiration.getTime() <= now
    return isOver && pending !== undefined ? pending.catch(() => former) : former
  }

  return {
    provider: Object.assign(provider, { memoized: true as const }),
    current: () => current,
    fresh: () => (Date.now() < renewAt ? current : undefined),
    renewed: async (refused) => {
      if (current !== refused) return "others"
      const next = await fetch().catch(() => undefined)
      if (next === undefined) return "unknown"
      return next.accessKeyId === refused?.accessKeyId && next.sessionToken === refused.sessionToken ? "none" : "others"
    }
  }
}

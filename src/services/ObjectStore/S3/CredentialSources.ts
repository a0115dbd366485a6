/** Credential sources, in the order of the AWS chain. */
import { fromEnv, fromHttp, fromIni, fromInstanceMetadata, fromTokenFile } from "@aws-sdk/credential-providers"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError } from "../../../domain/Errors.ts"
import * as SettingsFile from "../../SettingsFile.ts"
import * as ConfigFile from "./ConfigFile.ts"
import type { HandlerOptions } from "./Network.ts"
import * as Profiles from "./Profiles.ts"

/** Gets credentials. The SDK passes the client that needs them. */
export type Provider = ReturnType<typeof fromIni>

export interface SourceOptions {
  readonly env: Env
  readonly profile: string | undefined
  /** Called when a source has given credentials. */
  readonly onAnswer?: (origin: string) => void
  /** For the clients of STS and SSO that the SDK creates. They read region and endpoint from `profile`. */
  readonly clientConfig: {
    readonly requestHandler: HandlerOptions
    readonly maxAttempts: number
    readonly profile?: string
  }
}

export interface Source {
  readonly name: (options: SourceOptions) => string
  /** Which variables, file or service its values come from. */
  readonly origin: (options: SourceOptions) => string
  /** Why the source is not set up; undefined if it is. Rejects if it is set up incompletely. */
  readonly unavailable: (options: SourceOptions) => Promise<string | undefined>
  readonly provider: (options: SourceOptions) => Provider
  /** More than one for a source that may start later than this program when the host boots. */
  readonly attempts: number
  /** Timeout of each attempt. */
  readonly limitSeconds: number
}

/**
 * Returns why a source that needs these variables is not set up; undefined if it is set up. An empty variable counts as
 * unset. Throws if only some of them are set, because the next source would upload under a different identity.
 * `optional`: variables that are useless without the others.
 */
const unset = (env: Env, names: ReadonlyArray<string>, ...optional: ReadonlyArray<string>) => {
  const missing = names.filter((name) => !env[name])
  if (missing.length === 0) return undefined
  const present = [...names, ...optional].find((name) => env[name])
  if (present !== undefined)
    throw new ConfigError({
      detail: `${present} is set, but ${missing.join(" and ")} is not`,
      advice: `set ${missing.join(" and ")} too, or unset ${present} to use another source of credentials`
    })
  return `${missing.join(" and ")} not set`
}

/**
 * Throws if a variable contains a character that no header can carry, such as the line break at the end of a mounted
 * secret.
 */
const requireSendable = (env: Env, ...names: ReadonlyArray<string>) => {
  for (const name of names) {
    const flaw = ConfigFile.unsendable(env[name] ?? "")
    if (flaw !== undefined) throw new Error(`${name} contains ${flaw}`)
  }
}

/** Throws if the file that a variable names is a pipe or a device, which the SDK might read for ever. */
const requirePlain = (env: Env, name: string) =>
  SettingsFile.check(env[name] ?? "").catch((cause: unknown) => {
    if (cause instanceof SettingsFile.NotPlain)
      throw new ConfigError({
        detail: `${env[name]}, which ${name} names, cannot be read: ${cause.message}`,
        advice: `correct ${name}`
      })
  })

const keyPair = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
const sessionToken = "AWS_SESSION_TOKEN"
const webIdentityToken = "AWS_WEB_IDENTITY_TOKEN_FILE"
const containerToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
const containerTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
const relativeUri = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
const fullUri = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
const disabled = "AWS_EC2_METADATA_DISABLED"

/** Discards the SDK's warnings, which would otherwise appear in the middle of the log. */
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Uses instance metadata only with a token (IMDSv2), even for a profile. */
const imdsV2Only = { ec2MetadataV1Disabled: true }

/** Only the first source that is set up is used. */
export const standardSources: ReadonlyArray<Source> = [
  {
    name: () => "environment",
    origin: ({ env }) => [...keyPair, sessionToken].filter((name) => env[name]).join(", "),
    unavailable: async ({ env, profile }) => {
      if (profile !== undefined) return "ignored, because a profile is named"
      const reason = unset(env, keyPair, sessionToken)
      requireSendable(env, ...keyPair, sessionToken)
      return reason
    },
    provider: () => fromEnv({ logger }),
    attempts: 1,
    limitSeconds: 1
  },
  {
    name: ({ profile = Profiles.defaultName }) => `profile '${profile}'`,
    origin: ({ env, profile = Profiles.defaultName }) => `the profile '${profile}' (${Profiles.describe(env)})`,
    unavailable: ({ env, profile }) => Profiles.credentialsUnavailable(profile, env),
    // reads the files each time, because they may have been updated
    provider: ({ clientConfig, profile = Profiles.defaultName }) =>
      fromIni({ profile, clientConfig, ignoreCache: true, logger, ...imdsV2Only }),
    attempts: 1,
    limitSeconds: 60
  },
  {
    name: () => "web identity",
    origin: () => "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN",
    unavailable: async ({ env }) => {
      const reason = unset(env, [webIdentityToken, "AWS_ROLE_ARN"])
      if (reason === undefined) await requirePlain(env, webIdentityToken)
      return reason
    },
    provider: ({ clientConfig }) => fromTokenFile({ clientConfig, logger }),
    attempts: 1,
    limitSeconds: 30
  },
  {
    name: () => "container",
    origin: ({ env }) => `the container's credential endpoint (${env[relativeUri] ? relativeUri : fullUri})`,
    unavailable: async ({ env }) => {
      if (!env[relativeUri] && !env[fullUri])
        return unset(env, [relativeUri, fullUri], containerToken, containerTokenFile)
      requireSendable(env, containerToken)
      await requirePlain(env, containerTokenFile)
      return undefined
    },
    // the timeout of the SDK only prints a warning and does not end the request
    provider: () => fromHttp({ timeout: 10_000, maxRetries: 0, logger }),
    attempts: 3,
    limitSeconds: 3
  },
  {
    name: () => "instance metadata",
    origin: () => "the role of this instance (instance metadata)",
    unavailable: async ({ env }) => (/^(|false)$/i.test(env[disabled] ?? "") ? undefined : `${disabled} is set`),
    // a new provider for each attempt: after one failed request for a token, a provider never requests a token again
    provider: () => fromInstanceMetadata({ timeout: 2000, maxRetries: 0, logger, ...imdsV2Only }),
    attempts: 3,
    limitSeconds: 6
  }
]

/** Where credentials may come from, in the order of the AWS chain. The first source that is set up decides. */
import { fromEnv, fromHttp, fromIni, fromInstanceMetadata, fromTokenFile } from "@aws-sdk/credential-providers"
import type { Env } from "../../../domain/Env.ts"
import type { Handler } from "./Network.ts"
import * as Profiles from "./Profiles.ts"

/** Asks for credentials; told by the SDK which client wants them. */
export type Provider = ReturnType<typeof fromIni>

/** What sources are asked with. */
export interface Asking {
  readonly env: Env
  readonly profile: string | undefined
  /** For the clients of STS and SSO that the SDK makes on the way. */
  readonly clientConfig: { readonly requestHandler: Handler; readonly maxAttempts: number }
}

export interface Source {
  readonly name: (asking: Asking) => string
  /** What is missing for it to be asked. */
  readonly unavailable: (asking: Asking) => Promise<string | undefined>
  readonly provider: (asking: Asking) => Provider
  /** It may be late when a host or a container starts. */
  readonly attempts: number
  /** For each; whoever needs longer hangs. */
  readonly limitSeconds: number
}

const unset = (env: Env, ...names: ReadonlyArray<string>) => {
  const missing = names.filter((name) => !env[name])
  return missing.length === 0 ? undefined : `${missing.join(" and ")} not set`
}

const relativeUri = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
const fullUri = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
const disabled = "AWS_EC2_METADATA_DISABLED"

/** The SDK warns on the console, in the middle of a log. */
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** An instance's metadata is asked with a token (IMDSv2), or not at all; for a profile, too, that names it. */
const tokensAlone = { ec2MetadataV1Disabled: true }

export const sources: ReadonlyArray<Source> = [
  {
    name: () => "environment",
    unavailable: async ({ env, profile }) =>
      profile === undefined
        ? unset(env, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        : "not asked, because a profile is named",
    provider: () => fromEnv({ logger }),
    attempts: 1,
    limitSeconds: 1
  },
  {
    name: ({ profile = Profiles.fallback }) => `profile '${profile}'`,
    unavailable: ({ env, profile }) => Profiles.lacksCredentials(profile, env),
    // read anew each time: somebody may have renewed what is in the files
    provider: ({ clientConfig, profile = Profiles.fallback }) =>
      fromIni({ profile, clientConfig, ignoreCache: true, logger, ...tokensAlone }),
    attempts: 1,
    limitSeconds: 60
  },
  {
    name: () => "web identity",
    unavailable: async ({ env }) => unset(env, "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
    provider: ({ clientConfig }) => fromTokenFile({ clientConfig, logger }),
    attempts: 1,
    limitSeconds: 30
  },
  {
    name: () => "container",
    unavailable: async ({ env }) =>
      unset(env, relativeUri) && unset(env, fullUri) ? unset(env, relativeUri, fullUri) : undefined,
    // it does not end at its own time-out, but warns of it on the console
    provider: () => fromHttp({ timeout: 10_000, maxRetries: 0, logger }),
    attempts: 3,
    limitSeconds: 3
  },
  {
    name: () => "instance metadata",
    unavailable: async ({ env }) => (/^(|false)$/i.test(env[disabled] ?? "") ? undefined : `${disabled} is set`),
    // made anew for each attempt, because it remembers a token that it was not given
    provider: () => fromInstanceMetadata({ timeout: 2000, maxRetries: 0, logger, ...tokensAlone }),
    attempts: 3,
    limitSeconds: 6
  }
]

/** The AWS configuration files. */
import { parseKnownFiles } from "@smithy/core/config"
import { Effect } from "effect"
import { accessSync, constants } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError } from "../../../domain/Errors.ts"
import { codeOf } from "../../SystemError.ts"

/** The profile to use when none is named. */
export const defaultName = "default"

type Profile = Readonly<Record<string, string | undefined>>

const read = (profile: string): Promise<Profile | undefined> =>
  parseKnownFiles({ profile, ignoreCache: true }).then((known) =>
    Object.hasOwn(known, profile) ? known[profile] : undefined
  )

/** The settings of a profile. A named profile must exist: the SDK would treat a missing one as empty. */
export const settings = (named: string | undefined, env: Env): Effect.Effect<Profile, ConfigError> =>
  Effect.tryPromise({
    try: () => read(named ?? defaultName),
    catch: (cause) =>
      new ConfigError({
        detail: "the AWS configuration files cannot be read",
        advice:
          "check ~/.aws/config and ~/.aws/credentials, or the files in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
        cause
      })
  }).pipe(
    Effect.flatMap((profile) =>
      profile === undefined && named !== undefined
        ? Effect.fail(
            new ConfigError({
              detail: `the profile '${named}' is in no AWS configuration file: ${configurationFiles(env)}`,
              advice: "check --profile or AWS_PROFILE against ~/.aws/config and ~/.aws/credentials"
            })
          )
        : Effect.succeed(profile ?? {})
    )
  )

/** The endpoint that the profile's `services` section sets for S3. Such a section must exist. */
export const serviceEndpoint = ({ services }: Profile): Effect.Effect<string | undefined, ConfigError> =>
  services === undefined
    ? Effect.succeed(undefined)
    : Effect.promise(() => parseKnownFiles({ ignoreCache: true })).pipe(
        Effect.flatMap((known) =>
          Effect.fromNullable(Object.hasOwn(known, `services.${services}`) ? known[`services.${services}`] : undefined)
        ),
        Effect.mapBoth({
          onSuccess: (section) => section["s3.endpoint_url"],
          onFailure: () =>
            new ConfigError({
              detail: `the profile names the section [services ${services}], which is not in the AWS configuration file`,
              advice: "add the section, or remove services from the profile"
            })
        })
      )

/** Keys of a profile that name a credential source: all keys of a row must be set. */
const credentialKeys: ReadonlyArray<ReadonlyArray<string>> = [
  ["aws_access_key_id", "aws_secret_access_key"],
  ["role_arn"],
  ["credential_process"],
  ["sso_session"],
  ["sso_account_id"],
  ["login_session"]
]

/** Why a profile cannot give credentials; undefined if it can. */
export const credentialsUnavailable = async (named: string | undefined, env: Env): Promise<string | undefined> => {
  const profile = await read(named ?? defaultName)
  if (profile === undefined) return `not in ${configurationFiles(env)}`
  if (credentialKeys.some((keys) => keys.every((key) => profile[key] !== undefined))) return undefined
  return "has no keys, role, credential_process or SSO session"
}

/** The paths of both files, each with the reason if it cannot be read. */
const configurationFiles = (env: Env) =>
  [
    env["AWS_CONFIG_FILE"] ?? join(home(env), ".aws/config"),
    env["AWS_SHARED_CREDENTIALS_FILE"] ?? join(home(env), ".aws/credentials")
  ]
    .map((path) => path + unreadable(path))
    .join(" and ")

/** `homedir` throws for a user without an entry in passwd. */
const home = (env: Env) => {
  try {
    return env["HOME"] || homedir()
  } catch {
    return "~"
  }
}

const unreadable = (path: string) => {
  try {
    accessSync(path, constants.R_OK)
    return ""
  } catch (cause) {
    const code = codeOf(cause)
    return code === "ENOENT" ? " (which does not exist)" : ` (which cannot be read: ${code})`
  }
}

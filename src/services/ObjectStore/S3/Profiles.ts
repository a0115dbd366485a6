/** The AWS configuration files. */
import { parseKnownFiles } from "@smithy/core/config"
import { Effect } from "effect"
import { accessSync, constants } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError } from "../../../domain/Errors.ts"
import { codeOf } from "../../SystemError.ts"

/** The profile that counts where none is named. */
export const fallback = "default"

type Profile = Readonly<Record<string, string | undefined>>

const read = (profile: string): Promise<Profile | undefined> =>
  parseKnownFiles({ profile, ignoreCache: true }).then((known) =>
    Object.hasOwn(known, profile) ? known[profile] : undefined
  )

/** The settings of a profile. The SDK takes one that does not exist for one that says nothing, and goes on. */
export const settings = (named: string | undefined, env: Env): Effect.Effect<Profile, ConfigError> =>
  Effect.tryPromise({
    try: () => read(named ?? fallback),
    catch: (cause) =>
      new ConfigError({
        detail: "the AWS configuration files cannot be read",
        advice:
          "check ~/.aws/config and ~/.aws/credentials, or where AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE point",
        cause
      })
  }).pipe(
    Effect.flatMap((profile) =>
      profile === undefined && named !== undefined
        ? Effect.fail(
            new ConfigError({
              detail: `the profile '${named}' is in no AWS configuration file: ${places(env)}`,
              advice: "check --profile or AWS_PROFILE against ~/.aws/config and ~/.aws/credentials"
            })
          )
        : Effect.succeed(profile ?? {})
    )
  )

/** What says in a profile where credentials come from; of the first, both. */
const origins: ReadonlyArray<ReadonlyArray<string>> = [
  ["aws_access_key_id", "aws_secret_access_key"],
  ["role_arn"],
  ["credential_process"],
  ["sso_session"],
  ["sso_account_id"],
  ["login_session"]
]

/** Why a profile is no source of credentials. */
export const lacksCredentials = async (named: string | undefined, env: Env): Promise<string | undefined> => {
  const profile = await read(named ?? fallback)
  if (profile === undefined) return `not in ${places(env)}`
  if (origins.some((keys) => keys.every((key) => profile[key] !== undefined))) return undefined
  return "has no keys, role, credential_process or SSO session"
}

/** The files, and why one that is there cannot be read. */
const places = (env: Env) =>
  [
    env["AWS_CONFIG_FILE"] ?? join(home(env), ".aws/config"),
    env["AWS_SHARED_CREDENTIALS_FILE"] ?? join(home(env), ".aws/credentials")
  ]
    .map((path) => path + unreadable(path))
    .join(" and ")

/** A user without an entry in passwd has none. */
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
    return code === "ENOENT" ? " (which is not there)" : ` (which cannot be read: ${code})`
  }
}

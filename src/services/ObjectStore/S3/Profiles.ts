/** The AWS configuration files. */
import { externalDataInterceptor, parseKnownFiles } from "@smithy/core/config"
import { Effect, Either } from "effect"
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError } from "../../../domain/Errors.ts"
import { codeOf } from "../../SystemError.ts"
import * as SettingsFile from "../../SettingsFile.ts"
import * as ConfigFile from "./ConfigFile.ts"

/** The profile to use when none is named. */
export const defaultName = "default"

type Profile = Readonly<Record<string, string | undefined>>

/** The settings of a profile. A named profile must exist: the SDK would treat a missing one as empty. */
export const settings = (named: string | undefined, env: Env): Effect.Effect<Profile, ConfigError> =>
  Effect.tryPromise({
    try: async () => {
      const profile = named ?? defaultName
      await readFiles(profile, env)
      const known = await parseKnownFiles({ ignoreCache: true })
      if (Object.hasOwn(known, profile)) return known[profile] ?? {}
      if (named === undefined) return {}
      throw new ConfigError({
        detail: `the profile '${named}' is in no AWS configuration file: ${describe(env)}`,
        advice: "check --profile, AWS_PROFILE or AWS_DEFAULT_PROFILE against the names in these files"
      })
    },
    catch: (cause) =>
      cause instanceof ConfigError
        ? cause
        : new ConfigError({
            detail: "the AWS configuration files cannot be read",
            advice: `check ${describe(env)}`,
            cause
          })
  })

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

/** The profile's credentials are set up, but cannot be used. */
export class ProfileUnusable extends Error {
  override readonly name = "ProfileUnusable"
}

/**
 * Returns why a profile does not set up credentials; undefined if it does. Rejects if it sets them up incompletely, or
 * if the user named a profile that does not set them up.
 */
export const credentialsUnavailable = async (named: string | undefined, env: Env): Promise<string | undefined> => {
  const found = await readFiles(named ?? defaultName, env)
  const problem = ConfigFile.credentialProblem(found)
  if (problem !== undefined) throw new ProfileUnusable(problem)
  for (const { key, place, value } of found) {
    if (key === "web_identity_token_file")
      await SettingsFile.check(value).catch((cause: unknown) => {
        if (cause instanceof SettingsFile.NotPlain) throw new ProfileUnusable(`${place}: ${value}: ${cause.message}`)
      })
  }
  if (ConfigFile.setsCredentials(found)) return undefined
  const reason = found.length > 0 ? "has no keys, role, credential_process or SSO session" : `not in ${describe(env)}`
  if (named !== undefined) throw new ProfileUnusable(reason)
  return reason
}

interface File {
  readonly kind: ConfigFile.Kind
  readonly path: string
  /** The variable that names the file; undefined if the file is in its usual place. */
  readonly variable: string | undefined
}

/**
 * Reads the settings of a profile from both files. The settings of the second file take precedence. Passes the text on
 * to the SDK, which would ignore a file that it cannot read.
 */
const readFiles = async (profile: string, env: Env) => {
  const found: Array<ConfigFile.Setting> = []
  for (const file of files(env)) {
    const text = await read(file)
    externalDataInterceptor.interceptFile(file.path, text)
    found.push(
      ...Either.getOrThrowWith(
        ConfigFile.settingsOf(text, file, profile),
        (detail) =>
          new ConfigError({ detail, advice: "correct this line: AWS tools ignore it, and what depends on it" })
      )
    )
  }
  return found
}

/** Reads a file. A file in its usual place may be missing. */
const read = async ({ path, variable }: File): Promise<string> => {
  const name = variable === undefined ? path : `${path}, which ${variable} names,`
  try {
    return (await SettingsFile.read(path)).toString("utf8")
  } catch (cause) {
    if (cause instanceof SettingsFile.NotPlain)
      throw new ConfigError({
        detail: `${name} is not a regular file of at most 1 MiB`,
        advice: "replace it by a configuration file of the AWS CLI",
        cause
      })
    const code = codeOf(cause)
    if (variable === undefined && (code === "ENOENT" || code === "ENOTDIR")) return ""
    throw new ConfigError({
      detail: `${name} ${code === "ENOENT" ? "does not exist" : "cannot be read"} (${code})`,
      advice:
        variable === undefined
          ? "it may contain keys or an endpoint: make it readable for this user, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE to other files, such as /dev/null"
          : `correct ${variable}, or unset it if there is no such file`,
      cause
    })
  }
}

/** Both files, in the order in which the SDK reads them: the second takes precedence. */
const files = (env: Env): ReadonlyArray<File> => {
  const home = ensureHome(env)
  return (["config", "credentials"] as const).map((kind) => {
    const name = kind === "config" ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE"
    const path = env[name]
    return path
      ? { kind, path: path.startsWith("~/") ? join(home, path.slice(2)) : path, variable: name }
      : { kind, path: join(home, ".aws", kind), variable: undefined }
  })
}

/**
 * Returns the home directory. A user without HOME and without an entry in passwd has no home directory, and the SDK
 * would throw whenever it looks for a file there. In that case, sets HOME to the directory that Debian gives to users
 * without a home.
 */
const ensureHome = (env: Env): string => {
  if (env["HOME"]) return env["HOME"]
  try {
    return homedir()
  } catch {
    return (process.env["HOME"] = "/nonexistent")
  }
}

export const describe = (env: Env) =>
  files(env)
    .map(({ path }) => (existsSync(path) ? path : `${path} (which does not exist)`))
    .join(" and ")

/**
 * Finds the endpoint and the region of a run. Both are part of the target's identity in the ledger, so even a run that
 * sends nothing needs them. The SDK is loaded only if a configuration file may set one of them.
 */
import { Effect, Either } from "effect"
import { readFileSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import * as Endpoint from "../../../domain/Endpoint.ts"
import type { Env } from "../../../domain/Env.ts"
import { ConfigError } from "../../../domain/Errors.ts"
import type { Target } from "../../../domain/Settings.ts"
import { codeOf } from "../../SystemError.ts"

/** The values of the flags and variables. */
export interface Given extends Pick<Target, "endpoint" | "profile" | "region"> {
  /** Whether the endpoint comes from the flag and not from a variable. */
  readonly isEndpointFlag: boolean
}

export type Resolved = Pick<Target, "endpoint" | "region">

/**
 * | the first that is set                                            | ignored with `ignore_configured_endpoint_urls` |
 * | ---------------------------------------------------------------- | ---------------------------------------------- |
 * | `--endpoint`                                                     | no                                             |
 * | `AWS_ENDPOINT_URL_S3`, then `AWS_ENDPOINT_URL`                   | yes                                            |
 * | `endpoint_url` below `s3 =` in the `services` section of the profile | yes                                        |
 * | `endpoint_url` of the profile                                    | yes                                            |
 *
 * Source: "Service-specific endpoints" in the AWS SDKs and Tools Reference Guide.
 */
export const resolve = (given: Given, env: Env): Effect.Effect<Resolved, ConfigError> =>
  Effect.gen(function* () {
    const ignored = yield* flagIn(env[ignoreVariable], ignoreVariable)
    const isDecided = given.region !== undefined && (given.isEndpointFlag || ignored === true)
    const known = isDecided ? undefined : yield* profileOf(given.profile, env)
    const ignores = ignored ?? (yield* flagIn(known?.settings[ignoreKey], `${ignoreKey} in the profile`)) ?? false
    const isIgnored = ignores && !given.isEndpointFlag
    const endpoint = isIgnored ? undefined : (given.endpoint ?? (yield* endpointOf(known)))
    return { endpoint, region: given.region ?? known?.settings["region"] }
  })

const ignoreVariable = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
const ignoreKey = "ignore_configured_endpoint_urls"

const flagIn = (text: string | undefined, name: string): Effect.Effect<boolean | undefined, ConfigError> => {
  if (!text) return Effect.succeed(undefined)
  return /^(true|false)$/i.test(text)
    ? Effect.succeed(text.toLowerCase() === "true")
    : Effect.fail(
        new ConfigError({ detail: `${name}: expected true or false, got '${text}'`, advice: `correct ${name}` })
      )
}

/** Reads the settings of the profile, and the endpoint that its `services` section sets for S3. */
const profileOf = (named: string | undefined, env: Env) =>
  Effect.gen(function* () {
    if (named === undefined && !mayBeSet(env)) return undefined
    const Profiles = yield* Effect.promise(() => import("./Profiles.ts"))
    const settings = yield* Profiles.settings(named, env)
    return { settings, serviceEndpoint: yield* Profiles.serviceEndpoint(settings) }
  })

/** Whether a configuration file may set an endpoint or a region. True if a file cannot be read. */
const mayBeSet = (env: Env) =>
  [
    env["AWS_CONFIG_FILE"] || join(home(env), ".aws/config"),
    env["AWS_SHARED_CREDENTIALS_FILE"] || join(home(env), ".aws/credentials")
  ].some((path) => {
    try {
      // a pipe or a device is refused when the files are read
      return !statSync(path).isFile() || /endpoint_url|services|region/.test(readFileSync(path, "utf8"))
    } catch (cause) {
      return codeOf(cause) !== "ENOENT"
    }
  })

/** `homedir` throws for a user without an entry in passwd. */
const home = (env: Env) => {
  try {
    return env["HOME"] || homedir()
  } catch {
    return "/nonexistent"
  }
}

const endpointOf = (profile: Effect.Effect.Success<ReturnType<typeof profileOf>>) => {
  const text = profile?.serviceEndpoint || profile?.settings["endpoint_url"]
  return !text
    ? Effect.succeed(undefined)
    : Either.mapLeft(
        Endpoint.parse(text),
        (expected) =>
          new ConfigError({
            detail: `endpoint_url in the profile: expected ${expected}, got '${Endpoint.withoutLogin(text)}'`,
            advice: "correct it in the AWS configuration file, or give --endpoint"
          })
      )
}

/** Environment variables of this program that no flag reads: most are misspelt. */
import type { Env } from "../../domain/Env.ts"
import { prefix } from "./Flag.ts"
import { s3Flags } from "./S3Flags.ts"
import { statusFlags } from "./StatusFlags.ts"
import * as Suggestion from "./Suggestion.ts"

/**
 * Returns a sentence for each unknown variable. The sentence does not contain the value, which may be secret. An empty
 * variable counts as unset.
 */
export const warnings = (env: Env): ReadonlyArray<string> =>
  Object.keys(env)
    .filter((name) => name.startsWith(prefix) && Boolean(env[name]) && !known.has(name))
    .toSorted()
    .map((name) => `${name} is not a variable of ibsr-export and has no effect${didYouMean(name)}`)

// `status` may run with the same environment file as `s3`
const flags = [...Object.values(s3Flags), ...Object.values(statusFlags)].filter(({ env }) => env.length > 0)
const known = new Set(flags.flatMap(({ env }) => env))

/** Compares names without the prefix. Also recognises IBSR_EXPORT_REGION, whose correct name is AWS_REGION. */
const didYouMean = (variable: string) => {
  const names = new Map(flags.map(({ env, name }) => [`--${name}`, env[0]]))
  const name = `--${variable.slice(prefix.length).toLowerCase().replaceAll("_", "-")}`
  const nearest = Suggestion.nearest(name, [...names.keys()])
  return nearest === undefined ? "" : `; did you mean ${names.get(nearest)}?`
}

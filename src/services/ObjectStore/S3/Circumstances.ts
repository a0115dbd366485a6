/** What hints need to know about the setup of a run. */
import { Either } from "effect"
import type { Env } from "../../../domain/Env.ts"
import * as Providers from "../../../domain/Providers.ts"
import * as Proxy from "../../../domain/Proxy.ts"
import type { ObjectAttributes, Target } from "../../../domain/Settings.ts"
import type { Circumstances, Setting } from "./Advice.ts"
import * as Profiles from "./Profiles.ts"
import type { NamedProxy } from "../Http/NamedProxy.ts"

type Profile = Readonly<Record<string, string | undefined>>

/** The circumstances that are known before the first request. */
export const of = (
  settings: ObjectAttributes & Target,
  env: Env,
  profile: Profile
): Omit<Circumstances, "hasSucceeded" | "hasSession" | "credentialOrigin"> => ({
  settings,
  region: region(settings, env, profile),
  caBundle: caBundle(settings, env, profile),
  forwardingProxy: forwardingProxy(settings, env),
  nameOf: (variable) => (env[variable.toLowerCase()] ? variable.toLowerCase() : variable)
})

const inProfile = (key: string, { profile }: Target) => `${key} in the profile ${profile ?? Profiles.defaultName}`

const region = (target: Target, env: Env, profile: Profile): Setting | undefined => {
  const value = target.region
  if (value !== undefined) {
    const variable = ["AWS_REGION", "AWS_DEFAULT_REGION"].find((name) => env[name] === value)
    return { value, source: variable ?? (profile["region"] === value ? inProfile("region", target) : "--region") }
  }
  const usual = Providers.of(target.endpoint).region
  return usual === undefined ? undefined : { value: usual, source: "the default for this endpoint" }
}

const caBundle = (target: Target, env: Env, profile: Profile): Setting | undefined => {
  const variable = env["AWS_CA_BUNDLE"]
  if (variable) return { value: variable, source: "AWS_CA_BUNDLE" }
  const path = profile["ca_bundle"]
  return path === undefined ? undefined : { value: path, source: inProfile("ca_bundle", target) }
}

const forwardingProxy = ({ endpoint }: Target, env: Env): NamedProxy | undefined => {
  if (endpoint?.protocol !== "http:") return undefined
  const proxies = Either.getOrElse(Proxy.fromEnv(env), () => ({}))
  const { hostname, port, protocol } = endpoint
  const proxy = Proxy.of(proxies, { hostname, protocol, port: Number(port || 80) })
  return proxy === undefined ? undefined : { variable: "HTTP_PROXY", host: new URL(proxy).host }
}

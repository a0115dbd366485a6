import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { afterEach, vi } from "vitest"
import type { Env } from "../../../../src/domain/Env.ts"
import * as ConfiguredTarget from "../../../../src/services/ObjectStore/S3/ConfiguredTarget.ts"
import { tree } from "../../../fixtures/Tree.ts"

const config = `
[default]
endpoint_url = http://default:1
region = r-default
[profile plain]
region = r-plain
[profile own]
endpoint_url = http://own:1
[profile services]
endpoint_url = http://own:1
services = stores
[services stores]
s3 =
  endpoint_url = http://service:1
sts =
  endpoint_url = http://sts:1
[profile other-service]
services = others
endpoint_url = http://own:1
[services others]
sts =
  endpoint_url = http://sts:1
[profile ignoring]
endpoint_url = http://own:1
ignore_configured_endpoint_urls = true
[profile no-services]
services = none
[profile with-path]
endpoint_url = http://user:secret@own:1/bucket
`

const variable = { AWS_ENDPOINT_URL_S3: "http://variable:1" }
const ignore = (text: string) => ({ AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: text })

interface Case {
  readonly profile?: string
  readonly flag?: string
  readonly env?: Env
}

/** What a run with these flags and variables resolves on a host with this configuration file. */
const resolve = (
  { env = {}, flag, profile }: Case,
  files: Readonly<Record<string, string>> = { ".aws/config": config }
) => {
  const home = { HOME: tree(files), ...env }
  // the SDK reads the variables of the process
  for (const [name, value] of Object.entries(home)) vi.stubEnv(name, value)
  const endpoint = flag ?? env["AWS_ENDPOINT_URL_S3"]
  return ConfiguredTarget.resolve(
    {
      profile,
      region: env["AWS_REGION"],
      endpoint: endpoint === undefined ? undefined : new URL(endpoint),
      isEndpointFlag: flag !== undefined
    },
    home
  )
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe("the endpoint and the region of a run", () => {
  it.effect.each<readonly [Case, string | undefined, string | undefined]>([
    [{}, "http://default:1/", "r-default"],
    [{ profile: "plain" }, undefined, "r-plain"],
    [{ profile: "own" }, "http://own:1/", undefined],
    [{ profile: "services" }, "http://service:1/", undefined],
    [{ profile: "other-service" }, "http://own:1/", undefined],
    [{ profile: "services", env: variable }, "http://variable:1/", undefined],
    [{ profile: "services", env: variable, flag: "http://flag:1" }, "http://flag:1/", undefined],
    [{ profile: "own", env: { AWS_REGION: "r" } }, "http://own:1/", "r"],
    [{ profile: "own", env: ignore("true") }, undefined, undefined],
    [{ profile: "own", env: { ...variable, ...ignore("True") } }, undefined, undefined],
    [{ profile: "own", env: ignore("true"), flag: "http://flag:1" }, "http://flag:1/", undefined],
    [{ profile: "own", env: ignore("") }, "http://own:1/", undefined],
    [{ profile: "ignoring" }, undefined, undefined],
    [{ profile: "ignoring", env: variable }, undefined, undefined],
    [{ profile: "ignoring", env: ignore("false") }, "http://own:1/", undefined],
    [{ profile: "ignoring", flag: "http://flag:1" }, "http://flag:1/", undefined]
  ])("given %j, are %s and %s", ([given, endpoint, region]) =>
    Effect.gen(function* () {
      const resolved = yield* resolve(given)
      expect([resolved.endpoint?.href, resolved.region]).toEqual([endpoint, region])
    })
  )

  it.effect("are those of the flags and variables without a configuration file", () =>
    Effect.gen(function* () {
      expect(yield* resolve({}, {})).toEqual({ endpoint: undefined, region: undefined })
      expect((yield* resolve({ env: variable }, {})).endpoint?.href).toBe("http://variable:1/")
    })
  )

  it.effect.each<readonly [Case, string]>([
    [{ profile: "nobody" }, "'nobody'"],
    [{ profile: "no-services" }, "[services none]"],
    [{ profile: "with-path" }, "got 'http://…@own:1/bucket'"],
    [{ env: ignore("yes") }, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: expected true or false, got 'yes'"]
  ])("fail for %j with a message that contains %s", ([given, part]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(resolve(given))
      expect([error._tag, error.message]).toEqual(["ConfigError", expect.stringContaining(part)])
      expect(error.message + error.hint).not.toContain("secret")
    })
  )
})

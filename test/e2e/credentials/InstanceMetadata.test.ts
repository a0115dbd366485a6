/** The role of an EC2 instance, by its metadata service: version 2 of it, and never version 1. */
import { describe, expect, it } from "vitest"
import type { Metadata, MetadataOptions } from "../../fakes/Metadata.ts"
import { closedPort, run, s3 } from "../BuiltProgram.ts"
import { startStoreForIssued, oneFile, onInstance, startMetadata } from "../CredentialSources.ts"

const onHost = async (options: MetadataOptions = {}) => {
  const { args, identities, store } = await startStoreForIssued()
  const metadata = await startMetadata({ ...options, identities })
  return { args, store, metadata, env: onInstance(metadata) }
}

const steps = ({ requests, role }: Metadata) =>
  requests.map(({ method, path, status }) => `${method} ${path.split("/").at(-1)?.replace(role, "ROLE")} ${status}`)

describe("the role of an instance", () => {
  it("is found by a session token, one after the other", async () => {
    const { args, env, metadata, store } = await onHost()
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(metadata.issuer.issued)
    expect(steps(metadata)).toEqual(["PUT token 200", "GET  200", "GET ROLE 200"])
  })

  it.each([403, 404, 405, 500, "hang"] as const)(
    "is not asked for in version 1 where the token is answered with %s",
    async (answer) => {
      const { args, env, metadata } = await onHost({ steps: { token: answer } })
      const result = await run(args(), { env })
      expect(result.code, result.stdout).toBe(20)
      expect(result.millis).toBeLessThan(15_000)
      expect(metadata.requests).not.toEqual([])
      expect(metadata.versionOne).toEqual([])
    }
  )

  it.each<[string, MetadataOptions]>([
    ["fails twice", { failures: 2 }],
    ["takes a second and a half for each answer", { latencyMs: 1500 }]
  ])("is found by a service that %s", async (_, options) => {
    const { args, env, store } = await onHost(options)
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(1)
  })

  it.each<[string, () => Promise<string>]>([
    ["refuses connections", async () => `http://127.0.0.1:${await closedPort()}`],
    ["never answers", async () => (await startMetadata({ hang: true })).url]
  ])("is given up where the service %s, and the message names all sources", async (_, dead) => {
    const { args, store } = await startStoreForIssued()
    const result = await run(args(), { env: onInstance({ url: await dead() }) })
    expect(result.code, result.stdout).toBe(20)
    expect(result.millis).toBeLessThan(15_000)
    for (const source of ["environment", "profile", "web identity", "container", "instance metadata"]) {
      expect(result.stdout).toContain(source)
    }
    expect(store.requests).toEqual([])
  })

  it("is missing where the instance has none, which the message says", async () => {
    const { args, env } = await onHost({ steps: { role: 404 } })
    const result = await run(args(), { env })
    expect([result.code, result.stdout]).toEqual([20, expect.stringContaining("no role")])
  })

  it("does not decide the region of a store that --endpoint names", async () => {
    const { identities, store } = await startStoreForIssued({ region: "us-east-1" })
    const metadata = await startMetadata({ identities, region: "eu-central-1" })
    const result = await run(s3(oneFile(), store.endpoint), { env: onInstance(metadata) })
    expect(result.code, result.stdout).toBe(0)
  })

  it("is not asked for where AWS_EC2_METADATA_DISABLED is true", async () => {
    const { args, env, metadata } = await onHost()
    const result = await run(args(), { env: { ...env, AWS_EC2_METADATA_DISABLED: "true" } })
    expect(result.code, result.stdout).toBe(20)
    expect(metadata.requests).toEqual([])
  })
})

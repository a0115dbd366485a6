/** The role of an EC2 instance, from version 2 of its metadata service, never version 1. */
import { describe, expect, it } from "vitest"
import type { Metadata, MetadataOptions } from "../../fakes/Metadata.ts"
import { closedPort, run, s3 } from "../BuiltProgram.ts"
import { oneFile, onInstance, startMetadata, startStoreForIssuedKeys } from "../CredentialSources.ts"

const startOnInstance = async (options: MetadataOptions = {}) => {
  const { args, identities, store } = await startStoreForIssuedKeys()
  const metadata = await startMetadata({ ...options, identities })
  return { args, store, metadata, env: onInstance(metadata) }
}

const requestsTo = ({ requests, role }: Metadata) =>
  requests.map(({ method, path, status }) => `${method} ${path.split("/").at(-1)?.replace(role, "ROLE")} ${status}`)

describe("the instance's role", () => {
  it("is requested with a session token, in sequential requests", async () => {
    const { args, env, metadata, store } = await startOnInstance()
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(metadata.issuer.issued)
    expect(requestsTo(metadata)).toEqual(["PUT token 200", "GET  200", "GET ROLE 200"])
  })

  it.each([403, 404, 405, 500, "hang"] as const)(
    "is not requested from version 1 when the service answers the token request with %s",
    async (answer) => {
      const { args, env, metadata } = await startOnInstance({ steps: { token: answer } })
      const result = await run(args(), { env })
      expect(result.code, result.stdout).toBe(20)
      expect(result.durationMs).toBeLessThan(15_000)
      expect(metadata.requests).not.toEqual([])
      expect(metadata.versionOne).toEqual([])
    }
  )

  it.each<[string, MetadataOptions]>([
    ["fails twice", { failures: 2 }],
    ["takes a second and a half for each response", { latencyMs: 1500 }]
  ])("is found when the service %s", async (_, options) => {
    const { args, env, store } = await startOnInstance(options)
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(1)
  })

  it.each<[string, () => Promise<string>]>([
    ["refuses connections", async () => `http://127.0.0.1:${await closedPort()}`],
    ["never answers", async () => (await startMetadata({ hang: true })).url]
  ])("is missing when the service %s, and the message names all sources", async (_, deadUrl) => {
    const { args, store } = await startStoreForIssuedKeys()
    const result = await run(args(), { env: onInstance({ url: await deadUrl() }) })
    expect(result.code, result.stdout).toBe(20)
    expect(result.durationMs).toBeLessThan(15_000)
    for (const source of ["environment", "profile", "web identity", "container", "instance metadata"]) {
      expect(result.stdout).toContain(source)
    }
    expect(store.requests).toEqual([])
  })

  it("is missing when the instance has no role, and the run exits 20 and says so", async () => {
    const { args, env } = await startOnInstance({ steps: { role: 404 } })
    const result = await run(args(), { env })
    expect([result.code, result.stdout]).toEqual([20, expect.stringContaining("no role")])
  })

  it("does not determine the region of a store at --endpoint", async () => {
    const { identities, store } = await startStoreForIssuedKeys({ region: "us-east-1" })
    const metadata = await startMetadata({ identities, region: "eu-central-1" })
    const result = await run(s3(oneFile(), store.endpoint), { env: onInstance(metadata) })
    expect(result.code, result.stdout).toBe(0)
  })

  it("is not requested when AWS_EC2_METADATA_DISABLED is true", async () => {
    const { args, env, metadata } = await startOnInstance()
    const result = await run(args(), { env: { ...env, AWS_EC2_METADATA_DISABLED: "true" } })
    expect(result.code, result.stdout).toBe(20)
    expect(metadata.requests).toEqual([])
  })
})

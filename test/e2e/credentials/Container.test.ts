/** The role of a container on ECS or EKS, from the endpoint in its environment. */
import { describe, expect, it } from "vitest"
import type { MetadataOptions } from "../../fakes/Metadata.ts"
import { run } from "../BuiltProgram.ts"
import { inContainer, startMetadata, startStoreForIssuedKeys, withoutKeys } from "../CredentialSources.ts"

const startInContainer = async (options: MetadataOptions = {}) => {
  const { args, identities, store } = await startStoreForIssuedKeys()
  const metadata = await startMetadata({ ...options, identities })
  return { args, store, metadata, ...inContainer(metadata) }
}

describe("the container's role", () => {
  it("is requested with the token in a file", async () => {
    const { args, env, metadata, store } = await startInContainer()
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(metadata.issuer.issued)
    expect(metadata.requests.map(({ authorization }) => authorization)).toEqual(["first"])
  })

  it("is requested with the token in the environment", async () => {
    const { args, metadata } = await startInContainer()
    const { containerToken, containerUrl } = metadata
    const result = await run(args(), {
      env: {
        ...withoutKeys,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: containerUrl,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: containerToken
      }
    })
    expect(result.code, result.stdout).toBe(0)
  })

  it("is found when the endpoint fails twice", async () => {
    const { args, env } = await startInContainer({ failures: 2 })
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(0)
  })

  it.each([500, 401])("is missing when the endpoint always answers %i", async (answer) => {
    const { args, env, metadata, store } = await startInContainer({ steps: { container: answer } })
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(20)
    expect(result.durationMs).toBeLessThan(20_000)
    expect(result.stdout).toContain("container")
    expect([metadata.versionOne, store.requests]).toEqual([[], []])
  })

  // the failure must not be a network failure, which would be retried, and the SDK must not print its own warning
  it("is missing when the endpoint never answers", async () => {
    const { args, env } = await startInContainer({ hang: true })
    const result = await run(args(), { env })
    expect(result.durationMs).toBeLessThan(15_000)
    expect(result.stderr).not.toContain("@smithy")
    expect(result.code, result.stdout).toBe(20)
  })

  it("is not replaced by the instance's role, which is a different identity", async () => {
    const { args, env, metadata } = await startInContainer({ steps: { container: 500 } })
    const instance = { AWS_EC2_METADATA_DISABLED: undefined, AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url }
    const result = await run(args(), { env: { ...env, ...instance } })
    expect(result.code, result.stdout).toBe(20)
    expect(metadata.requests.filter(({ path }) => path.startsWith("/latest"))).toEqual([])
  })

  it("is never requested from another host over plain HTTP", async () => {
    const { args } = await startInContainer()
    const env = { ...withoutKeys, AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://192.0.2.1/credentials" }
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(20)
    expect(result.durationMs).toBeLessThan(5000)
  })
})

/** The role of a container on ECS or EKS, by the endpoint that it is given. */
import { describe, expect, it } from "vitest"
import type { MetadataOptions } from "../../fakes/Metadata.ts"
import { run } from "../BuiltProgram.ts"
import { inContainer, startStoreForIssued, withoutKeys, startMetadata } from "../CredentialSources.ts"

const inside = async (options: MetadataOptions = {}) => {
  const { args, identities, store } = await startStoreForIssued()
  const metadata = await startMetadata({ ...options, identities })
  return { args, store, metadata, ...inContainer(metadata) }
}

describe("the role of a container", () => {
  it("is asked for with the token in a file", async () => {
    const { args, env, metadata, store } = await inside()
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(metadata.issuer.issued)
    expect(metadata.requests.map(({ authorization }) => authorization)).toEqual(["first"])
  })

  it("is asked for with the token in the environment", async () => {
    const { args, metadata } = await inside()
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

  it("is found by an endpoint that fails twice", async () => {
    const { args, env } = await inside({ failures: 2 })
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(0)
  })

  it.each([500, 401])("is given up where the endpoint answers %i for ever", async (answer) => {
    const { args, env, metadata, store } = await inside({ steps: { container: answer } })
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(20)
    expect(result.millis).toBeLessThan(20_000)
    expect(result.stdout).toContain("container")
    expect([metadata.versionOne, store.requests]).toEqual([[], []])
  })

  // it is called a failure of the network, and tried as often as one to the store; the SDK warns on the console
  it("is given up where the endpoint never answers", async () => {
    const { args, env } = await inside({ hang: true })
    const result = await run(args(), { env })
    expect(result.millis).toBeLessThan(15_000)
    expect(result.stderr).not.toContain("@smithy")
    expect(result.code, result.stdout).toBe(20)
  })

  it("is not replaced by that of the instance, which would be somebody else", async () => {
    const { args, env, metadata } = await inside({ steps: { container: 500 } })
    const instance = { AWS_EC2_METADATA_DISABLED: undefined, AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url }
    const result = await run(args(), { env: { ...env, ...instance } })
    expect(result.code, result.stdout).toBe(20)
    expect(metadata.requests.filter(({ path }) => path.startsWith("/latest"))).toEqual([])
  })

  it("is never asked for over plain HTTP outside of the host", async () => {
    const { args } = await inside()
    const env = { ...withoutKeys, AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://192.0.2.1/credentials" }
    const result = await run(args(), { env })
    expect(result.code, result.stdout).toBe(20)
    expect(result.millis).toBeLessThan(5000)
  })
})

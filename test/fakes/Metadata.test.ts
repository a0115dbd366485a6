import { fromHttp, fromInstanceMetadata } from "@aws-sdk/credential-providers"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { Metadata, type Step } from "./Metadata.ts"

let metadata: Metadata

beforeEach(async () => {
  metadata = await Metadata.start()
})
afterEach(() => {
  vi.unstubAllEnvs()
  return metadata.stop()
})

const listPath = "/latest/meta-data/iam/security-credentials/"

const ask = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
  const response = await fetch(metadata.url + path, { method, headers })
  return { status: response.status, text: await response.text() }
}

const session = async () => {
  const { text } = await ask("/latest/api/token", { "x-aws-ec2-metadata-token-ttl-seconds": "60" }, "PUT")
  return { "x-aws-ec2-metadata-token": text }
}

describe("the fake instance metadata", () => {
  it("provides the SDK with credentials of a registered identity", async () => {
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)
    const credentials = await fromInstanceMetadata({ ec2MetadataV1Disabled: true })()
    expect(metadata.issuer.identities).toMatchObject([{ accessKeyId: credentials.accessKeyId, expired: false }])
    expect(metadata.requests.map(({ method, path, status }) => `${method} ${path} ${status}`)).toEqual([
      "PUT /latest/api/token 200",
      `GET ${listPath} 200`,
      `GET ${listPath}snapshots-writer 200`
    ])
  })

  it.each([
    ["no lifetime", {}, 400],
    ["a lifetime of zero", { "x-aws-ec2-metadata-token-ttl-seconds": "0" }, 400],
    ["a lifetime of more than six hours", { "x-aws-ec2-metadata-token-ttl-seconds": "21601" }, 400],
    ["a proxy in between", { "x-aws-ec2-metadata-token-ttl-seconds": "60", "x-forwarded-for": "10.0.0.1" }, 403]
  ])("refuses a session token with %s", async (_, headers, status) => {
    expect((await ask("/latest/api/token", headers, "PUT")).status).toBe(status)
  })

  it("refuses and records a request without a session token, and refuses an invented token", async () => {
    expect((await ask(listPath)).status).toBe(401)
    expect((await ask(listPath, { "x-aws-ec2-metadata-token": "invented" })).status).toBe(401)
    expect(metadata.versionOne).toMatchObject([{ method: "GET", path: listPath, hadToken: false }])
  })

  it("issues new credentials for each call unless rotation is off", async () => {
    const headers = await session()
    const keyId = async () =>
      /"AccessKeyId":"(.+?)"/.exec((await ask(`${listPath}snapshots-writer`, headers)).text)?.[1]
    expect([await keyId(), await keyId()]).toEqual(["ASIA1", "ASIA2"])
    metadata.issuer.rotate = false
    expect([await keyId(), await keyId()]).toEqual(["ASIA2", "ASIA2"])
    metadata.issuer.expireAll()
    expect(metadata.issuer.identities.map(({ expired }) => expired)).toEqual([true, true])
    expect(await keyId()).toBe("ASIA3")
  })

  it("fails the configured number of times", async () => {
    metadata.behaviour.failures = 2
    const headers = { "x-aws-ec2-metadata-token-ttl-seconds": "60" }
    const statuses = [1, 2, 3].map(async () => (await ask("/latest/api/token", headers, "PUT")).status)
    expect((await Promise.all(statuses)).sort()).toEqual([200, 503, 503])
  })

  it.each<[Step, string]>([
    ["role", listPath],
    ["credentials", `${listPath}snapshots-writer`],
    ["container", "/container/credentials"]
  ])("answers the step %s with the configured status, or hangs", async (step, path) => {
    metadata.steps[step] = 500
    expect((await ask(path, await session())).status).toBe(500)
    metadata.steps[step] = "hang"
    await expect(fetch(metadata.url + path, { signal: AbortSignal.timeout(100) })).rejects.toThrow("timeout")
  })
})

describe("the fake container endpoint", () => {
  const get = (authorization: string) => ask("/container/credentials", { authorization })

  it("provides the SDK with credentials", async () => {
    const source = fromHttp({
      awsContainerCredentialsFullUri: metadata.containerUrl,
      awsContainerAuthorizationToken: metadata.containerToken
    })
    expect(metadata.issuer.identities).toMatchObject([{ sessionToken: (await source()).sessionToken }])
  })

  it("accepts only the current token", async () => {
    metadata.containerToken = "second"
    expect([(await get("first")).status, (await get("second")).status]).toEqual([401, 200])
    expect(metadata.requests.map(({ authorization }) => authorization)).toEqual(["first", "second"])
  })
})

import { fromTemporaryCredentials, fromWebToken } from "@aws-sdk/credential-providers"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { makeAuthority } from "../fixtures/Certificates.ts"
import { type Refusal, refusals, Sts } from "./Sts.ts"

let sts: Sts

beforeEach(async () => {
  sts = await Sts.start()
})
afterEach(() => sts.stop())

const RoleArn = "arn:aws:iam::123456789012:role/export"
const client = () => ({ endpoint: sts.url, region: "eu-central-1", maxAttempts: 1 })

const assumeRole = () =>
  fromTemporaryCredentials({
    params: { RoleArn, RoleSessionName: "host-17" },
    masterCredentials: { accessKeyId: "AKIACALLER", secretAccessKey: "secret" },
    clientConfig: client()
  })()

const withWebIdentity = (webIdentityToken: string) =>
  fromWebToken({ roleArn: RoleArn, roleSessionName: "pod-4", webIdentityToken, clientConfig: client() })()

describe("the fake STS", () => {
  it("issues a role's credentials for a signed request, and records its access key", async () => {
    const { accessKeyId, expiration, sessionToken } = await assumeRole()
    expect(sts.issuer.identities).toMatchObject([{ accessKeyId, sessionToken, expired: false }])
    expect(Math.abs((expiration?.getTime() ?? 0) - Date.now() - 3_600_000)).toBeLessThan(10_000)
    expect(sts.requests).toEqual([
      {
        action: "AssumeRole",
        roleArn: RoleArn,
        sessionName: "host-17",
        accessKeyId: "AKIACALLER",
        region: "eu-central-1",
        webIdentityToken: undefined,
        status: 200
      }
    ])
  })

  it("issues a role's credentials for an unsigned request with the correct web identity token", async () => {
    await withWebIdentity("web-identity-token")
    await expect(withWebIdentity("another")).rejects.toMatchObject({ name: "InvalidIdentityTokenException" })
    expect(sts.requests).toMatchObject([
      { action: "AssumeRoleWithWebIdentity", accessKeyId: undefined, status: 200 },
      { webIdentityToken: "another", status: 400 }
    ])
  })

  it.each([
    ["AssumeRole without a signature", { Action: "AssumeRole", RoleArn, RoleSessionName: "host-17" }, 403],
    ["a session name that AWS does not allow", { Action: "AssumeRole", RoleArn, RoleSessionName: "host 17" }, 400],
    ["an unknown action", { Action: "GetCallerIdentity" }, 400]
  ])("refuses %s", async (_, query, status) => {
    const answer = await fetch(sts.url, { method: "POST", body: new URLSearchParams(query) })
    expect(answer.status).toBe(status)
  })

  it.each<[Refusal, string]>([
    [refusals.accessDenied, "AccessDenied"],
    [refusals.expiredToken, "ExpiredTokenException"],
    [refusals.invalidClientTokenId, "InvalidClientTokenId"]
  ])("refuses with %o if configured to", async (refusal, name) => {
    sts.refusal = refusal
    await expect(assumeRole()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: refusal.status } })
  })

  it("is unavailable the configured number of times", async () => {
    sts.behaviour.failures = 1
    await expect(assumeRole()).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } })
    await assumeRole()
  })

  it("speaks TLS with the given certificate", async () => {
    const authority = await makeAuthority()
    const secure = await Sts.start({ tls: await authority.issue("127.0.0.1") })
    await expect(fetch(secure.url)).rejects.toMatchObject({ cause: { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" } })
    await secure.stop()
  })
})

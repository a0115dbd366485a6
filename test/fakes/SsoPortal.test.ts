import { fromSSO } from "@aws-sdk/credential-providers"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { tree } from "../fixtures/Tree.ts"
import { SsoPortal } from "./SsoPortal.ts"

let portal: SsoPortal

beforeEach(async () => {
  portal = await SsoPortal.start()
})
afterEach(() => {
  vi.unstubAllEnvs()
  return portal.stop()
})

const ask = async (query: string, token = "sso-token") =>
  (await fetch(`${portal.url}/federation/credentials?${query}`, { headers: { "x-amz-sso_bearer_token": token } }))
    .status

describe("the fake SSO portal", () => {
  it("provides the SDK with credentials; the SDK finds the SSO session in the home directory", async () => {
    vi.stubEnv("HOME", tree(portal.home()))
    vi.stubEnv("AWS_ENDPOINT_URL_SSO", portal.url)
    const credentials = await fromSSO({ profile: "export" })()
    expect(portal.issuer.identities).toMatchObject([{ accessKeyId: credentials.accessKeyId, expired: false }])
    expect(portal.requests.map(({ path }) => path)).toEqual([
      "/federation/credentials?account_id=123456789012&role_name=SnapshotsWriter"
    ])
  })

  it("stores a session's token under the hash of the session's name", () => {
    // echo -n customer | sha1sum
    const file = ".aws/sso/cache/b39f008e318efd2bb988d724a161b61c6909677f.json"
    const login: unknown = JSON.parse(readFileSync(join(tree(portal.home()), file), "utf8"))
    expect(login).toMatchObject({ accessToken: "sso-token", region: "eu-central-1" })
  })

  it.each([
    ["another token", "account_id=123456789012&role_name=SnapshotsWriter", "another", 401],
    ["another account", "account_id=210987654321&role_name=SnapshotsWriter", "sso-token", 403],
    ["another role", "account_id=123456789012&role_name=Administrator", "sso-token", 403]
  ])("refuses %s", async (_, query, token, status) => {
    expect(await ask(query, token)).toBe(status)
  })
})

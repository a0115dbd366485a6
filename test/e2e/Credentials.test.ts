import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { writer } from "../../scripts/strict-s3/StrictS3.ts"
import { tree } from "../fixtures/Tree.ts"
import { run, s3 } from "./BuiltProgram.ts"
import { roleArn, startStoreForIssuedKeys, startSts, withoutKeys, withSts } from "./CredentialSources.ts"
import { startStore } from "./Store.ts"

describe("credentials", () => {
  it("come from the profile that --profile names", async () => {
    const store = await startStore()
    const home = tree({
      credentials: `[export]\naws_access_key_id = ${writer.accessKeyId}\naws_secret_access_key = ${writer.secretAccessKey}\n`
    })
    const env = { ...withoutKeys, AWS_SHARED_CREDENTIALS_FILE: join(home, "credentials") }
    const result = await run(s3(tree({ "a.jsonl": "" }), store.endpoint, "--profile", "export"), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual([writer.accessKeyId])
  })

  it("come from the role that --assume-role-arn names", async () => {
    const { args, store, identities } = await startStoreForIssuedKeys()
    const sts = await startSts({ identities })
    const flags = ["--assume-role-arn", roleArn, "--assume-role-session-name", "host-17"]
    const result = await run(args(...flags), { env: withSts(sts) })
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(sts.issuer.issued)
    expect(sts.requests).toMatchObject([{ accessKeyId: writer.accessKeyId, roleArn, sessionName: "host-17" }])
  })

  it("never appear in any output, even with --verbose and a wrong secret", async () => {
    const store = await startStore()
    const secret = "abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    const args = s3(tree({ "a.jsonl": "" }), store.endpoint, "--verbose", "--log-format=json", "--output=json")
    for (const env of [
      { AWS_SECRET_ACCESS_KEY: secret },
      { AWS_ACCESS_KEY_ID: "unknown", AWS_SECRET_ACCESS_KEY: secret }
    ]) {
      const { code, stderr, stdout } = await run(args, { env })
      expect(code).toBe(21)
      expect(stdout + stderr).not.toContain(secret)
      expect(stdout + stderr).not.toMatch(/signature=/i)
    }
  })
})

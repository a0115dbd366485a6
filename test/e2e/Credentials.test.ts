import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { writer } from "../fakes/StrictS3.ts"
import { tree } from "../fixtures/Tree.ts"
import { run, s3 } from "./Program.ts"
import { startStore } from "./Store.ts"

const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }

describe("credentials", () => {
  it("come from the profile that --profile names", async () => {
    const store = await startStore()
    const home = tree({
      credentials: `[export]\naws_access_key_id = ${writer.accessKeyId}\naws_secret_access_key = ${writer.secretAccessKey}\n`
    })
    const env = { ...none, AWS_SHARED_CREDENTIALS_FILE: join(home, "credentials") }
    const ended = await run(s3(tree({ "a.jsonl": "" }), store.endpoint, "--profile", "export"), { env })
    expect(ended.code, ended.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual([writer.accessKeyId])
  })

  it("are those of the role that --assume-role-arn names", async () => {
    const role = { ...writer, accessKeyId: "ASIAROLE", secretAccessKey: "role-secret", sessionToken: "role-token" }
    const store = await startStore({ identities: [role] })
    const asked: Array<URLSearchParams> = []
    const sts = createServer((request, response) => {
      let body = ""
      request.on("data", (text) => (body += String(text)))
      request.on("end", () => {
        asked.push(new URLSearchParams(body))
        response
          .setHeader("content-type", "text/xml")
          .end(
            `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${role.accessKeyId}</AccessKeyId>` +
              `<SecretAccessKey>${role.secretAccessKey}</SecretAccessKey><SessionToken>${role.sessionToken}</SessionToken>` +
              `<Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials>` +
              `</AssumeRoleResult></AssumeRoleResponse>`
          )
      })
    })
    await new Promise<void>((resolve) => sts.listen(0, "127.0.0.1", resolve))
    const arn = "arn:aws:iam::123456789012:role/export"
    const flags = ["--assume-role-arn", arn, "--assume-role-session-name", "host-17", "--region", "us-east-1"]
    const ended = await run(s3(tree({ "a.jsonl": "" }), store.endpoint, ...flags), {
      env: { AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(sts.address() as AddressInfo).port}` }
    })
    sts.close()
    expect(ended.code, ended.stdout + ended.stderr).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual([role.accessKeyId])
    expect(asked.map((query) => [query.get("RoleArn"), query.get("RoleSessionName")])).toEqual([[arn, "host-17"]])
  })

  it("never reach an output, also with --verbose and when they are wrong", async () => {
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

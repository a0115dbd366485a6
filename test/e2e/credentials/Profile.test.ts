/** Credentials from a profile, other than keys and roles. */
import { chmodSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { SsoPortal } from "../../fakes/SsoPortal.ts"
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { run } from "../BuiltProgram.ts"
import { startStoreForIssuedKeys, withConfig, withoutKeys } from "../CredentialSources.ts"
import { stopAfterTest } from "../StopAfterTest.ts"

const session = {
  ...writer,
  accessKeyId: "ASIAPROCESS",
  secretAccessKey: "pr0c3ss-s3cr3t-k3y",
  sessionToken: "process-session-token"
}
/** JSON parsers quote the first characters of an invalid text. */
const secretPrefix = session.secretAccessKey.slice(0, 8)

/** The environment with a profile whose credentials a shell script prints. */
const byProcess = (script: string) => {
  const file = join(tree({ "credentials.sh": `#!/bin/sh\n${script}\n` }), "credentials.sh")
  chmodSync(file, 0o700)
  return withConfig(`[profile export]\ncredential_process = ${file} --for snapshots\n`)
}

const printCredentials = (more: Record<string, unknown> = {}) =>
  `cat <<END\n${JSON.stringify({
    Version: 1,
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: new Date(Date.now() + 3_600_000).toISOString(),
    ...more
  })}\nEND`

describe("the credential_process of a profile", () => {
  it("provides the run's identity", async () => {
    const { args, identities, store } = await startStoreForIssuedKeys()
    identities.push(session)
    const result = await run(args("--profile", "export"), { env: byProcess(printCredentials()) })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual([session.accessKeyId])
  })

  it.each([
    ["fails", `${printCredentials()}\necho "no ticket for ${session.secretAccessKey}" >&2\nexit 1`],
    ["prints something else", `echo ${session.secretAccessKey}`],
    ["prints expired credentials", printCredentials({ Expiration: "2020-01-01T00:00:00Z" })],
    ["prints another version", printCredentials({ Version: 2 })]
  ])("ends the run when it %s, and no output repeats the response", async (_, script) => {
    const { args, store } = await startStoreForIssuedKeys()
    const result = await run(args("--profile", "export", "--verbose"), { env: byProcess(script) })
    expect(result.code, result.stdout).toBe(20)
    expect(result.stdout).toContain("export")
    expect(result.stdout + result.stderr).not.toContain(secretPrefix)
    expect(store.requests).toEqual([])
  })
})

describe("the SSO session of a profile", () => {
  const logIn = async (expiresAt?: Date) => {
    const { args, identities, store } = await startStoreForIssuedKeys()
    const portal = stopAfterTest(await SsoPortal.start({ identities }))
    const env = { ...withoutKeys, HOME: tree(portal.home(expiresAt)), AWS_ENDPOINT_URL_SSO: portal.url }
    return { portal, store, upload: () => run(args("--profile", "export"), { env }) }
  }

  it("provides the role that the profile names", async () => {
    const { portal, upload, store } = await logIn()
    const { code, stdout } = await upload()
    expect(code, stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(portal.issuer.issued)
  })

  it("asks the user to log in, without a request to the portal, when it has expired", async () => {
    const { portal, upload } = await logIn(new Date(Date.now() - 60_000))
    const { code, stdout } = await upload()
    expect([code, stdout]).toEqual([20, expect.stringContaining("aws sso login")])
    expect(portal.requests).toEqual([])
  })

  it("provides the role when the portal fails once", async () => {
    const { portal, upload } = await logIn()
    portal.behaviour.failures = 1
    const { code, stdout } = await upload()
    expect(code, stdout).toBe(0)
  })

  // the general hint for missing credentials does not mention SSO
  it("asks the user to log in when the portal no longer accepts the session", async () => {
    const { portal, upload } = await logIn()
    portal.accessToken = "another"
    const { code, stdout } = await upload()
    expect([code, stdout]).toEqual([20, expect.stringContaining("aws sso login")])
  })
})

/** What a profile may say of credentials, besides keys and roles. */
import { chmodSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { SsoPortal } from "../../fakes/SsoPortal.ts"
import { writer } from "../../fakes/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { run } from "../BuiltProgram.ts"
import { startStoreForIssued, withoutKeys, stopAfterTest, withConfig } from "../CredentialSources.ts"

const session = {
  ...writer,
  accessKeyId: "ASIAPROCESS",
  secretAccessKey: "pr0c3ss-s3cr3t-k3y",
  sessionToken: "process-session-token"
}
/** Who cannot read something as JSON likes to quote how it begins. */
const beginning = session.secretAccessKey.slice(0, 8)

/** A profile whose credentials this shell script prints. */
const byProcess = (script: string) => {
  const file = join(tree({ "credentials.sh": `#!/bin/sh\n${script}\n` }), "credentials.sh")
  chmodSync(file, 0o700)
  return withConfig(`[profile export]\ncredential_process = ${file} --for snapshots\n`)
}

const printed = (more: Record<string, unknown> = {}) =>
  `cat <<END\n${JSON.stringify({
    Version: 1,
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: new Date(Date.now() + 3_600_000).toISOString(),
    ...more
  })}\nEND`

describe("the credential_process of a profile", () => {
  it("says who the run is", async () => {
    const { args, identities, store } = await startStoreForIssued()
    identities.push(session)
    const result = await run(args("--profile", "export"), { env: byProcess(printed()) })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual([session.accessKeyId])
  })

  it.each([
    ["fails", `${printed()}\necho "no ticket for ${session.secretAccessKey}" >&2\nexit 1`],
    ["prints something else", `echo ${session.secretAccessKey}`],
    ["prints credentials that have ended", printed({ Expiration: "2020-01-01T00:00:00Z" })],
    ["prints another version", printed({ Version: 2 })]
  ])("that %s ends the run, and nothing of what it printed is told", async (_, script) => {
    const { args, store } = await startStoreForIssued()
    const result = await run(args("--profile", "export", "--verbose"), { env: byProcess(script) })
    expect(result.code, result.stdout).toBe(20)
    expect(result.stdout).toContain("export")
    expect(result.stdout + result.stderr).not.toContain(beginning)
    expect(store.requests).toEqual([])
  })
})

describe("the SSO session of a profile", () => {
  const loggedIn = async (expiresAt?: Date) => {
    const { args, identities, store } = await startStoreForIssued()
    const portal = stopAfterTest(await SsoPortal.start({ identities }))
    const env = { ...withoutKeys, HOME: tree(portal.home(expiresAt)), AWS_ENDPOINT_URL_SSO: portal.url }
    return { portal, store, ended: () => run(args("--profile", "export"), { env }) }
  }

  it("gives the role that the profile names", async () => {
    const { ended: result, portal, store } = await loggedIn()
    const { code, stdout } = await result()
    expect(code, stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(portal.issuer.issued)
  })

  it("that has ended asks for a login, of the user and not of the portal", async () => {
    const { ended: result, portal } = await loggedIn(new Date(Date.now() - 60_000))
    const { code, stdout } = await result()
    expect([code, stdout]).toEqual([20, expect.stringContaining("aws sso login")])
    expect(portal.requests).toEqual([])
  })

  it("of a portal that was unavailable once gives the role all the same", async () => {
    const { ended: result, portal } = await loggedIn()
    portal.behaviour.failures = 1
    const { code, stdout } = await result()
    expect(code, stdout).toBe(0)
  })

  // it is called missing, with a hint that is about everything but SSO
  it("that the portal no longer knows asks for a login", async () => {
    const { ended: result, portal } = await loggedIn()
    portal.accessToken = "another"
    const { code, stdout } = await result()
    expect([code, stdout]).toEqual([20, expect.stringContaining("aws sso login")])
  })
})

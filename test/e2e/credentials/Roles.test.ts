/** Roles from STS: for a web identity, for keys, for another role. */
import { describe, expect, it } from "vitest"
import { type Refusal, refusals } from "../../fakes/Sts.ts"
import { report, run } from "../BuiltProgram.ts"
import {
  asPod,
  inContainer,
  onInstance,
  roleArn,
  startMetadata,
  startStoreForIssuedKeys,
  startSts,
  withConfig,
  withSts
} from "../CredentialSources.ts"

const startStoreAndSts = async () => {
  const { args, identities, store } = await startStoreForIssuedKeys()
  const sts = await startSts({ identities })
  return { args, identities, store, sts }
}

const assumeRole = ["--assume-role-arn", roleArn, "--assume-role-session-name", "host-17"]

const source = "[profile source]\naws_access_key_id = AKIASOURCE\naws_secret_access_key = source-secret\n"

describe("a role", () => {
  it("is assumed with a web identity from a file", async () => {
    const { args, store, sts } = await startStoreAndSts()
    const result = await run(args(), asPod(sts))
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(sts.issuer.issued)
    expect(sts.requests).toMatchObject([{ action: "AssumeRoleWithWebIdentity", roleArn, sessionName: "pod-4" }])
  })

  it("is assumed with the keys of source_profile", async () => {
    const { args, store, sts } = await startStoreAndSts()
    const profile = `[profile export]\nrole_arn = ${roleArn}\nsource_profile = source\nrole_session_name = by-profile\n`
    const env = { ...withConfig(profile + source), ...withSts(sts) }
    const result = await run(args("--profile", "export"), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(sts.issuer.issued)
    expect(sts.requests).toMatchObject([{ accessKeyId: "AKIASOURCE", roleArn, sessionName: "by-profile" }])
  })

  it.each(["Ec2InstanceMetadata", "EcsContainer"])("is assumed with credential_source = %s", async (name) => {
    const { args, identities, store, sts } = await startStoreAndSts()
    const metadata = await startMetadata({ identities })
    const config = `[profile export]\nrole_arn = ${roleArn}\ncredential_source = ${name}\n`
    const host = name === "EcsContainer" ? inContainer(metadata).env : onInstance(metadata)
    const result = await run(args("--profile", "export"), { env: { ...host, ...withConfig(config), ...withSts(sts) } })
    expect(result.code, result.stdout).toBe(0)
    expect(sts.requests.map(({ accessKeyId }) => accessKeyId)).toEqual(metadata.issuer.issued)
    expect(store.requests.map(({ identity }) => identity)).toEqual(sts.issuer.issued)
  })

  it("is not assumed with credentials from metadata version 1", async () => {
    const { args, identities, sts } = await startStoreAndSts()
    const metadata = await startMetadata({ identities, steps: { token: 403 } })
    const config = `[profile export]\nrole_arn = ${roleArn}\ncredential_source = Ec2InstanceMetadata\n`
    const env = { ...onInstance(metadata), ...withConfig(config), ...withSts(sts) }
    expect((await run(args("--profile", "export"), { env })).code).toBe(20)
    expect(metadata.versionOne).toEqual([])
  })

  it("is assumed by --assume-role-arn with the instance's role", async () => {
    const { args, identities, store, sts } = await startStoreAndSts()
    const metadata = await startMetadata({ identities })
    const result = await run(args(...assumeRole), { env: { ...onInstance(metadata), ...withSts(sts) } })
    expect(result.code, result.stdout).toBe(0)
    expect(sts.requests).toMatchObject([{ accessKeyId: "ASIA1", roleArn, sessionName: "host-17" }])
    expect(store.requests.map(({ identity }) => identity)).toEqual(["ASIAROLE1"])
  })

  it.each(["flag", "web identity"])("is assumed by %s when STS fails once", async (how) => {
    const { args, store, sts } = await startStoreAndSts()
    sts.behaviour.failures = 1
    const result = await (how === "flag" ? run(args(...assumeRole), { env: withSts(sts) }) : run(args(), asPod(sts)))
    expect(result.code, result.stdout).toBe(0)
    expect(sts.requests.map(({ status }) => status)).toEqual([503, 200])
    expect(store.keys()).toHaveLength(1)
  })

  it.each<[Refusal, string]>([
    [refusals.accessDenied, "flag"],
    [refusals.invalidClientTokenId, "flag"],
    [refusals.expiredToken, "web identity"],
    [refusals.invalidIdentityToken, "web identity"],
    [refusals.accessDenied, "web identity"]
  ])("ends the run when STS answers %o to a request by %s", async (refusal, how) => {
    const { args, store, sts } = await startStoreAndSts()
    sts.refusal = refusal
    const result = await (how === "flag"
      ? run(args("--output=json", ...assumeRole), { env: withSts(sts) })
      : run(args("--output=json"), asPod(sts)))
    expect(result.code, result.stdout).toBe(21)
    expect(report(result).result.endedBy?.message).toContain(refusal.code)
    expect(sts.requests).toHaveLength(1)
    expect(store.requests).toEqual([])
  })

  it("does not delay the end of the run past its deadline when STS never responds", async () => {
    const { args, sts } = await startStoreAndSts()
    sts.behaviour.hang = true
    const result = await run(args("--deadline=1s", "--grace=0s", ...assumeRole), { env: withSts(sts) })
    expect(result.code, result.stdout).toBe(33)
    expect(result.durationMs).toBeLessThan(5000)
  })
})

/** Which requests for credentials go through a proxy. */
import { describe, expect, it } from "vitest"
import { SsoPortal } from "../../fakes/SsoPortal.ts"
import type { Identity } from "../../../scripts/strict-s3/StrictS3.ts"
import { makeAuthority } from "../../fixtures/Certificates.ts"
import { tree } from "../../fixtures/Tree.ts"
import { run, s3 } from "../BuiltProgram.ts"
import {
  inContainer,
  oneFile,
  onInstance,
  roleArn,
  startMetadata,
  startSts,
  withoutKeys
} from "../CredentialSources.ts"
import { stopAfterTest } from "../StopAfterTest.ts"
import { startStoreBehindProxy } from "../StoreBehindProxy.ts"

const region = "eu-central-1"
const domain = `s3.${region}.amazonaws.com`
const toAws = (...flags: ReadonlyArray<string>) =>
  ["s3", "--input", oneFile(), "--bucket=snapshots", "--region", region, "--verbose"].concat(flags)

describe("HTTPS_PROXY", () => {
  it("carries requests to STS", async () => {
    const identities: Identity[] = []
    const name = `sts.${region}.amazonaws.com`
    const authority = await makeAuthority()
    const sts = await startSts({ identities, tls: await authority.issue(name) })
    const options = { authority, names: { [name]: sts.url }, store: { identities, region } }
    const { host, proxy } = await startStoreBehindProxy(domain, options)
    const env = { HTTPS_PROXY: proxy.url(), AWS_CA_BUNDLE: authority.file }
    const result = await run(toAws("--assume-role-arn", roleArn), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(proxy.log).toEqual([`CONNECT ${name}:443`, `CONNECT ${host}:443`])
  })

  it("carries requests to the SSO portal", async () => {
    const identities: Identity[] = []
    const name = `portal.sso.${region}.amazonaws.com`
    const authority = await makeAuthority()
    const portal = stopAfterTest(await SsoPortal.start({ identities, tls: await authority.issue(name) }))
    const options = { authority, names: { [name]: portal.url }, store: { identities, region } }
    const { host, proxy } = await startStoreBehindProxy(domain, options)
    const env = { ...withoutKeys, HOME: tree(portal.home()), HTTPS_PROXY: proxy.url(), AWS_CA_BUNDLE: authority.file }
    const result = await run(toAws("--profile=export"), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(proxy.log).toEqual([`CONNECT ${name}:443`, `CONNECT ${host}:443`])
  })
})

describe("a request to a link-local credential source", () => {
  it.each([
    ["the instance's metadata", {}],
    ["the instance's metadata", { NODE_USE_ENV_PROXY: "1" }],
    ["the container's endpoint", {}],
    ["the container's endpoint", { NODE_USE_ENV_PROXY: "1" }]
  ])("never goes through a proxy: %s, with %o", async (source, more) => {
    const identities: Identity[] = []
    const metadata = await startMetadata({ identities })
    const { proxy, store } = await startStoreBehindProxy("store.test", { secure: false, store: { identities } })
    const sourceEnv = source === "the instance's metadata" ? onInstance(metadata) : inContainer(metadata).env
    const env = { ...sourceEnv, ...more, HTTP_PROXY: proxy.url(), HTTPS_PROXY: proxy.url() }
    const result = await run(s3(oneFile(), "http://store.test"), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.requests.map(({ identity }) => identity)).toEqual(metadata.issuer.issued)
    expect(proxy.log).toEqual(["PUT http://store.test/snapshots/ibsr/host/snapshots/a.jsonl"])
  })
})

/** The endpoints of AWS itself, which only a proxy makes reachable in a test. */
import { describe, expect, it } from "vitest"
import { run } from "../BuiltProgram.ts"
import { distinctRequests, startStoreBehindProxy } from "../StoreBehindProxy.ts"
import { oneFile, withConfig } from "../CredentialSources.ts"
import { writer } from "../../fakes/StrictS3.ts"

const toAws = (region: string) => ["s3", "--input", oneFile(), "--bucket=snapshots", "--region", region]

const keys = {
  AWS_ACCESS_KEY_ID: writer.accessKeyId,
  AWS_SECRET_ACCESS_KEY: writer.secretAccessKey,
  IBSR_EXPORT_VERBOSE: "true"
}

const profile = (...lines: ReadonlyArray<string>) => ({
  ...withConfig(["[default]", ...lines, ""].join("\n")),
  ...keys
})

describe("without --endpoint, the store", () => {
  it.each([
    ["nothing", {}, "s3.eu-central-1.amazonaws.com"],
    ["AWS_USE_DUALSTACK_ENDPOINT", { AWS_USE_DUALSTACK_ENDPOINT: "true" }, "s3.dualstack.eu-central-1.amazonaws.com"],
    ["AWS_USE_FIPS_ENDPOINT", { AWS_USE_FIPS_ENDPOINT: "true" }, "s3-fips.eu-central-1.amazonaws.com"],
    [
      "both",
      { AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true" },
      "s3-fips.dualstack.eu-central-1.amazonaws.com"
    ],
    ["the profile", profile("use_dualstack_endpoint = true"), "s3.dualstack.eu-central-1.amazonaws.com"],
    ["the profile's acceleration", profile("s3 =", "  use_accelerate_endpoint = true"), "s3-accelerate.amazonaws.com"]
  ])("is that of AWS which %s asks for", async (_, env, domain) => {
    const { authority, host, proxy, store } = await startStoreBehindProxy(domain, { store: { region: "eu-central-1" } })
    const result = await run(toAws("eu-central-1"), {
      env: { ...env, HTTPS_PROXY: proxy.url(), AWS_CA_BUNDLE: authority.file }
    })
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(1)
    expect(distinctRequests(proxy)).toEqual([`CONNECT ${host}:443`])
  })

  it("is trusted by ca_bundle in the profile", async () => {
    const { authority, proxy } = await startStoreBehindProxy("s3.us-east-1.amazonaws.com")
    const env = { ...profile(`ca_bundle = ${authority.file}`), HTTPS_PROXY: proxy.url() }
    const result = await run(toAws("us-east-1"), { env })
    expect(result.code, result.stdout).toBe(0)
  })
})

/** The endpoints of AWS. A test can reach them only through a proxy. */
import { describe, expect, it } from "vitest"
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { run } from "../BuiltProgram.ts"
import { oneFile, withConfig } from "../CredentialSources.ts"
import { distinctRequests, startStoreBehindProxy } from "../StoreBehindProxy.ts"

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

describe("without --endpoint, the upload", () => {
  it.each([
    ["the region", {}, "s3.eu-central-1.amazonaws.com"],
    ["AWS_USE_DUALSTACK_ENDPOINT", { AWS_USE_DUALSTACK_ENDPOINT: "true" }, "s3.dualstack.eu-central-1.amazonaws.com"],
    ["AWS_USE_FIPS_ENDPOINT", { AWS_USE_FIPS_ENDPOINT: "true" }, "s3-fips.eu-central-1.amazonaws.com"],
    [
      "the pair of both variables",
      { AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true" },
      "s3-fips.dualstack.eu-central-1.amazonaws.com"
    ],
    [
      "use_dualstack_endpoint in the profile",
      profile("use_dualstack_endpoint = true"),
      "s3.dualstack.eu-central-1.amazonaws.com"
    ],
    [
      "use_accelerate_endpoint in the profile",
      profile("s3 =", "  use_accelerate_endpoint = true"),
      "s3-accelerate.amazonaws.com"
    ]
  ])("goes to the AWS endpoint that %s selects", async (_, env, domain) => {
    const { authority, host, proxy, store } = await startStoreBehindProxy(domain, { store: { region: "eu-central-1" } })
    const result = await run(toAws("eu-central-1"), {
      env: { ...env, HTTPS_PROXY: proxy.url(), AWS_CA_BUNDLE: authority.file }
    })
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toHaveLength(1)
    expect(distinctRequests(proxy)).toEqual([`CONNECT ${host}:443`])
  })

  it("trusts the authority in the profile's ca_bundle", async () => {
    const { authority, proxy } = await startStoreBehindProxy("s3.us-east-1.amazonaws.com")
    const env = { ...profile(`ca_bundle = ${authority.file}`), HTTPS_PROXY: proxy.url() }
    const result = await run(toAws("us-east-1"), { env })
    expect(result.code, result.stdout).toBe(0)
  })
})

import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { type StoreResult, withTables } from "../../scripts/stores/StoresPage.ts"
import * as Providers from "../../src/domain/Providers.ts"

const of = (endpoint: string | undefined) => Providers.of(endpoint === undefined ? undefined : new URL(endpoint))

describe("the provider of an endpoint", () => {
  it.each([
    [undefined, "Amazon S3", undefined, "host"],
    ["https://s3.eu-west-1.amazonaws.com", "Amazon S3", undefined, "host"],
    ["https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com", "Amazon S3", undefined, "host"],
    ["https://s3.cn-north-1.amazonaws.com.cn", "Amazon S3", undefined, "host"],
    ["https://account.r2.cloudflarestorage.com", "Cloudflare R2", "auto", "path"],
    ["https://account.eu.r2.cloudflarestorage.com", "Cloudflare R2", "auto", "path"],
    ["https://oss-cn-hangzhou.aliyuncs.com", "Alibaba Cloud OSS", "us-east-1", "host"],
    ["https://oss-eu-central-1-internal.aliyuncs.com", "Alibaba Cloud OSS", "us-east-1", "host"],
    ["https://cos.ap-guangzhou.myqcloud.com", "Tencent Cloud COS", "ap-guangzhou", "host"],
    ["https://obs.eu-west-101.myhuaweicloud.com", "Huawei Cloud OBS", "eu-west-101", "host"],
    ["https://s3.fr-par.scw.cloud", "Scaleway", "fr-par", "path"],
    ["https://s3.us-west-004.backblazeb2.com", "Backblaze B2", "us-west-004", "path"],
    ["https://storage.googleapis.com", "Google Cloud Storage", "auto", "path"],
    ["https://ns.compat.objectstorage.eu-frankfurt-1.oraclecloud.com", "Oracle Cloud", "eu-frankfurt-1", "path"],
    ["https://s3.gra.io.cloud.ovh.net", "OVHcloud", "gra", "path"],
    ["https://minio.example.com:9000", Providers.other.name, "us-east-1", "path"],
    ["https://amazonaws.com.example.com", Providers.other.name, "us-east-1", "path"],
    ["http://10.1.2.3:9000", Providers.other.name, "us-east-1", "path"],
    ["http://[::1]:9000", Providers.other.name, "us-east-1", "path"]
  ])("%s is %s, with the default region %s and the bucket in the %s", (endpoint, name, region, bucketIn) => {
    expect(of(endpoint)).toMatchObject({ name, region, bucketIn })
  })

  it.each(Providers.table)("recognises the host that the table shows for $name", (provider) => {
    const host = provider.host.replace("no endpoint, or ", "").replace("*", "account").replace("REGION", "eu-1")
    expect(of(`https://${host.replaceAll(" ", "-")}`).name).toBe(provider.name)
  })
})

it.each([
  ["https://minio.example.com", undefined, true],
  ["https://minio.example.com", false, false],
  ["https://cos.ap-guangzhou.myqcloud.com", undefined, false],
  ["https://cos.ap-guangzhou.myqcloud.com", true, true]
])("usesPathStyle, given the endpoint %s and --force-path-style %s, returns %s", (endpoint, forced, expected) => {
  expect(Providers.usesPathStyle(new URL(endpoint), forced)).toBe(expected)
})

it("is in docs/stores.md, with the results of the contract suite", () => {
  const docs = new URL("../../docs/", import.meta.url)
  const page = readFileSync(new URL("stores.md", docs), "utf8")
  const results = JSON.parse(readFileSync(new URL("stores.results.json", docs), "utf8")) as ReadonlyArray<StoreResult>
  expect(results.length).toBeGreaterThanOrEqual(8)
  expect(withTables(page, results)).toBe(page)
})

import { describe, expect, it } from "@effect/vitest"
import * as Providers from "../../../../src/services/ObjectStore/S3/Providers.ts"

describe("Providers", () => {
  it.each([
    [undefined, undefined, false],
    ["https://s3.eu-west-1.amazonaws.com", undefined, false],
    ["https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com", undefined, false],
    ["https://s3.cn-north-1.amazonaws.com.cn", undefined, false],
    ["https://account.r2.cloudflarestorage.com", "auto", false],
    ["https://account.eu.r2.cloudflarestorage.com", "auto", false],
    ["https://minio.example.com:9000", "us-east-1", false],
    ["https://amazonaws.com.example.com", "us-east-1", false],
    ["http://10.1.2.3:9000", "us-east-1", true],
    ["http://[::1]:9000", "us-east-1", true],
    ["http://localhost:9000", "us-east-1", true]
  ])("given the endpoint %s, chooses the region %s; path-style addresses: %s", (endpoint, region, pathStyle) => {
    expect(Providers.of(endpoint === undefined ? undefined : new URL(endpoint))).toMatchObject({
      defaultRegion: region,
      pathStyle
    })
  })
})

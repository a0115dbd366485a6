import { describe, expect, it } from "@effect/vitest"
import * as ObjectMetadata from "../../src/domain/ObjectMetadata.ts"

describe("ObjectMetadata.of", () => {
  it.each([
    ["host-17.example.com", "host-17.example.com"],
    ["a b\n", "a%20b%0A"],
    ["höst", "h%C3%B6st"],
    ["", "unknown"]
  ])("names the host %j as %s, in printable ASCII", (hostname, written) => {
    expect(ObjectMetadata.of("final", { hostname, version: "1.2.3" })).toEqual({
      "ibsr-state": "final",
      "ibsr-hostname": written,
      "ibsr-version": "1.2.3"
    })
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as Location from "../../src/domain/Location.ts"

const aws = { bucket: "b", prefix: "p/q", endpoint: null, region: "r1" }

describe("Location.url", () => {
  it.each([
    [aws, "s3://b/p/q"],
    [{ ...aws, endpoint: "http://m:9000/" }, "http://m:9000/b/p/q"],
    [{ ...aws, prefix: "" }, "s3://b/"]
  ])("given %j, returns %s", (location, url) => {
    expect(Location.url(location)).toBe(url)
  })
})

describe("Location.equals", () => {
  it.each([
    [{}, true],
    [{ bucket: "c" }, false],
    [{ prefix: "p" }, false],
    [{ endpoint: "http://m:9000/" }, false],
    [{ region: "r2" }, false],
    [{ region: null }, true]
  ])("given a location with %j changed, returns %s", (changed, isEqual) => {
    expect(Location.equals(aws, { ...aws, ...changed })).toBe(isEqual)
  })
})

describe("Location.regionSuffix", () => {
  it.each([
    [[], ""],
    [[{ ...aws, prefix: "other", region: "r2" }], ""],
    [[{ ...aws, region: "r2" }], " (r1)"],
    [[{ ...aws, region: null }], " (r1)"]
  ])("given the other locations %j, returns %j", (others, suffix) => {
    expect(Location.regionSuffix(aws, [aws, ...others])).toBe(suffix)
  })
})

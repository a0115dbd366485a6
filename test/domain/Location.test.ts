import { describe, expect, it } from "@effect/vitest"
import * as Location from "../../src/domain/Location.ts"

const aws = { bucket: "b", prefix: "p/q", endpoint: null }

describe("where objects go", () => {
  it.each([
    [aws, "s3://b/p/q"],
    [{ ...aws, endpoint: "http://m:9000/" }, "http://m:9000/b/p/q"],
    [{ ...aws, prefix: "" }, "s3://b/"]
  ])("is one line: %j", (location, url) => {
    expect(Location.url(location)).toBe(url)
  })

  it.each([
    [{}, true],
    [{ bucket: "c" }, false],
    [{ prefix: "p" }, false],
    [{ endpoint: "http://m:9000/" }, false]
  ])("is the same if all of it is: %j", (changed, same) => {
    expect(Location.equals(aws, { ...aws, ...changed })).toBe(same)
  })
})

import { describe, expect, it } from "vitest"
import { secretsIn } from "./BuiltProgram.ts"

describe("the search for secrets in every output", () => {
  it.each([
    ["retrying with hidden-key", { AWS_SECRET_ACCESS_KEY: "hidden-key" }, ["hidden-key"]],
    ["token=TOKEN-1", { AWS_SESSION_TOKEN: "token-1" }, ["token-1"]],
    ["via http://me:pass-1@proxy", { HTTPS_PROXY: "http://me:pass-1@proxy:3128" }, ["pass-1"]],
    ["session-of-ASIA1", {}, ["session-of-"]],
    ["Authorization: AWS4-HMAC-SHA256 Credential=a, Signature=0f", {}, ["AWS4-HMAC-SHA256", "Signature="]],
    ["uploaded 1 (8 B) in 0.1 s: s3://b/p", { AWS_SESSION_TOKEN: "" }, []]
  ])("finds every secret in %j", (output, env, found) => {
    expect(secretsIn(output, env)).toEqual(found)
  })
})

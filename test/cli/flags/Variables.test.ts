import { describe, expect, it } from "@effect/vitest"
import { s3Flags } from "../../../src/cli/flags/S3Flags.ts"
import { statusFlags } from "../../../src/cli/flags/StatusFlags.ts"
import * as Variables from "../../../src/cli/flags/Variables.ts"

describe("Variables.warnings", () => {
  it.each([
    ["IBSR_EXPORT_PREFX", "IBSR_EXPORT_PREFIX"],
    ["IBSR_EXPORT_EXLUDE", "IBSR_EXPORT_EXCLUDE"],
    ["IBSR_EXPORT_bucket", "IBSR_EXPORT_BUCKET"],
    ["IBSR_EXPORT_ENDPOINT", "AWS_ENDPOINT_URL_S3"],
    ["IBSR_EXPORT_REGIONS", "AWS_REGION"]
  ])("name %s and suggest %s", (name, suggested) => {
    expect(Variables.warnings({ [name]: "secret" })).toEqual([
      `${name} is not a variable of ibsr-export and has no effect; did you mean ${suggested}?`
    ])
  })

  it.each(["IBSR_EXPORT_OVERWRITE", "IBSR_EXPORT_NO_QUIET", "IBSR_EXPORT_FOO", "IBSR_EXPORT_"])(
    "name %s without a suggestion",
    (name) => {
      expect(Variables.warnings({ [name]: "1" })).toEqual([
        `${name} is not a variable of ibsr-export and has no effect`
      ])
    }
  )

  it("leave out known variables, empty ones, and those of other programs", () => {
    const all = [...Object.values(s3Flags), ...Object.values(statusFlags)].flatMap(({ env }) => env)
    const env = Object.fromEntries(all.map((name) => [name, "1"]))
    expect(Variables.warnings({ ...env, IBSR_EXPORT_PREFX: "", IBSR_PREFIX: "1", PATH: "/bin" })).toEqual([])
  })
})

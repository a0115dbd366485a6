import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import {
  credentialProblem,
  type Kind,
  setsCredentials,
  settingsOf,
  unsendable
} from "../../../../src/services/ObjectStore/S3/ConfigFile.ts"

const read = (text: string, kind: Kind = "config", profile = "export") =>
  settingsOf(text, { kind, path: "/f" }, profile)

describe("ConfigFile.settingsOf", () => {
  it.each([
    ["[profile export]\nregion = r\n", "config", "export"],
    ['[profile "export"]\r\nregion = r\r\n', "config", "export"],
    ["\ufeff# comment\n; comment\n\n[profile export] ; comment\nregion=r # comment", "config", "export"],
    ["[export]\nregion = r\n", "credentials", "export"],
    ["[default]\nregion = r\n", "config", "default"],
    ["[profile default]\nregion = r\n", "config", "default"],
    ["[default]\nregion = r\n", "credentials", "default"],
    ["[other]\nregion = x\n[sso-session export]\nregion = x\n[profile export]\nregion = r\n", "config", "export"]
  ] as const)("finds the region in %j (%s, profile %s)", (text, kind, profile) => {
    expect(Either.getOrThrow(read(text, kind, profile))).toMatchObject([{ key: "region", value: "r" }])
  })

  it.each([
    ["region = r\n[profile export]\n", "config", "export", "line 1 stands before the first section"],
    ["[profile export\nregion = r\n", "config", "export", "line 1: the name of a section needs a closing bracket"],
    ["[profile export]\naws_access_key_id AKIA\n", "config", "export", "line 2 is neither a section"],
    ["\n[export]\nregion = r\n", "config", "export", "line 2: write [profile export] instead of [export]"],
    ["[profile export]\nregion = r\n", "credentials", "export", "write [export] instead of [profile export]"],
    ["[Default]\nregion = r\n", "config", "default", "write [default] instead of [Default]"],
    ["[ export ]\nregion = r\n", "credentials", "export", "write [export] instead of [ export ]"],
    ["[profile export]\nAWS_ACCESS_KEY_ID = A\n", "config", "export", "line 2: write aws_access_key_id in lower case"],
    ['[profile export]\nregion = "r"\n', "config", "export", "line 2: remove the quotes from the value of region"],
    ["[default]\naws_secret_access_key = 'x'\n", "credentials", "default", "remove the quotes"],
    ["[\0d\0e\0f\0]\0", "config", "export", "/f is not text in UTF-8"]
  ] as const)("refuses %j (%s, profile %s)", (text, kind, profile, problem) => {
    expect(read(text, kind, profile)).toMatchObject(Either.left(expect.stringContaining(problem)))
  })

  it.each([
    ["another profile's region in quotes", '[profile other]\nregion = "r"\n'],
    ["a quoted command", '[profile export]\ncredential_process = "/opt/with blank/helper"\n'],
    ["groups", "[profile export]\ns3 =\n  use_accelerate_endpoint = true\n"]
  ])("accepts %s", (_, text) => {
    expect(Either.isRight(read(text))).toBe(true)
  })
})

const profile = (...lines: ReadonlyArray<string>) => Either.getOrThrow(read(`[profile export]\n${lines.join("\n")}`))
const id = "aws_access_key_id = AKIA"
const secret = "aws_secret_access_key = s3cr3t"

describe("ConfigFile.credentialProblem", () => {
  it.each([
    [[]],
    [["region = r"]],
    [[id, secret]],
    [[id, secret, "aws_session_token = t"]],
    [[id, secret, "aws_session_token ="]],
    [["role_arn = a", "source_profile = b"]],
    [["role_arn = a", "web_identity_token_file = /t"]],
    [["credential_process = /opt/helper"]],
    [["sso_session = s", "sso_account_id = 1", "sso_role_name = r"]],
    [["sso_start_url = u", "sso_account_id = 1", "sso_role_name = r"]]
  ])("accepts %j", (lines) => {
    expect(credentialProblem(profile(...lines))).toBeUndefined()
  })

  it.each([
    [[id], "aws_access_key_id is set (/f, line 2), but not aws_secret_access_key"],
    [[secret], "but not aws_access_key_id"],
    [[id, "aws_secret_access_key ="], "/f, line 3: aws_secret_access_key is empty"],
    [["aws_access_key_id =", "aws_secret_access_key ="], "aws_access_key_id is empty"],
    [["aws_session_token = t"], "but not aws_access_key_id"],
    [[`  aws_session_token =`, `  ${id}`, `  ${secret}`], "aws_session_token is empty"],
    [[id, "aws_secret_access_key = two words"], "aws_secret_access_key contains a blank"],
    [["aws_access_key_id = AKIÄ", secret], "aws_access_key_id contains a character outside of ASCII"],
    [[id, "credential_process = /opt/helper"], "but not aws_secret_access_key"],
    [["role_arn = a"], "but not source_profile or credential_source or web_identity_token_file"],
    [["source_profile = b"], "but not role_arn"],
    [["sso_session = s"], "but not sso_account_id"],
    [["sso_account_id = 1", "sso_session = s"], "but not sso_role_name"],
    [["credential_process ="], "credential_process is empty"]
  ])("refuses %j", (lines, problem) => {
    expect(credentialProblem(profile(...lines))).toContain(problem)
  })
})

describe("ConfigFile.setsCredentials", () => {
  it.each([
    [["region = r"], false],
    [["aws_session_token ="], false],
    [[id], true],
    [["sso_role_name = r"], true]
  ])("given %j, returns %s", (lines, expected) => {
    expect(setsCredentials(profile(...lines))).toBe(expected)
  })
})

describe("ConfigFile.unsendable", () => {
  it.each([
    ["AKIA/+=_", undefined],
    ["", undefined],
    ["AKIA\n", "a line break"],
    ["AKIA\r", "a line break"],
    ["AK\tIA", "a control character"],
    ["AKIA ", "a blank"],
    ["AKIA\u00a0", "a blank"],
    ["AKIÄ", "a character outside of ASCII"]
  ])("given %j, returns %s", (text, flaw) => {
    expect(unsendable(text)).toBe(flaw)
  })
})

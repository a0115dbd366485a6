import { Either } from "effect"
import { parseToObject } from "hcl2-parser"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import * as Endpoint from "../../src/domain/Endpoint.ts"
import * as ObjectKey from "../../src/domain/ObjectKey.ts"
import * as Policy from "../../src/policy/Policy.ts"
import { settingsWith } from "../fixtures/Settings.ts"

const prefix = (text: string) => Either.getOrThrow(ObjectKey.parsePrefix(text))

const optionsWith = (more: Partial<Policy.Options> = {}): Policy.Options => ({
  ...settingsWith({ bucket: "b" }),
  prefix: prefix("ibsr/host-17/snapshots"),
  abort: false,
  ...more
})

/** The statements of the AWS policy for these options. */
const statements = (more: Partial<Policy.Options>) =>
  (JSON.parse(Policy.kinds.aws.text(optionsWith(more))) as { Statement: ReadonlyArray<unknown> }).Statement

const resource = "arn:aws:s3:::b/ibsr/host-17/snapshots/*"

describe("the policy for AWS", () => {
  it("allows only s3:PutObject below the prefix", () => {
    expect(statements({})).toEqual([{ Effect: "Allow", Action: "s3:PutObject", Resource: resource }])
  })

  it("is in the README", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
    expect(readme).toContain(`\`\`\`json\n${Policy.kinds.aws.text(optionsWith({ bucket: "customer-bucket" }))}\n\`\`\``)
  })

  it.each([
    [{ abort: true }, "s3:AbortMultipartUpload"],
    [{ tags: { team: "net" } }, "s3:PutObjectTagging"],
    [{ acl: "private" }, "s3:PutObjectAcl"]
  ])("given %j, also allows %s", (more, action) => {
    expect(statements(more)).toEqual([{ Effect: "Allow", Action: ["s3:PutObject", action], Resource: resource }])
  })

  it.each<readonly [Partial<Policy.Options>, string]>([
    [{ prefix: prefix("/") }, "arn:aws:s3:::b/*"],
    [{ region: "cn-north-1" }, "arn:aws-cn:s3:::b/ibsr/host-17/snapshots/*"],
    [{ region: "us-gov-west-1" }, "arn:aws-us-gov:s3:::b/ibsr/host-17/snapshots/*"],
    [
      { bucket: "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine", prefix: prefix("p") },
      "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/object/p/*"
    ],
    [{ prefix: prefix("a*/b?/$c") }, "arn:aws:s3:::b/a${*}/b${?}/${$}c/*"]
  ])("given %j, allows access to the objects %s", (more, expected) => {
    expect(statements(more)).toEqual([expect.objectContaining({ Resource: expected })])
  })

  it.each<readonly [string | undefined, string, object]>([
    [undefined, "arn:aws:kms:*:*:key/*", {}],
    ["1234-abcd", "arn:aws:kms:*:*:key/1234-abcd", {}],
    ["arn:aws:kms:eu-west-1:123456789012:key/1234", "arn:aws:kms:eu-west-1:123456789012:key/1234", {}],
    [
      "arn:aws:kms:eu-west-1:123456789012:alias/ibsr",
      "arn:aws:kms:*:*:key/*",
      { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/ibsr" } }
    ],
    ["alias/ibsr", "arn:aws:kms:*:*:key/*", { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/ibsr" } }]
  ])("given the KMS key %s, allows its use through S3 on %s", (kmsKeyId, expected, condition) => {
    expect(statements({ sse: "kms", kmsKeyId })[1]).toEqual({
      Effect: "Allow",
      Action: ["kms:GenerateDataKey", "kms:Decrypt"],
      Resource: expected,
      Condition: { StringLike: { "kms:ViaService": "s3.*.amazonaws.com" }, ...condition }
    })
  })
})

describe("the policy for Terraform", () => {
  it.each(["ibsr/host-17/snapshots", 'a"b/${c}/%{d}', "a*/line\nbreak\b\f"])(
    "contains the policy for AWS and a lifecycle rule: %j",
    (text) => {
      const options = optionsWith({ prefix: prefix(text) })
      const [{ resource: resources } = {}] = parseToObject(Policy.kinds.terraform.text(options)) as [
        { resource?: Record<string, { ibsr_export: ReadonlyArray<Record<string, unknown>> }> }
      ]
      const [iam] = resources?.["aws_iam_policy"]?.ibsr_export ?? []
      expect(JSON.parse(String(iam?.["policy"]))).toEqual(JSON.parse(Policy.kinds.aws.text(options)))
      const [rules] = resources?.["aws_s3_bucket_lifecycle_configuration"]?.ibsr_export ?? []
      expect(rules?.["bucket"]).toBe("b")
      expect(rules?.["rule"]).toEqual([
        expect.objectContaining({ filter: [{ prefix: `${text}/` }], status: "Enabled" })
      ])
    }
  )
})

describe("a lifecycle rule", () => {
  it("aborts uploads below the prefix that are too old for a run to resume", () => {
    expect(JSON.parse(Policy.kinds.lifecycle.text(optionsWith()))).toMatchObject({
      Rules: [
        { Filter: { Prefix: "ibsr/host-17/snapshots/" }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } }
      ]
    })
  })
})

describe("a setting that a policy cannot express", () => {
  it.each<readonly [Policy.Name, Partial<Policy.Options>, string]>([
    ["minio", { prefix: prefix("a*b") }, "--prefix"],
    ["ceph", { prefix: prefix("a${b}") }, "--prefix"],
    ["r2", { acl: "private" }, "--acl"],
    ["r2", { tags: { a: "b" } }, "--tag"],
    ["r2", { sse: "s3" }, "--sse"]
  ])("is reported with the name of the flag: %s, %j, %s", (name, more, flag) => {
    expect(Policy.problems(name, optionsWith(more))).toEqual([expect.stringContaining(flag)])
    expect(Policy.problems(name, optionsWith())).toEqual([])
  })
})

describe("the scope of a token for R2", () => {
  it("names the account of the endpoint and the bucket", () => {
    const account = "0123456789abcdef0123456789abcdef"
    const endpoint = Either.getOrThrow(Endpoint.parse(`https://${account}.r2.cloudflarestorage.com`))
    expect(Policy.kinds.r2.text(optionsWith({ endpoint }))).toContain(
      `"com.cloudflare.edge.r2.bucket.${account}_default_b"`
    )
  })
})

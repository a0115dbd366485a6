/**
 * The scope of an API token of Cloudflare R2. R2 has no policies: a token that may write to a bucket may also read,
 * list and delete everything in it. Sources: "Authentication" and "S3 API compatibility" in the documentation of R2.
 */
import { r2 } from "../domain/Providers.ts"
import * as Lifecycle from "./Lifecycle.ts"
import type { Options } from "./Policy.ts"

export const problems = ({ acl, sse, tags }: Options): ReadonlyArray<string> => {
  const given = [
    ["--acl", acl !== undefined],
    ["--sse", sse !== "none"],
    ["--tag", Object.keys(tags).length > 0]
  ] as const
  return given
    .filter(([flag, isGiven]) => isGiven && r2.unsupported?.includes(flag))
    .map(([flag]) => `${flag}: R2 does not support it`)
}

export const text = (options: Options): string => {
  const { bucket, endpoint } = options
  const account = /^([0-9a-f]{32})\./.exec(endpoint?.hostname ?? "")?.[1] ?? "ACCOUNT_ID"
  const token = {
    name: `ibsr-export ${bucket}`,
    policies: [
      {
        effect: "allow",
        resources: { [`com.cloudflare.edge.r2.bucket.${account}_default_${bucket}`]: "*" },
        permission_groups: [{ name: "Workers R2 Storage Bucket Item Write" }]
      }
    ]
  }
  return `# R2 limits a token to buckets, not to a prefix, and a token that may write may also read, list and delete. So give each
# host, or each group of hosts that trust each other, a bucket of its own.
#
# In the dashboard: R2, Manage API tokens, Create Account API token; permission "Object Read & Write"; specify bucket
# ${bucket}. It shows an access key and a secret for the host.
#
# As a request to https://api.cloudflare.com/client/v4/accounts/${account}/tokens. GET …/tokens/permission_groups gives the
# id of the permission group to add:
${JSON.stringify(token, null, 2)}
# The result's id is the access key, and the SHA-256 of its value in hexadecimal is the secret.
#
# R2 aborts unfinished multipart uploads after seven days without a rule. The same as an explicit rule:
${Lifecycle.text(options)}`
}

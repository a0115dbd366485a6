/**
 * Commands that create a user of the Ceph Object Gateway, and a bucket policy for that user. User policies need a newer
 * version of Ceph than bucket policies. Source: "Bucket Policies" in the documentation of the Ceph Object Gateway.
 */
import type { Options } from "./Policy.ts"
import * as Statements from "./Statements.ts"

export const problems = Statements.wildcardProblems

export const user = "ibsr-export"

export const policy = (options: Options): string => {
  const { Action, Effect, Resource } = Statements.s3(
    options,
    Statements.objectsBelow(options, "aws", (text) => text)
  )
  return Statements.document([{ Effect, Principal: { AWS: [`arn:aws:iam:::user/${user}`] }, Action, Resource }])
}

export const text = (options: Options): string => {
  const url = options.endpoint?.origin ?? "https://ceph.example.com"
  return `# Run this on a host of the cluster. It prints the access key and the secret for the host with the snapshots.
radosgw-admin user create --uid ${user} --display-name ${user} --max-buckets -1
# Run this with the keys of the bucket's owner. It replaces the policy that the bucket has.
aws s3api put-bucket-policy --endpoint-url ${url} --bucket ${options.bucket} --policy "$(cat <<'EOF'
${policy(options)}
EOF
)"
# The user owns the objects that it uploads. Let the bucket's owner read them:
#   ibsr-export s3 --acl bucket-owner-full-control …${options.acl === undefined ? "   (and ibsr-export policy --acl bucket-owner-full-control …)" : ""}`
}

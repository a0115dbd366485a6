/** Commands of MinIO's client `mc` that create a policy, and a user with that policy. */
import type { Options } from "./Policy.ts"
import * as Statements from "./Statements.ts"

export const problems = Statements.wildcardProblems

/** MinIO ignores ACLs, and refuses a policy that contains the action for ACLs. */
export const policy = (options: Options): string =>
  Statements.document([
    Statements.s3(
      { ...options, acl: undefined },
      Statements.objectsBelow(options, "aws", (text) => text)
    )
  ])

export const text = (options: Options): string => {
  const name = `ibsr-export-${options.bucket}`
  const url = options.endpoint?.origin ?? "https://minio.example.com:9000"
  return `# Run these commands as an administrator of MinIO. The first and the third ask for keys; the third creates the host's.
mc alias set minio ${url}
mc admin policy create minio ${name} /dev/stdin <<'EOF'
${policy(options)}
EOF
mc admin user add minio
# Replace USER by the access key that the last command asked for.
mc admin policy attach minio ${name} --user USER
# MinIO removes unfinished multipart uploads after a day (mc admin config get minio api: stale_uploads_expiry).`
}

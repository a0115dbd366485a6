/** How servers differ for a put-only upload. */
export interface ServerBehaviour {
  readonly flags: ReadonlyArray<string>
  /** The result of an upload to a bucket that does not exist and is not in the policy. */
  readonly unknownBucket: readonly [exitCode: number, answer: string]
  /** The encryption of an object that is stored with `--sse s3`. */
  readonly encryption: string | undefined
  /** The exit code of a second multipart upload with `--no-overwrite`. */
  readonly multipartOverwriteExit: number
  /** Roles that the user may assume and that have the same permissions. */
  readonly roles: ReadonlyArray<string>
  /** The value of `policy --for` whose policy does not depend on the user. */
  readonly policy: "aws" | "minio" | undefined
}

/** The behaviour of the Amazon S3 API Reference. */
const amazonS3: ServerBehaviour = {
  flags: [],
  unknownBucket: [23, "404 NoSuchBucket"],
  encryption: "AES256",
  multipartOverwriteExit: 11,
  roles: [],
  policy: "aws"
}

/** Known deviations of real servers. A server whose endpoint comes from the environment has none. */
const deviations: Readonly<Record<string, Partial<ServerBehaviour>>> = {
  MinIO: {
    // This server checks the policy before it looks for the bucket.
    unknownBucket: [22, "403 AccessDenied"],
    // This server gives any user a session for any role name.
    roles: ["arn:minio:iam:::role/any"],
    policy: "minio"
  },
  "Ceph RGW": {
    // On this server, an object belongs to its uploader; without this ACL, the bucket's owner may not read the object.
    flags: ["--acl=bucket-owner-full-control"],
    // Version 16 of Ceph accepts the header but does not encrypt.
    encryption: undefined,
    // Version 16 of Ceph honours If-None-Match for PutObject only.
    multipartOverwriteExit: 0,
    // This server's policy names the user.
    policy: undefined
  }
}

export const isKnownServer = (server: string): boolean => Object.hasOwn(deviations, server)

export const behaviourOf = (server: string): ServerBehaviour => ({ ...amazonS3, ...deviations[server] })

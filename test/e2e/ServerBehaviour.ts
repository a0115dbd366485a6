/** What of a put-only upload differs between servers. */
export interface ServerBehaviour {
  readonly flags: ReadonlyArray<string>
  /** What becomes of an upload to a bucket that does not exist, and that the policy does not name. */
  readonly unknownBucket: readonly [exitCode: number, answer: string]
  /** How an object is stored with `--sse s3`. */
  readonly encryption: string | undefined
  /** How a second upload with `--no-overwrite` ends where the file is sent in parts. */
  readonly existsInParts: number
  /** Roles that STS lets the user assume, and that have the user's own rights. */
  readonly roles: ReadonlyArray<string>
}

/** As the Amazon S3 API Reference has it. */
const asOnAws: ServerBehaviour = {
  flags: [],
  unknownBucket: [23, "404 NoSuchBucket"],
  encryption: "AES256",
  existsInParts: 11,
  roles: []
}

/** Where a real server is known to have ways of its own. An endpoint named by the environment has none. */
const deviations: Readonly<Record<string, Partial<ServerBehaviour>>> = {
  MinIO: {
    // It looks at the policy before it looks for the bucket.
    unknownBucket: [22, "403 AccessDenied"],
    // It gives any user a session, whatever the role is called.
    roles: ["arn:minio:iam:::role/any"]
  },
  "Ceph RGW": {
    // An object belongs to the user who uploads it, and without this the bucket's owner may not read it.
    flags: ["--acl=bucket-owner-full-control"],
    // Version 16 takes the header, and does not encrypt.
    encryption: undefined,
    // Version 16 takes If-None-Match for what it is with PutObject only.
    existsInParts: 0
  }
}

export const isKnownServer = (server: string): boolean => Object.hasOwn(deviations, server)

export const behaviourOf = (server: string): ServerBehaviour => ({ ...asOnAws, ...deviations[server] })

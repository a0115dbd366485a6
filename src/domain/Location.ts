/** The place in a store that objects are written to. */

export interface Location {
  readonly bucket: string
  readonly prefix: string
  /** Null for AWS. */
  readonly endpoint: string | null
}

/** A unique name: `s3://bucket/prefix`, or `https://minio.example.com:9000/bucket/prefix` with an endpoint. */
export const url = ({ bucket, endpoint, prefix }: Location): string => `${endpoint ?? "s3://"}${bucket}/${prefix}`

export const equals = (a: Location, b: Location): boolean =>
  a.bucket === b.bucket && a.prefix === b.prefix && a.endpoint === b.endpoint

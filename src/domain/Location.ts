/** Where objects go, in one line that tells it from every other place. */

export interface Location {
  readonly bucket: string
  readonly prefix: string
  /** Null: AWS. */
  readonly endpoint: string | null
}

/** As in `s3://bucket/prefix`, or with the endpoint: `https://minio.example.com:9000/bucket/prefix`. */
export const url = ({ bucket, endpoint, prefix }: Location): string => `${endpoint ?? "s3://"}${bucket}/${prefix}`

export const equals = (one: Location, other: Location): boolean =>
  one.bucket === other.bucket && one.prefix === other.prefix && one.endpoint === other.endpoint

/** The place in a store that objects are written to. */

export interface Location {
  readonly bucket: string
  readonly prefix: string
  /** Null for AWS. */
  readonly endpoint: string | null
  /** Null if it is not known. */
  readonly region: string | null
}

/**
 * A name that is unique within a region: `s3://bucket/prefix`, or `https://minio.example.com:9000/bucket/prefix` with
 * an endpoint.
 */
export const url = ({ bucket, endpoint, prefix }: Location): string => `${endpoint ?? "s3://"}${bucket}/${prefix}`

/**
 * A name for people to read: `s3://bucket/prefix`, or `s3://bucket/prefix at https://minio.example.com:9000` with an
 * endpoint.
 */
export const describe = ({ bucket, endpoint, prefix }: Omit<Location, "region">): string =>
  `s3://${bucket}/${prefix}${endpoint === null ? "" : ` at ${endpoint.replace(/\/$/, "")}`}`

/** An unknown region equals any region. */
export const equals = (a: Location, b: Location): boolean =>
  url(a) === url(b) && (a.region === b.region || a.region === null || b.region === null)

/** ` (eu-central-1)` if `others` contains the same location in another region; otherwise empty. */
export const regionSuffix = (location: Location, all: ReadonlyArray<Location>): string =>
  location.region !== null && all.some((other) => url(other) === url(location) && other.region !== location.region)
    ? ` (${location.region})`
    : ""

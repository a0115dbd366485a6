/**
 * What is known about providers, which are recognised by the endpoint's host. `docs/stores.md` contains the same table.
 * A run learns everything else from the store's responses.
 *
 * Sources: the documentation of the providers, and the provider files of rclone.
 */
import type { Checksum } from "./StoreTraits.ts"
import { maxParts, maxQueue } from "./UploadPlan.ts"

/** Flags whose request headers a store may not support. */
export type ObjectFlag = "--acl" | "--sse" | "--storage-class" | "--tag" | "--no-overwrite"

export interface Provider {
  readonly name: string
  /** The host, as the documentation shows it. */
  readonly host: string
  /** Matches the host. The group `region`, if there is one, is the default region. */
  readonly pattern: RegExp
  /** The region if the host does not name one. If undefined, the user must give it. */
  readonly region: string | undefined
  /** Where the bucket's name goes. */
  readonly bucketIn: "host" | "path"
  /** The first checksum to try. */
  readonly checksum: Checksum
  readonly maxParts: number
  /** Parts of one object in flight at once. */
  readonly partsAtOnce: number
  /** Flags that the provider does not support; undefined: not known. */
  readonly unsupported: ReadonlyArray<ObjectFlag> | undefined
  /** Other differences, as a sentence. */
  readonly note?: string
}

/** The provider of an unknown endpoint. The signature must contain a region, and most such stores accept any name. */
export const other: Provider = {
  name: "any other, such as MinIO or Ceph",
  host: "any other",
  pattern: /(?:)/,
  region: "us-east-1",
  bucketIn: "path",
  checksum: "SHA256",
  maxParts,
  partsAtOnce: maxQueue,
  unsupported: undefined
}

const provider = (given: Pick<Provider, "name" | "host" | "pattern"> & Partial<Provider>): Provider => ({
  ...other,
  ...given
})

export const aws: Provider = provider({
  name: "Amazon S3",
  host: "no endpoint, or *.amazonaws.com",
  pattern: /\.amazonaws\.com(\.cn)?$/,
  region: undefined,
  bucketIn: "host",
  unsupported: []
})

export const r2: Provider = provider({
  name: "Cloudflare R2",
  host: "*.r2.cloudflarestorage.com",
  pattern: /\.r2\.cloudflarestorage\.com$/,
  region: "auto",
  partsAtOnce: 2,
  unsupported: ["--acl", "--sse", "--tag"],
  note: "All parts but the last must have the same size, as the parts of this program have."
})

/** In alphabetical order after AWS. */
export const table: ReadonlyArray<Provider> = [
  aws,
  provider({
    name: "Alibaba Cloud OSS",
    host: "oss-REGION.aliyuncs.com",
    pattern: /^oss-[a-z0-9-]+\.aliyuncs\.com$/,
    bucketIn: "host",
    note: "A bucket in the path is refused with SecondLevelDomainForbidden."
  }),
  provider({
    name: "Backblaze B2",
    host: "s3.REGION.backblazeb2.com",
    pattern: /^s3\.(?<region>[a-z0-9-]+)\.backblazeb2\.com$/,
    unsupported: ["--tag"],
    note: "The ACL of an object must be that of its bucket. Until 2025, checksum headers were refused with 400."
  }),
  r2,
  provider({
    name: "DigitalOcean Spaces",
    host: "REGION.digitaloceanspaces.com",
    pattern: /^(?<region>[a-z0-9-]+)\.digitaloceanspaces\.com$/
  }),
  provider({
    name: "Google Cloud Storage",
    host: "storage.googleapis.com",
    pattern: /^storage\.googleapis\.com$/,
    region: "auto",
    checksum: "MD5",
    unsupported: ["--tag", "--no-overwrite"],
    note: "Needs HMAC keys. Signatures with headers that it does not know are refused. Storage classes have other names."
  }),
  provider({
    name: "Hetzner",
    host: "REGION.your-objectstorage.com",
    pattern: /^(?<region>[a-z0-9-]+)\.your-objectstorage\.com$/,
    unsupported: ["--sse"]
  }),
  provider({
    name: "Huawei Cloud OBS",
    host: "obs.REGION.myhuaweicloud.com",
    pattern: /^obs\.(?<region>[a-z0-9-]+)\.myhuaweicloud\.com$/,
    bucketIn: "host"
  }),
  provider({
    name: "IBM Cloud Object Storage",
    host: "s3.REGION.cloud-object-storage.appdomain.cloud",
    pattern: /\.cloud-object-storage\.appdomain\.cloud$/,
    note: "Ignores headers that it does not list."
  }),
  provider({
    name: "Oracle Cloud",
    host: "*.compat.objectstorage.REGION.oraclecloud.com",
    pattern: /\.compat\.objectstorage\.(?<region>[a-z0-9-]+)\.(oci\.customer-)?oraclecloud\.com$/,
    note: "A bucket in the host name fails: the certificate does not contain it."
  }),
  provider({
    name: "OVHcloud",
    host: "s3.REGION.io.cloud.ovh.net",
    pattern: /^s3\.(?<region>[a-z0-9-]+)(\.io|\.perf)?\.cloud\.ovh\.(net|us)$/
  }),
  provider({
    name: "Scaleway",
    host: "s3.REGION.scw.cloud",
    pattern: /^s3\.(?<region>[a-z0-9-]+)\.scw\.cloud$/,
    maxParts: 1000,
    note: "Larger files are sent in larger parts, which must fit into --memory."
  }),
  provider({
    name: "Tencent Cloud COS",
    host: "cos.REGION.myqcloud.com",
    pattern: /^cos\.(?<region>[a-z0-9-]+)\.myqcloud\.com$/,
    bucketIn: "host",
    note: "A bucket in the path is refused with PathStyleDomainForbidden."
  }),
  provider({
    name: "Volcengine TOS",
    host: "tos-s3-REGION.volces.com",
    pattern: /^tos-s3-(?<region>[a-z0-9-]+)\.i?volces\.com$/,
    bucketIn: "host"
  }),
  provider({
    name: "Wasabi",
    host: "s3.REGION.wasabisys.com",
    pattern: /^s3\.(?<region>[a-z0-9-]+)\.wasabisys\.com$/,
    note: "Bills every object for at least 90 days: --final-only stores each file once."
  }),
  other
]

/** The provider of an endpoint. If the host names a region, `region` is that one. */
export const of = (endpoint: URL | undefined): Provider => {
  if (endpoint === undefined) return aws
  const found = table.find(({ pattern }) => pattern.test(endpoint.hostname)) ?? other
  return { ...found, region: found.pattern.exec(endpoint.hostname)?.groups?.["region"] ?? found.region }
}

/** Whether the bucket goes into the path of the URL. `forced`: the user's choice. */
export const usesPathStyle = (endpoint: URL | undefined, forced: boolean | undefined): boolean =>
  forced ?? of(endpoint).bucketIn === "path"

/** The provider's limits for multipart uploads. */
export const partLimits = (endpoint: URL | undefined): Pick<Provider, "maxParts" | "partsAtOnce"> => {
  const { maxParts: most, partsAtOnce } = of(endpoint)
  return { maxParts: most, partsAtOnce }
}

/** A bucket on a real server, inspected by its owner with independent tools. */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand
} from "@aws-sdk/client-s3"
import { execFile } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { promisify } from "node:util"
import { sdkClient } from "../fixtures/SdkClient.ts"
import type { RealServer } from "../fixtures/real-servers/RealServer.ts"

export const canFetch = existsSync("/usr/bin/curl")

/** As S3 signs paths. */
const encode = (segment: string): string =>
  encodeURIComponent(segment).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)

/** The SHA-256 of an object, from curl, which signs the request, and sha256sum. */
const fetchSha256 = async (url: URL, region: string): Promise<string> => {
  // Ceph requires the hash of the body even for an empty one
  const noBody = `x-amz-content-sha256: ${createHash("sha256").digest("hex")}`
  const curl = `curl --silent --fail --aws-sigv4 "aws:amz:$REGION:s3" --header "${noBody}"`
  const command = `${curl} "$URL" | sha256sum`
  const env = { ...process.env, REGION: region, URL: url.href }
  const { stdout } = await promisify(execFile)("bash", ["-o", "pipefail", "-c", command], { env })
  return stdout.slice(0, 64)
}

export const sha256Of = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex")

export interface RealBucket {
  readonly name: string
  /** The SHA-256 of the object at the key. */
  readonly sha256: (key: string) => Promise<string>
  /** The encryption that the server reports for an object. */
  readonly encryption: (key: string) => Promise<string | undefined>
  /** The IDs of the open multipart uploads of a key. */
  readonly openUploads: (key: string) => Promise<ReadonlyArray<string | undefined>>
  readonly remove: () => Promise<unknown>
}

/** Creates a bucket with a random name. */
export const createBucket = async (server: RealServer): Promise<RealBucket> => {
  const { accessKeyId, endpoint, region, secretAccessKey } = server
  const bucket = `e2e-${randomBytes(6).toString("hex")}`
  const client = sdkClient(server)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return {
    name: bucket,
    sha256: (key) => {
      const path = key.split("/").map(encode).join("/")
      const url = new URL(`${endpoint}/${bucket}/${path}`)
      // A pair in --user would be split at the colon of an access key of Swift.
      url.username = encodeURIComponent(accessKeyId)
      url.password = encodeURIComponent(secretAccessKey)
      return fetchSha256(url, region)
    },
    encryption: async (key) =>
      (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ServerSideEncryption,
    openUploads: async (key) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }))
      return Uploads.map(({ UploadId }) => UploadId)
    },
    remove: () => client.send(new DeleteBucketCommand({ Bucket: bucket }))
  }
}

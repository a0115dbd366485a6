import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchKey,
  PutBucketPolicyCommand,
  S3Client
} from "@aws-sdk/client-s3"
import { afterAll, describe, inject } from "@effect/vitest"
import { Duration, Layer } from "effect"
import { randomBytes } from "node:crypto"
import * as Concurrency from "../../src/domain/Concurrency.ts"
import type { ObjectStore } from "../../src/services/ObjectStore.ts"
import * as S3 from "../../src/services/ObjectStore/S3.ts"
import * as MemoryStore from "../fakes/MemoryStore.ts"
import { owner, StrictS3, writerNoAbort } from "../fakes/StrictS3.ts"
import { settingsWith } from "../fixtures/Settings.ts"
import { contract, type Variant } from "./ObjectStoreContract.ts"

interface Login {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** The adapter as the program makes it, with credentials in the environment of its making. */
const adapter = (endpoint: string, bucket: string, login: Login, noOverwrite: boolean): Layer.Layer<ObjectStore> =>
  Layer.suspend(() => {
    process.env["AWS_ACCESS_KEY_ID"] = login.accessKeyId
    process.env["AWS_SECRET_ACCESS_KEY"] = login.secretAccessKey
    const { attributes, target } = settingsWith()
    return S3.layer({
      target: { ...target, bucket, endpoint: new URL(endpoint), region: "us-east-1" },
      attributes: { ...attributes, noOverwrite },
      concurrency: Concurrency.fixed(8),
      timeout: Duration.seconds(30)
    })
  })

contract("memory", async ({ bucketExists = true, noOverwrite = false, restricted = false }) => {
  const store = MemoryStore.make({
    bucketExists,
    noOverwrite,
    permitted: restricted ? "permitted/" : "",
    mayAbort: !restricted
  })
  return {
    layer: store.layer,
    read: async (key) => store.versions.get(key)?.at(-1),
    openUploads: async () => store.open.size
  }
})

const servers: Array<StrictS3> = []
afterAll(async () => {
  for (const server of servers) await server.stop()
})

contract("the S3 adapter on the strict server", async (variant) => {
  const restricted = { ...writerNoAbort, permissions: { prefix: "permitted/", abort: false } }
  const server = await StrictS3.start(variant.restricted === true ? { identities: [restricted] } : {})
  servers.push(server)
  const login = variant.restricted === true ? restricted : owner
  const bucket = variant.bucketExists === false ? "missing" : "snapshots"
  return {
    layer: adapter(server.endpoint, bucket, login, variant.noOverwrite ?? false),
    read: async (key) => server.object(key)?.body,
    openUploads: async () => server.openUploads().length
  }
})

/** A bucket policy that takes from the bucket's owner what the variant says: it needs no second user. */
const restriction = (bucket: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Deny",
        Principal: "*",
        Action: ["s3:PutObject"],
        NotResource: [`arn:aws:s3:::${bucket}/permitted/*`]
      },
      { Effect: "Deny", Principal: "*", Action: ["s3:AbortMultipartUpload"], Resource: [`arn:aws:s3:::${bucket}/*`] }
    ]
  })

/** MinIO's root user is above all policies, and a second user can only be made by its own admin tool. */
const restrictability = (server: string) => ({ restrictable: server !== "MinIO" })

const real = inject("servers")

describe.skipIf(real.length === 0)("real servers", () => {
  for (const server of real) {
    const client = new S3Client({
      endpoint: server.endpoint,
      region: server.region,
      forcePathStyle: true,
      credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey }
    })
    const create = async (variant: Variant) => {
      const bucket = `contract-${randomBytes(6).toString("hex")}`
      if (variant.bucketExists !== false) await client.send(new CreateBucketCommand({ Bucket: bucket }))
      if (variant.restricted === true) {
        await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: restriction(bucket) }))
      }
      return bucket
    }
    contract(
      `the S3 adapter on ${server.name}`,
      async (variant) => {
        const bucket = await create(variant)
        return {
          layer: adapter(server.endpoint, bucket, server, variant.noOverwrite ?? false),
          read: async (key) => {
            try {
              const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
              return Buffer.from((await answer.Body?.transformToByteArray()) ?? [])
            } catch (cause) {
              if (cause instanceof NoSuchKey) return undefined
              throw cause
            }
          },
          openUploads: async () => {
            // MinIO lists uploads of a whole key only
            const listings = await Promise.all(
              ["big.jsonl", "permitted/big.jsonl"].map((Prefix) =>
                client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }))
              )
            )
            return listings.reduce((sum, { Uploads = [] }) => sum + Uploads.length, 0)
          }
        }
      },
      restrictability(server.name)
    )
  }
})

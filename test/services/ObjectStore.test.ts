import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand, NoSuchKey } from "@aws-sdk/client-s3"
import { afterAll, describe, inject } from "@effect/vitest"
import { Duration, Layer } from "effect"
import { randomBytes } from "node:crypto"
import type { ObjectAttributes } from "../../src/domain/Settings.ts"
import type { ObjectStore } from "../../src/services/ObjectStore.ts"
import * as Store from "../../src/services/ObjectStore/S3/Store.ts"
import * as MemoryStore from "../fakes/MemoryStore.ts"
import { owner, StrictS3, writerNoAbort } from "../fakes/StrictS3.ts"
import { sdkClient } from "../fakes/strict-s3/Clients.ts"
import { putOnly } from "../fixtures/Policy.ts"
import { type AccessKey, userWith } from "../fixtures/real-servers/Users.ts"
import { settingsWith } from "../fixtures/Settings.ts"
import { contract } from "./ObjectStoreContract.ts"

/** The adapter as the program makes it, with credentials in the environment of its making. */
const adapter = (
  endpoint: string,
  bucket: string,
  login: AccessKey,
  changed: Partial<ObjectAttributes>
): Layer.Layer<ObjectStore> =>
  Layer.suspend(() => {
    process.env["AWS_ACCESS_KEY_ID"] = login.accessKeyId
    process.env["AWS_SECRET_ACCESS_KEY"] = login.secretAccessKey
    const { attributes, target } = settingsWith()
    return Store.layer({
      target: { ...target, bucket, endpoint: new URL(endpoint), region: "us-east-1" },
      attributes: { ...attributes, ...changed },
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
    layer: adapter(server.endpoint, bucket, login, { noOverwrite: variant.noOverwrite ?? false }),
    read: async (key) => server.object(key)?.body,
    openUploads: async () => server.openUploads().length
  }
})

const real = inject("servers")

describe.skipIf(real.length === 0)("real servers", () => {
  for (const server of real) {
    const client = sdkClient(server)
    contract(`the S3 adapter on ${server.name}`, async ({ bucketExists = true, noOverwrite = false, restricted }) => {
      const bucket = `contract-${randomBytes(6).toString("hex")}`
      if (bucketExists) await client.send(new CreateBucketCommand({ Bucket: bucket }))
      const login = restricted === true ? await userWith(server, bucket, putOnly(bucket, "permitted")) : server
      // what another than the bucket's owner uploads may not be the owner's to read, unless it is said to be
      const acl = restricted === true ? "bucket-owner-full-control" : undefined
      return {
        layer: adapter(server.endpoint, bucket, login, { noOverwrite, acl }),
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
    })
  }
})

import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand, NoSuchKey } from "@aws-sdk/client-s3"
import { afterAll, afterEach, describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Either, Layer } from "effect"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { ConfigError } from "../../src/domain/Errors.ts"
import * as ObjectKey from "../../src/domain/ObjectKey.ts"
import type { ObjectAttributes } from "../../src/domain/Settings.ts"
import { ObjectStore } from "../../src/services/ObjectStore.ts"
import * as Store from "../../src/services/ObjectStore/S3/Store.ts"
import type { StoreResult } from "../../scripts/stores/StoresPage.ts"
import * as MemoryStore from "../../scripts/simulate/MemoryStore.ts"
import { parseQuery } from "../../scripts/strict-s3/Target.ts"
import { owner, StrictS3, writerNoAbort } from "../../scripts/strict-s3/StrictS3.ts"
import { sdkClient } from "../fixtures/SdkClient.ts"
import { putOnly } from "../fixtures/Policy.ts"
import { realServers } from "../fixtures/real-servers/Installed.ts"
import { type AccessKey, userWith } from "../fixtures/real-servers/Users.ts"
import { settingsWith } from "../fixtures/Settings.ts"
import { contract } from "./ObjectStoreContract.ts"

/** The adapter as the program builds it. The SDK reads credentials from `process.env`. */
const adapter = (
  { endpoint, region = "us-east-1" }: { readonly endpoint: string; readonly region?: string },
  bucket: string,
  login: AccessKey,
  changed: Partial<ObjectAttributes>
): Layer.Layer<ObjectStore> =>
  Layer.suspend(() => {
    process.env["AWS_ACCESS_KEY_ID"] = login.accessKeyId
    process.env["AWS_SECRET_ACCESS_KEY"] = login.secretAccessKey
    return Store.layer(
      settingsWith({
        bucket,
        endpoint: new URL(endpoint),
        region,
        timeout: Duration.seconds(30),
        ...changed
      }),
      process.env,
      { hostname: "host-17", version: "1.2.3" }
    )
  }).pipe(Layer.orDie)

describe("a lazily loaded store", () => {
  const traits = { checksum: "MD5", clockOffsetMillis: 0, unencrypted: false } as const

  it.effect("is loaded only once, and not loaded to read its traits", () => {
    let loads = 0
    const store = Layer.mock(ObjectStore, { ready: () => Effect.void, traits: Effect.succeed(traits) })
    const load = Effect.sync(() => {
      loads++
      return store
    })
    return Effect.gen(function* () {
      const lazy = yield* ObjectStore
      expect([yield* lazy.traits, loads]).toEqual([undefined, 0])
      yield* Effect.all([lazy.ready("SHA256"), lazy.ready("SHA256")], { concurrency: "unbounded" })
      expect([yield* lazy.traits, loads]).toEqual([traits, 1])
    }).pipe(Effect.provide(ObjectStore.layerLazy(load)))
  })

  it.effect("reports an invalid configuration in `ready`", () => {
    const error = new ConfigError({ detail: "no", advice: "correct it" })
    return Effect.gen(function* () {
      const { ready } = yield* ObjectStore
      expect(yield* Effect.flip(ready("SHA256"))).toBe(error)
    }).pipe(Effect.provide(ObjectStore.layerLazy(Effect.succeed(Layer.fail(error)))))
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
    layer: adapter(server, bucket, login, { noOverwrite: variant.noOverwrite ?? false }),
    read: async (key) => server.object(key)?.body,
    openUploads: async () => server.openUploads().length
  }
})

describe("the S3 adapter", () => {
  it.live("sends no parameter and no header that S3 does not need", () =>
    Effect.gen(function* () {
      const server = yield* Effect.promise(() => StrictS3.start())
      servers.push(server)
      const object = {
        key: Either.getOrThrow(Either.flatMap(ObjectKey.parsePrefix("/"), (root) => ObjectKey.of(root, "a.jsonl"))),
        state: "final"
      } as const
      yield* Effect.flatMap(ObjectStore, (store) =>
        Effect.gen(function* () {
          yield* store.put(object, Buffer.from("1\n"))
          const { uploadId } = yield* store.createUpload(object)
          const part = yield* store.uploadPart({ ...object, uploadId, number: 1, body: Buffer.from("2\n") })
          yield* store.completeUpload(object, uploadId, [{ ...part, number: 1 }])
          yield* store.abortUpload(yield* Effect.map(store.createUpload(object), (name) => ({ ...object, ...name })))
        })
      ).pipe(Effect.provide(adapter(server, "snapshots", owner, {})))
      const parameters = server.requests.flatMap(({ path }) => [...parseQuery(path.split("?")[1] ?? "").keys()])
      expect(new Set(parameters)).toEqual(new Set(["uploads", "uploadId", "partNumber"]))
      const names = server.requests.flatMap(({ headers }) => Object.keys(headers))
      expect(names.filter((name) => name.startsWith("amz-sdk-") || name === "x-amz-user-agent")).toEqual([])
    })
  )
})

describe("an endpoint that contains the bucket's name", () => {
  const connect = (forcePathStyle: boolean | undefined, bucket = "snapshots") =>
    Layer.build(
      Store.layer(
        settingsWith({ bucket, endpoint: new URL("https://snapshots.example.com:9000"), forcePathStyle }),
        {},
        { hostname: "host-17", version: "1.2.3" }
      )
    ).pipe(Effect.scoped)

  it.live("is refused, and the hint names the correct endpoint", () =>
    Effect.gen(function* () {
      for (const forced of [undefined, false]) {
        const { hint } = yield* Effect.flip(connect(forced))
        expect(hint).toContain("--endpoint https://example.com:9000;")
      }
    })
  )

  it.live("is accepted with --force-path-style, or if the host only begins with the same letters", () =>
    Effect.zipRight(connect(true), connect(undefined, "snap"))
  )
})

const real = await realServers()

/** With IBSR_STORE_RESULTS, the name of a file, writes what passed on each real server. */
const resultsFile = process.env["IBSR_STORE_RESULTS"]
const results: Array<StoreResult> = []
afterAll(() => {
  if (resultsFile !== undefined) writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 2)}\n`)
})

describe.skipIf(real.length === 0)("real servers", () => {
  for (const server of real) {
    const client = sdkClient(server)
    const passed: Array<string> = []
    const date = new Date().toISOString().slice(0, 10)
    const { differences, name, version } = server
    results.push({ name, version, date, hasUsers: server.users !== undefined, passed, differences })
    afterEach(({ task }) => {
      const isOwn = task.suite?.name.endsWith(`the S3 adapter on ${name}`) === true
      if (isOwn && task.result?.state !== "fail" && !Object.hasOwn(differences, task.name)) passed.push(task.name)
    })
    contract(
      `the S3 adapter on ${server.name}`,
      async ({ bucketExists = true, noOverwrite = false, restricted }) => {
        const bucket = `contract-${randomBytes(6).toString("hex")}`
        if (bucketExists) await client.send(new CreateBucketCommand({ Bucket: bucket }))
        const login = restricted === true ? await userWith(server, bucket, putOnly(bucket, "permitted")) : server
        // without this ACL the bucket's owner may not be able to read what another user uploads
        const acl = restricted === true ? "bucket-owner-full-control" : undefined
        return {
          layer: adapter(server, bucket, login, { noOverwrite, acl }),
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
            // MinIO lists uploads only by their complete key
            const listings = await Promise.all(
              ["big.jsonl", "permitted/big.jsonl"].map((Prefix) =>
                client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }))
              )
            )
            return listings.reduce((sum, { Uploads = [] }) => sum + Uploads.length, 0)
          }
        }
      },
      { hasUsers: server.users !== undefined, differences: server.differences }
    )
  }
})

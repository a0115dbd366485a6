/** The objects below a prefix of a bucket, read with the credentials of somebody who may list and read them. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { GetObjectCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3"
import { Duration, Effect, Layer } from "effect"
import type { Env } from "../../../domain/Env.ts"
import { revised, type StoreError } from "../../../domain/Errors.ts"
import type { Settings, Target } from "../../../domain/Settings.ts"
import { type FoundObject, ObjectSource } from "../../ObjectSource.ts"
import * as Client from "./Client.ts"
import { storeError, withoutSecrets } from "./Errors.ts"

export type Options = Target & Pick<Settings, "timeout"> & { readonly prefix: string }

/** The number of attempts for a request. If a response breaks off, the next request asks only for the rest. */
const maxAttempts = 5

export const layer = (options: Options, env: Env) =>
  Layer.scoped(
    ObjectSource,
    Effect.gen(function* () {
      const { config, credentials, handler } = yield* Client.connect(options, env)
      const idle = Duration.toMillis(options.timeout)
      // the SDK's client, because the program's own client keeps a whole response in memory
      const requestHandler = { ...handler, socketTimeout: idle, requestTimeout: idle }
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => Client.withoutExtras(new S3Client({ ...config, requestHandler, maxAttempts }))),
        (s3) => Effect.sync(() => s3.destroy())
      )
      const { bucket: Bucket } = options
      const prefix = options.prefix === "" ? "" : `${options.prefix}/`
      const failure = (operation: string, cause: unknown): StoreError => {
        const error = withoutSecrets(storeError(operation, cause), credentials.current())
        return error._tag === "AccessDenied" ? revised(error, { advice: permissions }) : error
      }

      const list = async () => {
        const found: Array<FoundObject> = []
        for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix }))
          for (const { Key = "", Size = 0 } of page.Contents ?? [])
            // ignored, because some tools store a directory as an empty object
            if (!Key.endsWith("/")) found.push({ name: Key.slice(prefix.length), sizeBytes: Size })
        return found
      }

      const read = async function* (name: string): AsyncGenerator<Uint8Array> {
        let position = 0
        let etag: string | undefined
        for (let attempt = 1; ; attempt++) {
          try {
            const range = position === 0 ? {} : { Range: `bytes=${position}-`, IfMatch: etag }
            const answer = await client.send(new GetObjectCommand({ Bucket, Key: prefix + name, ...range }))
            etag = answer.ETag
            for await (const piece of answer.Body as AsyncIterable<Uint8Array>) {
              position += piece.length
              yield piece
            }
            return
          } catch (cause) {
            const error = failure("GetObject", cause)
            if (attempt >= maxAttempts || !("retryable" in error && error.retryable)) throw error
          }
        }
      }

      return {
        list: Effect.zipRight(
          Client.ready(client, options),
          Effect.tryPromise({ try: list, catch: (cause) => failure("ListObjectsV2", cause) })
        ),
        read,
        concurrency: 8
      }
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))

const permissions = "allow this user s3:ListBucket on the bucket and s3:GetObject on the prefix"

/** `StoreProbe` for Amazon S3 and compatible services, on the same client as the uploads. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client
} from "@aws-sdk/client-s3"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Context, Effect, Layer } from "effect"
import { lookup } from "node:dns/promises"
import { isIP, type Socket } from "node:net"
import { TLSSocket } from "node:tls"
import type { StoreError } from "../../../domain/Errors.ts"
import type { Env } from "../../../domain/Env.ts"
import type { Origin } from "../../../domain/ObjectMetadata.ts"
import { type Connected, type Excess, StoreProbe } from "../../StoreProbe.ts"
import { ObjectStore } from "../../ObjectStore.ts"
import * as Circumstances from "./Circumstances.ts"
import * as Client from "./Client.ts"
import * as Credentials from "./Credentials.ts"
import * as RequestHandler from "./RequestHandler.ts"
import * as Store from "./Store.ts"

/** Both services on one connection. */
export const layer = (options: Store.Options, env: Env, origin: Origin) =>
  Layer.scopedContext(
    Effect.map(Store.connect(options, env), (connection) =>
      Context.make(ObjectStore, Store.make(connection, options, origin)).pipe(
        Context.add(StoreProbe, probe(connection, options, env, origin))
      )
    )
  ).pipe(Layer.provide(NodeFileSystem.layer))

const probe = (
  connection: Store.Connection,
  options: Store.Options,
  env: Env,
  host: Origin
): Context.Tag.Service<StoreProbe> => {
  const { client, config, credentials, failure, profile, routeTo, send } = connection
  const { bucket: Bucket } = options
  const attempt = <A>(operation: string, step: (signal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({ try: step, catch: (cause) => failure(operation, cause) })

  /** Where requests go. The keys are not real, because the connection is tried before the credentials. */
  const storeOrigin = attempt("connect", async () => {
    const unsigned = new S3Client({ ...config, credentials: { accessKeyId: "none", secretAccessKey: "none" } })
    const command = new PutObjectCommand({ Bucket, Key: "key", Body: new Uint8Array() })
    return RequestHandler.originOf(await RequestHandler.draft(unsigned, command))
  })

  const honours = Store.make(connection, { ...options, noOverwrite: true }, host)
  const requests: Record<Excess, (Key: string) => Effect.Effect<unknown, StoreError>> = {
    "s3:ListBucket": (Key) => send(new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 })),
    "s3:GetObject": (Key) => send(new GetObjectCommand({ Bucket, Key, Range: "bytes=0-0" })),
    "s3:DeleteObject": (Key) => send(new DeleteObjectCommand({ Bucket, Key }))
  }

  return {
    lookUp: Effect.flatMap(storeOrigin, (origin) => {
      const hostname = withoutBrackets(origin.hostname)
      if (routeTo(origin).proxy !== undefined || isIP(hostname) !== 0) return Effect.succeed(undefined)
      return attempt("connect", async () => (await lookup(hostname, { all: true })).map(({ address }) => address))
    }),
    connect: Effect.flatMap(storeOrigin, (origin) => {
      const { dial, proxy } = routeTo(origin)
      return attempt(
        "connect",
        (signal) =>
          new Promise<Connected>((resolve, reject) => {
            const cancel = dial((error, socket) => {
              if (socket === undefined) return reject(error as Error)
              resolve(factsOf(socket, proxy))
              socket.on("error", () => {}).destroy()
            })
            signal.addEventListener("abort", cancel)
          })
      )
    }),
    identity: attempt("credentials", async () => {
      const { accessKeyId } = await client.config.credentials()
      // the SDK returns a copy
      const identity = credentials.current()
      const source = identity && Credentials.sourceOf.get(identity)
      return {
        source: source ?? `role ${options.assumeRoleArn}`,
        accessKeyId,
        expiresAt: identity?.expiration?.getTime()
      }
    }),
    region: Effect.map(Client.resolveRegion(client, options), (region) => {
      const source = Circumstances.of(options, env, profile).region?.source
      return source === undefined ? region : `${region} (${source})`
    }),
    honoursCondition: (key) => {
      const create = Effect.either(honours.put({ key, state: "final" }, content))
      return Effect.flatMap(create, () =>
        Effect.matchEffect(honours.put({ key, state: "final" }, content), {
          onSuccess: () => Effect.succeed(false),
          onFailure: (error) => (error._tag === "ObjectExists" ? Effect.succeed(true) : Effect.fail(error))
        })
      )
    },
    isAllowed: (permission, key) =>
      Effect.matchEffect(requests[permission](key), {
        onSuccess: () => Effect.succeed(true),
        onFailure: (error) => {
          // uploads expect no content in a response, so the content of an object is an error with a status of success
          const isContent = "status" in error && (error.status ?? 500) < 300
          return isContent || error._tag === "AccessDenied" ? Effect.succeed(isContent) : Effect.fail(error)
        }
      })
  }
}

const content = Buffer.from("ibsr-export stored this to find out whether the store honours If-None-Match.\n")

const withoutBrackets = (hostname: string) => hostname.replace(/^\[(.*)\]$/, "$1")

const factsOf = (socket: Socket, proxy: string | undefined): Connected => ({
  peer: `${socket.remoteAddress}:${socket.remotePort}`,
  proxy,
  certificate: socket instanceof TLSSocket ? certificateOf(socket) : undefined
})

const certificateOf = (socket: TLSSocket) => {
  const { issuer, subject, valid_to } = socket.getPeerCertificate()
  return { subject: nameOf(subject), issuer: nameOf(issuer), expiresAt: Date.parse(valid_to) }
}

const nameOf = ({ CN, O }: NodeJS.Dict<string | string[]>) => [CN ?? O ?? "unnamed"].flat().join(", ")

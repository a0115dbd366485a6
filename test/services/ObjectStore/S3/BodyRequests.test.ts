import { PutObjectCommand, S3Client, type S3ClientConfig, UploadPartCommand } from "@aws-sdk/client-s3"
import { describe, expect, it } from "@effect/vitest"
import { HttpResponse, type HttpRequest } from "@smithy/core/protocols"
import { Effect, Either, Exit, FastCheck as fc } from "effect"
import { hash } from "node:crypto"
import { UploadFailed } from "../../../../src/domain/Errors.ts"
import * as ObjectKey from "../../../../src/domain/ObjectKey.ts"
import type { ObjectAttributes } from "../../../../src/domain/Settings.ts"
import * as Callback from "../../../../src/fibers/Callback.ts"
import type { Request } from "../../../../src/services/ObjectStore/Http/Client.ts"
import type { Response } from "../../../../src/services/ObjectStore/Http/ResponseReader.ts"
import * as BodyRequests from "../../../../src/services/ObjectStore/S3/BodyRequests.ts"
import { bodyOf } from "../../../../src/services/ObjectStore/S3/Checksums.ts"
import * as Credentials from "../../../../src/services/ObjectStore/S3/Credentials.ts"
import { type ObjectHeaders, objectHeaders } from "../../../../src/services/ObjectStore/S3/ObjectHeaders.ts"
import * as RequestHandler from "../../../../src/services/ObjectStore/S3/RequestHandler.ts"
import * as StoreClock from "../../../../src/services/ObjectStore/S3/StoreClock.ts"
import { settingsWith } from "../../../fixtures/Settings.ts"

const bytes = Buffer.from('{"a":1}\n')
const body = bodyOf("SHA256", bytes)

const identity = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: "secret", sessionToken: "token" })

const configFor = (region: string, more: S3ClientConfig = {}): S3ClientConfig => ({
  region,
  maxAttempts: 1,
  requestChecksumCalculation: "WHEN_REQUIRED",
  ...more
})

/** Returns the requests that `send` makes, how many of them the SDK built, and the outcome of `send`. */
const ours = async <A>(
  config: S3ClientConfig,
  send: (bodyRequests: BodyRequests.BodyRequests) => Effect.Effect<A, unknown>,
  source = async () => identity("first"),
  answers: ReadonlyArray<Partial<Response>> = []
) => {
  const requests: Array<Request> = []
  const http = {
    exchange: (request: Request) =>
      Callback.make<Response, never>((resume) => {
        const answer = answers[requests.push(request) - 1]
        // a Date that must not have an effect on the next signature
        const headers = { etag: '"e"', date: new Date(Date.now() + 3_600_000).toUTCString() }
        resume(Exit.succeed({ status: 200, headers, body: Buffer.alloc(0), isReusable: true, ...answer }))
        return () => {}
      })
  }
  const credentials = Credentials.renewing(source)
  const clock = StoreClock.make()
  const client = new S3Client({
    ...config,
    credentials: credentials.provider,
    requestHandler: RequestHandler.make(http, clock)
  })
  let askedOfSdk = 0
  client.middlewareStack.add(
    (next) => (args) => {
      askedOfSdk++
      return next(args)
    },
    { step: "initialize" }
  )
  const bodyRequests = BodyRequests.make({
    client,
    clock,
    credentials,
    http,
    failure: (operation, cause) => new UploadFailed({ operation, detail: String(cause), retryable: false, cause })
  })
  const outcome = await Effect.runPromise(Effect.either(send(bodyRequests)))
  return { requests, askedOfSdk, outcome, client }
}

const theirs = async (config: S3ClientConfig, command: PutObjectCommand | UploadPartCommand) => {
  let sent: HttpRequest | undefined
  const handle = async (request: HttpRequest) => {
    sent = request
    return { response: new HttpResponse({ statusCode: 200, headers: { etag: '"e"' } }) }
  }
  const client = new S3Client({
    ...config,
    credentials: identity("first"),
    requestHandler: { metadata: { handlerProtocol: "http/1.1" }, handle }
  })
  await client.send(command as PutObjectCommand)
  return sent!
}

/** Headers that only the SDK adds, that change with time, or that the HTTP client adds. */
const ignored = /^(amz-sdk-.*|x-amz-user-agent|authorization|x-amz-date|content-length)$/

const comparable = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !ignored.test(name))
      // removes the list of used SDK features, such as the source of credentials
      .map(([name, value]) => [name, name === "user-agent" ? value.replace(/ m\/\S+/, "") : value])
      .sort()
  )

const expectSame = (request: Request, draft: HttpRequest) => {
  expect(request.method).toBe(draft.method)
  expect(request.origin).toEqual(RequestHandler.originOf(draft))
  const [path, query = ""] = request.target.split("?")
  expect(path).toBe(draft.path)
  expect(query.split("&").filter(Boolean).sort()).toEqual(
    RequestHandler.targetOf(draft)
      .split("?")[1]
      ?.split("&")
      .filter((parameter) => !parameter.startsWith("x-id="))
      .sort()
  )
  expect(comparable(request.headers)).toEqual(comparable(draft.headers))
}

const defaults = settingsWith()
const words = fc.stringMatching(/^[A-Za-z0-9 .=_-]{1,12}$/).map((text) => text.trim() || "x")
const attributes: fc.Arbitrary<ObjectAttributes> = fc.record({
  sse: fc.constantFrom("none", "s3", "kms"),
  kmsKeyId: fc.option(words, { nil: undefined }),
  kmsContext: fc.option(fc.dictionary(words, words, { maxKeys: 2 }), { nil: undefined }),
  storageClass: fc.constantFrom(undefined, "STANDARD_IA", "GLACIER_IR"),
  acl: fc.constantFrom(undefined, "bucket-owner-full-control"),
  tags: fc.dictionary(words, fc.string({ maxLength: 8 }), { maxKeys: 3 }),
  metadata: fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,8}$/), words, { maxKeys: 3 }),
  noOverwrite: fc.boolean()
})
const keys = fc.oneof(
  fc.constantFrom("a.jsonl", "d/a b+c.jsonl", "ü/日本/%41?#&.pcap.gz", "(a)'!*~", "//x/./../y"),
  fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" })
)
const targets: fc.Arbitrary<readonly [bucket: string, config: S3ClientConfig]> = fc.constantFrom(
  ["snapshots", configFor("eu-central-1")],
  ["with.dots", configFor("us-east-1")],
  ["snapshots", configFor("us-gov-west-1", { useFipsEndpoint: true })],
  ["snapshots", configFor("cn-north-1")],
  ["snapshots", configFor("eu-west-1", { useDualstackEndpoint: true })],
  ["snapshots", configFor("eu-west-1", { useAccelerateEndpoint: true })],
  ["arn:aws:s3:eu-west-1:123456789012:accesspoint/mine", configFor("eu-west-1")],
  ["snapshots", configFor("us-east-1", { endpoint: "http://127.0.0.1:9000", forcePathStyle: true })],
  ["snapshots", configFor("auto", { endpoint: "https://acc.r2.cloudflarestorage.com" })]
)

const objectOf = (bucket: string, given: ObjectAttributes, key: string): ObjectHeaders => {
  const root = Either.getOrThrow(ObjectKey.parsePrefix("/"))
  const valid = Either.getOrElse(ObjectKey.of(root, key), () => Either.getOrThrow(ObjectKey.of(root, "valid")))
  return objectHeaders({ ...given, bucket }, { hostname: "host-17", version: "1.2.3" })({ key: valid, state: "live" })
}

describe("a request with a body", () => {
  it("equals the request that the SDK's client would send: PutObject", async () => {
    await fc.assert(
      fc.asyncProperty(targets, attributes, keys, async ([bucket, config], given, key) => {
        const object = objectOf(bucket, given, key)
        const { outcome, requests } = await ours(config, (bodyRequests) => bodyRequests.put(object, body))
        expect(Either.isRight(outcome), String(outcome)).toBe(true)
        expectSame(
          requests[0]!,
          await theirs(config, new PutObjectCommand({ ...object, Body: bytes, ...body.checksum }))
        )
      }),
      { numRuns: 150 }
    )
  })

  it("equals the request that the SDK's client would send: UploadPart", async () => {
    await fc.assert(
      fc.asyncProperty(
        targets,
        keys,
        fc.string({ minLength: 1 }),
        fc.integer({ min: 1, max: 10_000 }),
        async (...given) => {
          const [[bucket, config], key, uploadId, number] = given
          const { Bucket, Key } = objectOf(bucket, defaults, key)
          const part = { Bucket, Key, UploadId: uploadId, PartNumber: number }
          const { requests } = await ours(config, (bodyRequests) => bodyRequests.uploadPart(part, body))
          expectSame(
            requests[0]!,
            await theirs(config, new UploadPartCommand({ ...part, Body: bytes, ...body.checksum }))
          )
        }
      ),
      { numRuns: 100 }
    )
  })

  it("has its own key, state, content type, checksum and signature", async () => {
    const config = configFor("eu-central-1")
    const live = objectOf("snapshots", defaults, "a.jsonl")
    const final = { ...objectOf("snapshots", defaults, "b.pcap.gz"), Metadata: { "ibsr-state": "final" } }
    const { requests } = await ours(config, (bodyRequests) =>
      Effect.zipRight(
        bodyRequests.put(live, body),
        Effect.zipRight(bodyRequests.put(final, body), bodyRequests.put(live, bodyOf("MD5", bytes)))
      )
    )
    expect(
      requests.map(({ headers, target }) => [target, headers["content-type"], headers["x-amz-meta-ibsr-state"]])
    ).toEqual([
      ["/a.jsonl", "application/x-ndjson", "live"],
      ["/b.pcap.gz", "application/gzip", "final"],
      ["/a.jsonl", "application/x-ndjson", "live"]
    ])
    expect(requests[2]?.headers["content-md5"]).toBeDefined()
    expect(requests[2]?.headers["x-amz-checksum-sha256"]).toBeUndefined()
    expect(new Set(requests.map(({ headers }) => headers["authorization"])).size).toBe(3)
  })

  it("asks the SDK once for all requests of its kind that start at the same time", async () => {
    const names = ["a.jsonl", "b.jsonl", "c.jsonl"]
    const { askedOfSdk, requests } = await ours(configFor("eu-central-1"), (bodyRequests) =>
      Effect.forEach(names, (key) => bodyRequests.put(objectOf("snapshots", defaults, key), body), {
        concurrency: "unbounded"
      })
    )
    expect(requests.map(({ target }) => target)).toEqual(names.map((key) => `/${key}`))
    expect(askedOfSdk).toBe(1)
  })

  it("uses no fiber after the first request of its kind", async () => {
    const object = objectOf("snapshots", defaults, "a.jsonl")
    const start = (bodyRequests: BodyRequests.BodyRequests) =>
      Effect.sync(() => {
        const successes: Array<unknown> = []
        Callback.start(
          bodyRequests.put(object, body),
          (exit) => successes.push(Exit.isSuccess(exit)),
          () => {
            throw new Error("it took a fiber")
          }
        )
        return successes
      })
    await ours(configFor("eu-central-1"), (bodyRequests) =>
      Effect.gen(function* () {
        yield* bodyRequests.put(object, body)
        expect(yield* start(bodyRequests)).toEqual([true])
        return {}
      })
    )
  })

  it("is signed with the current credentials and time", async () => {
    let asked = 0
    const source = async () => ({ ...identity(`key${++asked}`), expiration: new Date(Date.now() + 1000) })
    const object = objectOf("snapshots", defaults, "a.jsonl")
    const { requests } = await ours(
      configFor("eu-central-1"),
      (bodyRequests) =>
        Effect.gen(function* () {
          yield* bodyRequests.put(object, body)
          yield* Effect.sleep(600)
          // half of the session's time is over, so the session is renewed while the request is sent
          yield* bodyRequests.put(object, body)
          yield* Effect.sleep(10)
          return yield* bodyRequests.put(object, body)
        }),
      source
    )
    const signed = (request: Request | undefined) =>
      /Credential=(\w+)/.exec(request?.headers["authorization"] ?? "")?.[1]
    expect(signed(requests[0])).toBe("key1")
    expect(signed(requests[2])).toBe("key2")
    const [, day, time] = /^(\d{8})T(\d{6})Z$/.exec(requests[2]?.headers["x-amz-date"] ?? "") ?? []
    const signedAt = Date.parse(`${day}T${time}Z`.replace(/^(....)(..)(..)T(..)(..)/, "$1-$2-$3T$4:$5:"))
    expect(Math.abs(signedAt - Date.now()), "not the time in the responses").toBeLessThan(1_800_000)
  })
})

describe("a response", () => {
  const object = objectOf("snapshots", defaults, "a.jsonl")
  const etag = (value: string, more: Record<string, string> = {}) => ({ headers: { etag: `"${value}"`, ...more } })
  const own = etag(hash("md5", bytes))
  const other = etag(hash("md5", "other"))
  const document = (text: string) => ({ headers: { etag: '"e"' }, body: Buffer.from(text) })
  const outcomes = async (answers: ReadonlyArray<Partial<Response>>, headers = object) => {
    const all: Array<string> = []
    await ours(
      configFor("eu-central-1"),
      (bodyRequests) =>
        Effect.as(
          Effect.forEach(answers, () =>
            Effect.match(bodyRequests.put(headers, body), {
              onSuccess: ({ ETag }) => all.push(`stored ${ETag}`),
              onFailure: (error) =>
                all.push(error._tag === "IntegrityFailure" ? `wrong, ${error.retryable}` : error._tag)
            })
          ),
          {}
        ),
      undefined,
      answers
    )
    return all
  }

  it("with an empty body or a document is a success", async () => {
    expect(await outcomes([etag("x"), document("<Stored/>")])).toEqual(['stored "x"', 'stored "e"'])
  })

  it.each(["<html></html>", "<Error><Code>X</Code></Error>", "OK"])(
    "is a failure, whatever its ETag: %s",
    async (text) => {
      expect(await outcomes([document(text)])).toEqual(["UploadFailed"])
    }
  )

  it("with the ETag of other bytes is a failure if the store's ETags are MD5 digests", async () => {
    expect((await outcomes([own, other]))[1]).toBe("wrong, true")
    expect((await outcomes([own, other], { ...object, IfNoneMatch: "*" }))[1], "no retry may replace it").toBe(
      "wrong, false"
    )
  })

  it("is a success whatever its ETag if the object is encrypted", async () => {
    const encrypted = etag(hash("md5", "other"), { "x-amz-server-side-encryption": "aws:kms" })
    expect((await outcomes([own, encrypted]))[1]).toMatch(/^stored/)
  })
})

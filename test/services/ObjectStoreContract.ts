/** What every `ObjectStore` must do. The fake is judged by it like the real ones. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, type Layer } from "effect"
import { createHash } from "node:crypto"
import { SourceUnreadable, StateUnusable, type StoreError } from "../../src/domain/Errors.ts"
import * as ObjectKey from "../../src/domain/ObjectKey.ts"
import type { OpenUpload } from "../../src/report/Report.ts"
import { isUnknownUpload } from "../../src/domain/Resumption.ts"
import { type NewObject, ObjectStore, type StreamPolicy } from "../../src/services/ObjectStore.ts"
import type { Capabilities } from "../fixtures/real-servers.ts"

export interface Bucket {
  readonly layer: Layer.Layer<ObjectStore>
  /** Latest content, read by other means than the store under test. */
  readonly read: (key: string) => Promise<Buffer | undefined>
  readonly openUploads: () => Promise<number>
}

/** How a bucket differs from an empty one that may be written to. */
export interface Variant {
  readonly noOverwrite?: boolean
  readonly bucketExists?: boolean
  /** Only keys below `permitted/` may be written to, and nothing may be aborted. */
  readonly restricted?: boolean
}

const MiB = 1024 ** 2

const root = Either.getOrThrow(ObjectKey.parsePrefix("/"))

const object = (text: string): NewObject => ({ key: Either.getOrThrow(ObjectKey.of(root, text)), state: "final" })

const random = (length: number, seed: number) => {
  const block = createHash("sha512").update(String(seed)).digest()
  return Buffer.alloc(length, block)
}

/** In pieces that fit no part. */
async function* inPieces(bytes: Buffer, pieceBytes = 700_001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const policy = () => {
  const left: Array<OpenUpload> = []
  let requests = 0
  const counting: StreamPolicy<never> = {
    completing: Effect.void,
    request: (attempt) =>
      Effect.zipRight(
        Effect.sync(() => requests++),
        attempt
      ),
    abortFailed: (upload) => Effect.sync(() => left.push(upload))
  }
  return { policy: counting, left, requests: () => requests }
}

const multipart = (bytes: Buffer) => ({ pieces: () => inPieces(bytes), partSizeBytes: 5 * MiB, queueSize: 2 })

export const contract = (
  name: string,
  make: (variant: Variant) => Promise<Bucket>,
  { conditionalComplete }: Capabilities = { conditionalComplete: true }
) =>
  describe(`the contract of a store: ${name}`, () => {
    const using = <A, E>(
      variant: Variant,
      test: (bucket: Bucket, store: typeof ObjectStore.Service) => Effect.Effect<A, E>
    ) =>
      Effect.gen(function* () {
        const bucket = yield* Effect.promise(() => make(variant))
        return yield* Effect.flatMap(ObjectStore, (store) => test(bucket, store)).pipe(Effect.provide(bucket.layer))
      })
    const refusedAs = (error: StoreError | SourceUnreadable, tag: string) => expect(error._tag, error.message).toBe(tag)

    it.live("says it is ready without a request", () => using({}, (_, store) => store.ready("SHA256")))

    it.live.each([
      ["nothing", Buffer.alloc(0)],
      ["a line", Buffer.from('{"a":1}\n')],
      ["every byte", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
      ["3 MiB", random(3 * MiB, 1)]
    ] as const)("stores %s as it is", ([, bytes]) =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          yield* store.put(object("a.jsonl"), bytes)
          const stored = yield* Effect.promise(() => bucket.read("a.jsonl"))
          expect(stored?.equals(bytes)).toBe(true)
        })
      )
    )

    it.live("stores under keys with blanks, signs and letters of any alphabet", () =>
      using({}, (bucket, store) =>
        Effect.forEach(
          [
            "a b.jsonl",
            "a+b.jsonl",
            "50%.jsonl",
            "%41.jsonl",
            "#1?x=y&z.jsonl",
            "ü/日本/ж.jsonl",
            "(a)'!*~.jsonl",
            "é.jsonl"
          ],
          (name) =>
            Effect.gen(function* () {
              const bytes = Buffer.from(name)
              yield* store.put(object(name), bytes)
              const stored = yield* Effect.promise(() => bucket.read(name))
              expect(stored?.toString(), name).toBe(name)
            }),
          { discard: true }
        )
      )
    )

    it.live("replaces an object by the later one", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          yield* store.put(object("a.jsonl"), Buffer.from("old"))
          yield* store.put(object("a.jsonl"), Buffer.from("new"))
          expect((yield* Effect.promise(() => bucket.read("a.jsonl")))?.toString()).toBe("new")
        })
      )
    )

    it.live("keeps an object that exists, where only creation is asked for", () =>
      using({ noOverwrite: true }, (bucket, store) =>
        Effect.gen(function* () {
          yield* store.put(object("a.jsonl"), Buffer.from("old"))
          refusedAs(yield* Effect.flip(store.put(object("a.jsonl"), Buffer.from("new"))), "ObjectExists")
          expect((yield* Effect.promise(() => bucket.read("a.jsonl")))?.toString()).toBe("old")
        })
      )
    )

    it.live("tells a bucket that does not exist", () =>
      using({ bucketExists: false }, (_, store) =>
        Effect.gen(function* () {
          refusedAs(yield* Effect.flip(store.put(object("a.jsonl"), Buffer.from("x"))), "BucketUnusable")
          const { policy: around } = policy()
          refusedAs(
            yield* Effect.flip(store.putStream(object("a"), multipart(random(6 * MiB, 2)), around)),
            "BucketUnusable"
          )
        })
      )
    )

    it.live("tells a key that may not be written to, and writes to one that may", () =>
      using({ restricted: true }, (bucket, store) =>
        Effect.gen(function* () {
          refusedAs(yield* Effect.flip(store.put(object("other/a.jsonl"), Buffer.from("x"))), "AccessDenied")
          yield* store.put(object("permitted/a.jsonl"), Buffer.from("x"))
          expect((yield* Effect.promise(() => bucket.read("permitted/a.jsonl")))?.toString()).toBe("x")
          expect(yield* Effect.promise(() => bucket.read("other/a.jsonl"))).toBeUndefined()
        })
      )
    )

    const upload = (text: string, uploadId: string) => ({ key: object(text).key, uploadId })

    /** Sends these bodies as parts, numbered from 1. */
    const parts = (
      store: typeof ObjectStore.Service,
      text: string,
      uploadId: string,
      ...bodies: ReadonlyArray<Buffer>
    ) =>
      Effect.forEach(bodies, (body, at) =>
        Effect.map(store.uploadPart({ ...upload(text, uploadId), number: at + 1, body }), (part) => ({
          ...part,
          number: at + 1
        }))
      )

    it.live("makes an object of parts, one of which was sent again, and knows the upload no more", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          const [first, other, last] = [random(5 * MiB, 9), random(5 * MiB, 10), Buffer.from("end\n")]
          const { uploadId } = yield* store.createUpload(object("big.jsonl"))
          yield* parts(store, "big.jsonl", uploadId, other)
          const sha256 = createHash("sha256").update(last).digest("hex")
          const [stored] = yield* parts(store, "big.jsonl", uploadId, first)
          const end = yield* store.uploadPart({ ...upload("big.jsonl", uploadId), number: 2, body: last, sha256 })
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
          const all = [stored!, { ...end, number: 2 }]
          yield* store.completeUpload(object("big.jsonl"), uploadId, all)
          const whole = yield* Effect.promise(() => bucket.read("big.jsonl"))
          expect(whole?.equals(Buffer.concat([first, last]))).toBe(true)
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
          const late = yield* Effect.flip(parts(store, "big.jsonl", uploadId, last))
          expect(isUnknownUpload(late), late.message).toBe(true)
        })
      )
    )

    it.live("makes no object of parts that are not those that it has", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          const { uploadId } = yield* store.createUpload(object("big.jsonl"))
          const [before] = yield* parts(store, "big.jsonl", uploadId, Buffer.from("1\n"))
          yield* parts(store, "big.jsonl", uploadId, Buffer.from("2\n"))
          const error = yield* Effect.flip(store.completeUpload(object("big.jsonl"), uploadId, [before!]))
          refusedAs(error, "UploadFailed")
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
        })
      )
    )

    it.live("aborts an upload, and one that is no more as well", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          const { uploadId } = yield* store.createUpload(object("big.jsonl"))
          yield* parts(store, "big.jsonl", uploadId, Buffer.from("1\n"))
          expect(yield* Effect.promise(bucket.openUploads)).toBe(1)
          yield* store.abortUpload(upload("big.jsonl", uploadId))
          yield* store.abortUpload(upload("big.jsonl", uploadId))
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
        })
      )
    )

    it.live.skipIf(!conditionalComplete)(
      "makes an object of parts only where there is none, if only creation is asked for",
      () =>
        using({ noOverwrite: true }, (bucket, store) =>
          Effect.gen(function* () {
            const { uploadId } = yield* store.createUpload(object("big.jsonl"))
            const all = yield* parts(store, "big.jsonl", uploadId, Buffer.from("new\n"))
            yield* store.put(object("big.jsonl"), Buffer.from("old"))
            refusedAs(yield* Effect.flip(store.completeUpload(object("big.jsonl"), uploadId, all)), "ObjectExists")
            expect((yield* Effect.promise(() => bucket.read("big.jsonl")))?.toString()).toBe("old")
          })
        )
    )

    it.live("tells an upload that may not be aborted", () =>
      using({ restricted: true }, (bucket, store) =>
        Effect.gen(function* () {
          const { uploadId } = yield* store.createUpload(object("permitted/big.jsonl"))
          refusedAs(yield* Effect.flip(store.abortUpload(upload("permitted/big.jsonl", uploadId))), "AccessDenied")
          expect(yield* Effect.promise(bucket.openUploads)).toBe(1)
          refusedAs(yield* Effect.flip(store.createUpload(object("other/big.jsonl"))), "AccessDenied")
        })
      )
    )

    it.live("puts parts together, each request within the policy", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          const bytes = random(12 * MiB + 1, 3)
          const around = policy()
          yield* store.putStream(object("big.jsonl"), multipart(bytes), around.policy)
          const stored = yield* Effect.promise(() => bucket.read("big.jsonl"))
          expect(stored?.equals(bytes)).toBe(true)
          expect(around.requests()).toBe(1 + 3 + 1)
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
        })
      )
    )

    it.live("waits, once all parts are stored, for what has to come before the object", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          const bytes = random(12 * MiB, 7)
          const around = policy()
          let requestsBefore = 0
          let before: Buffer | undefined
          const completing = Effect.promise(async () => {
            requestsBefore = around.requests()
            before = await bucket.read("big.jsonl")
          })
          yield* store.putStream(object("big.jsonl"), multipart(bytes), { ...around.policy, completing })
          expect(before).toBeUndefined()
          expect(requestsBefore).toBe(1 + 3)
          expect(around.requests()).toBe(1 + 3 + 1)
        })
      )
    )

    it.live("stores nothing and leaves nothing open when that fails", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          const around = policy()
          const refused = new StateUnusable({ path: "ledger.db", detail: "disk full" })
          const error = yield* Effect.flip(
            store.putStream<StateUnusable>(object("big.jsonl"), multipart(random(6 * MiB, 8)), {
              ...around.policy,
              completing: Effect.fail(refused)
            })
          )
          expect(error).toBe(refused)
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
        })
      )
    )

    it.live("stores nothing and leaves nothing open when the body fails on the way", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          const failing = async function* () {
            yield* inPieces(random(6 * MiB, 4))
            throw new SourceUnreadable({ path: "big.jsonl", detail: "it shrank" })
          }
          const around = policy()
          const body = { ...multipart(Buffer.alloc(0)), pieces: failing }
          refusedAs(yield* Effect.flip(store.putStream(object("big.jsonl"), body, around.policy)), "SourceUnreadable")
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
          expect(around.left).toEqual([])
        })
      )
    )

    it.live("stores nothing and leaves nothing open when it is interrupted", () =>
      using({}, (bucket, store) =>
        Effect.gen(function* () {
          const endless = async function* () {
            yield* inPieces(random(11 * MiB, 5))
            await new Promise(() => {})
          }
          const around = policy()
          const body = { ...multipart(Buffer.alloc(0)), pieces: endless }
          yield* Effect.timeoutOption(store.putStream(object("big.jsonl"), body, around.policy), "1 second")
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
          expect(around.left).toEqual([])
        })
      )
    )

    it.live("tells of an upload that it may not abort", () =>
      using({ restricted: true }, (bucket, store) =>
        Effect.gen(function* () {
          const failing = async function* () {
            yield* inPieces(random(6 * MiB, 6))
            throw new SourceUnreadable({ path: "big.jsonl", detail: "it shrank" })
          }
          const around = policy()
          const body = { ...multipart(Buffer.alloc(0)), pieces: failing }
          yield* Effect.flip(store.putStream(object("permitted/big.jsonl"), body, around.policy))
          expect(around.left.map((upload) => upload.key)).toEqual(["permitted/big.jsonl"])
          expect(yield* Effect.promise(bucket.openUploads)).toBe(1)
        })
      )
    )
  })

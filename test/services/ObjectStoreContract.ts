/** The tests that every `ObjectStore` must pass, including the fake. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, type Layer } from "effect"
import { createHash } from "node:crypto"
import { SourceUnreadable, StateUnusable, type StoreError } from "../../src/domain/Errors.ts"
import * as ObjectKey from "../../src/domain/ObjectKey.ts"
import { isUnknownUpload } from "../../src/domain/Resumption.ts"
import type { OpenUpload } from "../../src/report/Report.ts"
import { type NewObject, ObjectStore, type StreamPolicy } from "../../src/services/ObjectStore.ts"

export interface Bucket {
  readonly layer: Layer.Layer<ObjectStore>
  /** Reads the latest content of a key, but not through the store under test. */
  readonly read: (key: string) => Promise<Buffer | undefined>
  readonly openUploads: () => Promise<number>
}

/** How a bucket differs from an empty, writable bucket. */
export interface Variant {
  readonly noOverwrite?: boolean
  readonly bucketExists?: boolean
  /** Only keys below `permitted/` may be written, and no upload may be aborted. */
  readonly restricted?: boolean
}

const MiB = 1024 ** 2

const root = Either.getOrThrow(ObjectKey.parsePrefix("/"))

const object = (text: string): NewObject => ({ key: Either.getOrThrow(ObjectKey.of(root, text)), state: "final" })

const random = (length: number, seed: number) => {
  const block = createHash("sha512").update(String(seed)).digest()
  return Buffer.alloc(length, block)
}

/** Yields pieces whose boundaries differ from those of parts. */
async function* inPieces(bytes: Buffer, pieceBytes = 700_001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** A policy that counts requests and collects uploads that could not be aborted. */
const recordingPolicy = () => {
  const leftOpen: Array<OpenUpload> = []
  let requests = 0
  const policy: StreamPolicy<never> = {
    completing: Effect.void,
    request: (attempt) =>
      Effect.zipRight(
        Effect.sync(() => requests++),
        attempt
      ),
    abortFailed: (upload) => Effect.sync(() => leftOpen.push(upload))
  }
  return { policy, leftOpen, requests: () => requests }
}

const multipart = (bytes: Buffer) => ({ pieces: () => inPieces(bytes), partSizeBytes: 5 * MiB, queueSize: 2 })

/** What is known about a store. */
export interface Description {
  /** Whether it has users with fewer rights. */
  readonly hasUsers: boolean
  /** The titles of the tests that fail on it. */
  readonly differences: Readonly<Record<string, string>>
}

export const contract = (
  storeName: string,
  make: (variant: Variant) => Promise<Bucket>,
  { differences, hasUsers }: Description = { hasUsers: true, differences: {} }
) =>
  describe(`the contract of a store: ${storeName}`, () => {
    // A difference that no longer exists fails, too.
    const titles = new Set<string>()
    const test = <A, E>(title: string, body: () => Effect.Effect<A, E>) => {
      titles.add(title)
      return (Object.hasOwn(differences, title) ? it.live.fails : it.live)(title, body)
    }
    const testOfUsers = <A, E>(title: string, body: () => Effect.Effect<A, E>) =>
      hasUsers ? test(title, body) : it.live.skip(title, body)
    const withBucket = <A, E>(
      variant: Variant,
      body: (bucket: Bucket, store: typeof ObjectStore.Service) => Effect.Effect<A, E>
    ) =>
      Effect.gen(function* () {
        const bucket = yield* Effect.promise(() => make(variant))
        return yield* Effect.flatMap(ObjectStore, (store) => body(bucket, store)).pipe(Effect.provide(bucket.layer))
      })
    const expectTag = (error: StoreError | SourceUnreadable, tag: string) => expect(error._tag, error.message).toBe(tag)

    test("is ready without a request", () => withBucket({}, (_, store) => store.ready("SHA256")))

    it.live.each([
      ["an empty body", Buffer.alloc(0)],
      ["a line", Buffer.from('{"a":1}\n')],
      ["every byte", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
      ["3 MiB", random(3 * MiB, 1)]
    ] as const)("stores %s unchanged", ([, bytes]) =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          yield* store.put(object("a.jsonl"), bytes)
          const stored = yield* Effect.promise(() => bucket.read("a.jsonl"))
          expect(stored?.equals(bytes)).toBe(true)
        })
      )
    )

    test("stores objects under keys with spaces, punctuation and letters of any alphabet", () =>
      withBucket({}, (bucket, store) =>
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
      ))

    test("replaces an object with a later version", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          yield* store.put(object("a.jsonl"), Buffer.from("old"))
          yield* store.put(object("a.jsonl"), Buffer.from("new"))
          expect((yield* Effect.promise(() => bucket.read("a.jsonl")))?.toString()).toBe("new")
        })
      ))

    test("keeps an existing object with noOverwrite", () =>
      withBucket({ noOverwrite: true }, (bucket, store) =>
        Effect.gen(function* () {
          yield* store.put(object("a.jsonl"), Buffer.from("old"))
          expectTag(yield* Effect.flip(store.put(object("a.jsonl"), Buffer.from("new"))), "ObjectExists")
          expect((yield* Effect.promise(() => bucket.read("a.jsonl")))?.toString()).toBe("old")
        })
      ))

    test("fails if the bucket does not exist", () =>
      withBucket({ bucketExists: false }, (_, store) =>
        Effect.gen(function* () {
          expectTag(yield* Effect.flip(store.put(object("a.jsonl"), Buffer.from("x"))), "BucketUnusable")
          const { policy } = recordingPolicy()
          expectTag(
            yield* Effect.flip(store.putStream(object("a"), multipart(random(6 * MiB, 2)), policy)),
            "BucketUnusable"
          )
        })
      ))

    testOfUsers("writes to a permitted key, and fails for any other key", () =>
      withBucket({ restricted: true }, (bucket, store) =>
        Effect.gen(function* () {
          expectTag(yield* Effect.flip(store.put(object("other/a.jsonl"), Buffer.from("x"))), "AccessDenied")
          yield* store.put(object("permitted/a.jsonl"), Buffer.from("x"))
          expect((yield* Effect.promise(() => bucket.read("permitted/a.jsonl")))?.toString()).toBe("x")
          expect(yield* Effect.promise(() => bucket.read("other/a.jsonl"))).toBeUndefined()
        })
      )
    )

    const uploadOf = (text: string, uploadId: string) => ({ key: object(text).key, uploadId })

    /** Uploads these bodies as parts, numbered from 1. */
    const uploadParts = (
      store: typeof ObjectStore.Service,
      text: string,
      uploadId: string,
      ...bodies: ReadonlyArray<Buffer>
    ) =>
      Effect.forEach(bodies, (body, at) =>
        Effect.map(store.uploadPart({ ...uploadOf(text, uploadId), number: at + 1, body }), (part) => ({
          ...part,
          number: at + 1
        }))
      )

    test("completes an upload with a part that was sent twice", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          const [first, replaced, last] = [random(5 * MiB, 9), random(5 * MiB, 10), Buffer.from("end\n")]
          const { uploadId } = yield* store.createUpload(object("big.jsonl"))
          yield* uploadParts(store, "big.jsonl", uploadId, replaced)
          const sha256 = createHash("sha256").update(last).digest("hex")
          const [stored] = yield* uploadParts(store, "big.jsonl", uploadId, first)
          const end = yield* store.uploadPart({ ...uploadOf("big.jsonl", uploadId), number: 2, body: last, sha256 })
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
          const allParts = [stored!, { ...end, number: 2 }]
          yield* store.completeUpload(object("big.jsonl"), uploadId, allParts)
          const whole = yield* Effect.promise(() => bucket.read("big.jsonl"))
          expect(whole?.equals(Buffer.concat([first, last]))).toBe(true)
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
        })
      ))

    test("no longer accepts parts of a completed upload", () =>
      withBucket({}, (_, store) =>
        Effect.gen(function* () {
          const { uploadId } = yield* store.createUpload(object("big.jsonl"))
          const parts = yield* uploadParts(store, "big.jsonl", uploadId, Buffer.from("1\n"))
          yield* store.completeUpload(object("big.jsonl"), uploadId, parts)
          const late = yield* Effect.flip(uploadParts(store, "big.jsonl", uploadId, Buffer.from("2\n")))
          expect(isUnknownUpload(late), late.message).toBe(true)
        })
      ))

    test("does not complete an upload whose stored parts differ from the listed ones", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          const { uploadId } = yield* store.createUpload(object("big.jsonl"))
          const [replaced] = yield* uploadParts(store, "big.jsonl", uploadId, Buffer.from("1\n"))
          yield* uploadParts(store, "big.jsonl", uploadId, Buffer.from("2\n"))
          const error = yield* Effect.flip(store.completeUpload(object("big.jsonl"), uploadId, [replaced!]))
          expectTag(error, "UploadFailed")
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
        })
      ))

    test("aborts an upload, even if it no longer exists", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          const { uploadId } = yield* store.createUpload(object("big.jsonl"))
          yield* uploadParts(store, "big.jsonl", uploadId, Buffer.from("1\n"))
          expect(yield* Effect.promise(bucket.openUploads)).toBe(1)
          yield* store.abortUpload(uploadOf("big.jsonl", uploadId))
          yield* store.abortUpload(uploadOf("big.jsonl", uploadId))
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
        })
      ))

    test("does not complete an upload onto an existing object with noOverwrite", () =>
      withBucket({ noOverwrite: true }, (bucket, store) =>
        Effect.gen(function* () {
          const { uploadId } = yield* store.createUpload(object("big.jsonl"))
          const allParts = yield* uploadParts(store, "big.jsonl", uploadId, Buffer.from("new\n"))
          yield* store.put(object("big.jsonl"), Buffer.from("old"))
          expectTag(yield* Effect.flip(store.completeUpload(object("big.jsonl"), uploadId, allParts)), "ObjectExists")
          expect((yield* Effect.promise(() => bucket.read("big.jsonl")))?.toString()).toBe("old")
        })
      ))

    testOfUsers("fails if the policy denies creating or aborting an upload", () =>
      withBucket({ restricted: true }, (bucket, store) =>
        Effect.gen(function* () {
          const { uploadId } = yield* store.createUpload(object("permitted/big.jsonl"))
          expectTag(yield* Effect.flip(store.abortUpload(uploadOf("permitted/big.jsonl", uploadId))), "AccessDenied")
          expect(yield* Effect.promise(bucket.openUploads)).toBe(1)
          expectTag(yield* Effect.flip(store.createUpload(object("other/big.jsonl"))), "AccessDenied")
        })
      )
    )

    test("stores a stream in parts, and applies the policy to each request", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          const bytes = random(12 * MiB + 1, 3)
          const recording = recordingPolicy()
          yield* store.putStream(object("big.jsonl"), multipart(bytes), recording.policy)
          const stored = yield* Effect.promise(() => bucket.read("big.jsonl"))
          expect(stored?.equals(bytes)).toBe(true)
          expect(recording.requests()).toBe(1 + 3 + 1)
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
        })
      ))

    test("runs `completing` between the last part and the completion", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          const bytes = random(12 * MiB, 7)
          const recording = recordingPolicy()
          let requestsBefore = 0
          let visible: Buffer | undefined
          const completing = Effect.promise(async () => {
            requestsBefore = recording.requests()
            visible = await bucket.read("big.jsonl")
          })
          yield* store.putStream(object("big.jsonl"), multipart(bytes), { ...recording.policy, completing })
          expect(visible).toBeUndefined()
          expect(requestsBefore).toBe(1 + 3)
          expect(recording.requests()).toBe(1 + 3 + 1)
        })
      ))

    test("stores nothing and leaves no upload open if `completing` fails", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          const recording = recordingPolicy()
          const refused = new StateUnusable({ path: "ledger.db", detail: "disk full" })
          const error = yield* Effect.flip(
            store.putStream<StateUnusable>(object("big.jsonl"), multipart(random(6 * MiB, 8)), {
              ...recording.policy,
              completing: Effect.fail(refused)
            })
          )
          expect(error).toBe(refused)
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
        })
      ))

    test("stores nothing and leaves no upload open if the body fails", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          const failing = async function* () {
            yield* inPieces(random(6 * MiB, 4))
            throw new SourceUnreadable({ path: "big.jsonl", detail: "it shrank" })
          }
          const recording = recordingPolicy()
          const body = { ...multipart(Buffer.alloc(0)), pieces: failing }
          expectTag(
            yield* Effect.flip(store.putStream(object("big.jsonl"), body, recording.policy)),
            "SourceUnreadable"
          )
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
          expect(recording.leftOpen).toEqual([])
        })
      ))

    test("stores nothing and leaves no upload open when it is interrupted", () =>
      withBucket({}, (bucket, store) =>
        Effect.gen(function* () {
          const endless = async function* () {
            yield* inPieces(random(11 * MiB, 5))
            await new Promise(() => {})
          }
          const recording = recordingPolicy()
          const body = { ...multipart(Buffer.alloc(0)), pieces: endless }
          yield* Effect.timeoutOption(store.putStream(object("big.jsonl"), body, recording.policy), "1 second")
          expect(yield* Effect.promise(() => bucket.read("big.jsonl"))).toBeUndefined()
          expect(yield* Effect.promise(bucket.openUploads)).toBe(0)
          expect(recording.leftOpen).toEqual([])
        })
      ))

    testOfUsers("reports an upload that it is not allowed to abort", () =>
      withBucket({ restricted: true }, (bucket, store) =>
        Effect.gen(function* () {
          const failing = async function* () {
            yield* inPieces(random(6 * MiB, 6))
            throw new SourceUnreadable({ path: "big.jsonl", detail: "it shrank" })
          }
          const recording = recordingPolicy()
          const body = { ...multipart(Buffer.alloc(0)), pieces: failing }
          yield* Effect.flip(store.putStream(object("permitted/big.jsonl"), body, recording.policy))
          expect(recording.leftOpen.map(({ key }) => key)).toEqual(["permitted/big.jsonl"])
          expect(yield* Effect.promise(bucket.openUploads)).toBe(1)
        })
      )
    )

    it("has a test for each known difference", () => {
      expect([...titles]).toEqual(expect.arrayContaining(Object.keys(differences)))
    })
  })

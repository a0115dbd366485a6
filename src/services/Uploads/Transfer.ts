/** Sends a file's content to the store in one request or in parts, within the limits of the settings. */
import { Effect } from "effect"
import * as Compression from "../../domain/Compression.ts"
import { type ContentDigest, sha256Of } from "../../domain/ContentDigest.ts"
import { ConfigError, type FileError, Interrupted, type StoreError } from "../../domain/Errors.ts"
import * as ManifestDirectory from "../../domain/ManifestDirectory.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as Size from "../../domain/Size.ts"
import type { Checksum } from "../../domain/StoreTraits.ts"
import * as UploadPlan from "../../domain/UploadPlan.ts"
import { type NewObject, ObjectStore, type StoredObject } from "../ObjectStore.ts"
import * as Limiter from "../Requests/Limiter.ts"
import * as RequestPolicy from "../Requests/RequestPolicy.ts"
import * as Retry from "../Requests/Retry.ts"
import * as Timeouts from "../Requests/Timeouts.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import { pieceBytes } from "../Source/OpenFile.ts"
import type { OpenSource } from "../Source/SourceReader.ts"
import { Stop } from "../Stop.ts"
import * as Completions from "./Completions.ts"
import * as CompressedTransfer from "./CompressedTransfer.ts"
import * as MultipartTransfer from "./MultipartTransfer.ts"
import type { Sent, Terms } from "./Terms.ts"

export type Limits = Limiter.Options & MultipartTransfer.Limits & Pick<Settings, "force" | "maxRetries" | "timeout">

/** Few retries, because everything waits for the credentials. */
const maxCredentialRetries = 3

/** Few retries, because the next run tries again anyway. */
const maxAsideRetries = 2

/**
 * Every request passes through the retries, the limiter that all files and parts share, and the timeout. A body is read
 * only when `memoryBytes` has room for it.
 */
export const make = (limits: Limits) =>
  Effect.gen(function* () {
    const store = yield* ObjectStore
    const limiter = yield* Limiter.make(limits)
    const memory = yield* Effect.makeSemaphore(limits.memoryBytes)
    const requestsFor = yield* RequestPolicy.make(limiter, limits)
    const retryCredentials = yield* Retry.make(Math.min(limits.maxRetries, maxCredentialRetries))
    const retryAside = yield* Retry.make(Math.min(limits.maxRetries, maxAsideRetries))
    const multipart = yield* MultipartTransfer.make(limits, memory)
    const stop = yield* Stop
    const withFacts = ManifestDirectory.isWanted(limits)

    const untilStop = <A, E>(work: Effect.Effect<A, E>) =>
      Effect.raceFirst(work, Effect.zipRight(stop.requested, Effect.fail(new Interrupted())))

    /** Hashes a source within the memory limit. Sends nothing. */
    const digest: typeof ContentHash.ofSource = (source, range) =>
      memory.withPermits(pieceBytes)(ContentHash.ofSource(source, range))

    const send = (
      source: OpenSource,
      object: NewObject,
      terms: Terms
    ): Effect.Effect<Sent, FileError | Interrupted> => {
      const requests = requestsFor(object, terms.withdraw)
      const inParts = <A>(sent: Effect.Effect<A, FileError | Interrupted>) =>
        Completions.send(terms.record, limits, sent)
      const compressed = (format: Compression.Format) => {
        const plan = Compression.decide(source.sizeBytes, format, limits)
        if (plan._tag === "TooLarge") return Effect.fail(tooLarge(source.sizeBytes, plan.neededMemoryBytes))
        const sent = CompressedTransfer.send(source, format, plan, { ...terms, withFacts }, requests, untilStop)
        // a second upload may replace a wrong object, but only once
        const correct = Effect.retry(memory.withPermits(plan.memoryBytes)(sent), {
          times: 1,
          while: (error) => MultipartTransfer.isWholeMismatch(error) && error.retryable
        })
        return plan._tag === "Whole" ? correct : inParts(correct)
      }
      const uncompressed = () =>
        UploadPlan.UploadPlan.$match(UploadPlan.decide(source.sizeBytes, limits), {
          Single: ({ memoryBytes }) =>
            memory.withPermits(memoryBytes)(
              Effect.gen(function* () {
                const body = yield* source.bytes
                const content = yield* ContentHash.ofBody(source.path, body, terms.former, withFacts)
                yield* terms.announce(content)
                return { content, objectBytes: body.length, stored: yield* requests.put(body, sha256Of(content)) }
              })
            ),
          Multipart: (plan) =>
            Effect.map(
              inParts(
                multipart.send({
                  source,
                  object,
                  plan,
                  former: terms.former,
                  record: terms.record,
                  request: requests.request,
                  completing: (content) => requests.completing(terms.announce(content))
                })
              ),
              (sent) => ({ ...sent, objectBytes: sent.content.sizeBytes })
            ),
          TooLarge: ({ neededMemoryBytes }) => Effect.fail(tooLarge(source.sizeBytes, neededMemoryBytes))
        })
      return requests.withdrawIfUnsent(terms.compression === "none" ? uncompressed() : compressed(terms.compression))
    }

    return {
      /** Resolves credentials. Retries, because a credential source may be down for a moment. */
      ready: (checksum: Checksum) =>
        retryCredentials(Timeouts.forCredentials(store.ready(checksum), limits.timeout), (error) =>
          RequestPolicy.logRetry("credentials", error)
        ),
      traits: store.traits,
      send,
      /** Creates a small object. */
      create: (object: NewObject, body: Uint8Array) => requestsFor(object, Effect.void).put(body),
      /**
       * Creates an object that is not made from a file, such as a manifest. Bypasses the limiter, so that a failure
       * does not slow down other requests, and makes few retries.
       */
      createAside: (object: NewObject, body: Uint8Array) =>
        memory.withPermits(Math.min(body.length, limits.memoryBytes))(
          retryAside(Timeouts.forBody(store.put(object, body), limits.timeout, body.length), (error) =>
            RequestPolicy.logRetry(object.key, error)
          )
        ),
      /** Runs work while it reserves memory for this many bytes of bodies. */
      holdMemory: (bytes: number) => memory.withPermits(Math.min(bytes, limits.memoryBytes)),
      /** Makes the first attempt to store a body. A `Callback`. */
      attemptOnce: (object: NewObject, body: Uint8Array, content: ContentDigest) =>
        limiter.limit(store.put(object, body, sha256Of(content)), body.length),
      /** Retries after a failed first attempt. */
      retry: (
        object: NewObject,
        body: Uint8Array,
        content: ContentDigest,
        failure: StoreError | Interrupted,
        withdraw: Terms["withdraw"]
      ): Effect.Effect<StoredObject, FileError | Interrupted> => {
        const { put, withdrawIfUnsent } = requestsFor(object, withdraw)
        return withdrawIfUnsent(put(body, sha256Of(content), failure))
      },
      digest
    }
  })

export type Transfer = Effect.Effect.Success<ReturnType<typeof make>>

export const tooLarge = (sizeBytes: number, neededMemoryBytes: number) =>
  new ConfigError({
    detail: `a file of ${Size.format(sizeBytes)} needs parts that do not fit into --memory`,
    advice: `set --memory to at least ${Math.ceil(neededMemoryBytes / 1024 ** 2)}MiB`
  })

/**
 * Sends a file compressed. The size of the object is known only once the compressor has finished.
 *
 * Uses async generators instead of `Stream`, for the reason in `Compressor.ts`.
 */
import { Effect } from "effect"
import type * as Compression from "../../domain/Compression.ts"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { Interrupted, SourceUnreadable, StateUnusable, StoreError } from "../../domain/Errors.ts"
import type { Requests } from "../Requests/RequestPolicy.ts"
import * as Compressor from "../Source/Compressor.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import { unreadable } from "../Source/OpenFile.ts"
import type { OpenSource } from "../Source/SourceReader.ts"
import type { Sent, Terms } from "./Terms.ts"

export type Plan = Exclude<Compression.Plan, { _tag: "TooLarge" }>

/**
 * Sends one request if the compressed object fits into a part, otherwise a multipart upload. A retry sends the same
 * bytes, which stay in memory until they are stored. `untilStop` fails with `Interrupted` once a stop is requested.
 */
export const send = (
  source: OpenSource,
  format: Compression.Format,
  plan: Plan,
  { announce, former, withFacts }: Pick<Terms, "announce" | "former"> & { readonly withFacts: boolean },
  { put, putStream }: Pick<Requests, "put" | "putStream">,
  untilStop: <A, E>(work: Effect.Effect<A, E>) => Effect.Effect<A, E | Interrupted>
): Effect.Effect<Sent, StoreError | SourceUnreadable | StateUnusable | Interrupted> =>
  Effect.gen(function* () {
    let content: ContentDigest | undefined
    let objectBytes = 0
    const plain = ContentHash.through(source.pieces(), ContentHash.make(source.path, former, withFacts), (whole) => {
      content = whole
    })
    const counted = async function* () {
      for await (const piece of Compressor.pieces(plain, format, source.sizeBytes)) {
        objectBytes += piece.length
        yield piece
      }
    }
    const pieces = yield* Effect.acquireRelease(Effect.sync(counted), (generator) =>
      Effect.promise(() => generator.return(undefined))
    )
    const firstPieces = (maxBytes: number) =>
      Effect.tryPromise({ try: () => takeUntil(pieces, maxBytes), catch: unreadable(source.path) })
    const { done, first } = yield* plan._tag === "Whole"
      ? firstPieces(Infinity)
      : untilStop(firstPieces(plan.partSizeBytes))
    // runs after the last piece, so the digest of the content is known
    const completing = Effect.suspend(() => announce(content!))
    const stored = yield* done || plan._tag === "Whole"
      ? Effect.zipRight(completing, put(first.length === 1 ? first[0]! : Buffer.concat(first)))
      : untilStop(putStream({ ...plan, pieces: () => drain(first, pieces) }, completing))
    return { content: content!, objectBytes, stored }
  }).pipe(Effect.scoped)

/** Takes pieces until there are no more, or until they exceed `maxBytes`. */
const takeUntil = async (pieces: AsyncGenerator<Uint8Array, void>, maxBytes: number) => {
  const first: Array<Uint8Array> = []
  for (let length = 0; length <= maxBytes;) {
    const { done, value } = await pieces.next()
    if (done === true) return { done, first }
    first.push(value)
    length += value.length
  }
  return { done: false, first }
}

/** Yields `first`, then `rest`. Removes each piece from `first`, so that its memory is freed. */
async function* drain(first: Array<Uint8Array>, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let piece = first.shift(); piece !== undefined; piece = first.shift()) yield piece
  yield* rest
}

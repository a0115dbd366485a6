/** Sends what a file becomes when it is compressed: how large that is shows only when it has ended. */
import { Effect } from "effect"
import * as Compression from "../../domain/Compression.ts"
import type { ContentDigest } from "../../domain/ContentDigest.ts"
import type { Interrupted, SourceUnreadable, StateUnusable, StoreError } from "../../domain/Errors.ts"
import * as Compressor from "../Source/Compressor.ts"
import * as ContentHash from "../Source/ContentHash.ts"
import type { StreamBody, StoredObject } from "../ObjectStore.ts"
import type { Sent, Terms } from "./Transfer.ts"
import { unreadable } from "../Source/OpenFile.ts"
import type { OpenSource } from "../Source/SourceReader.ts"

/** The ways to the store, with all that surrounds a request. */
export interface Requests {
  readonly put: (body: Uint8Array) => Effect.Effect<StoredObject, StoreError | Interrupted>
  /** `completing`: before the request that makes an object of the parts. */
  readonly putStream: (
    body: StreamBody,
    completing: Effect.Effect<void, StateUnusable>
  ) => Effect.Effect<StoredObject, StoreError | SourceUnreadable | StateUnusable | Interrupted>
  /** Ends with `Interrupted` when the run is to stop. */
  readonly untilStop: <A, E>(work: Effect.Effect<A, E>) => Effect.Effect<A, E | Interrupted>
}

export type Plan = Exclude<Compression.Plan, { _tag: "TooLarge" }>

/**
 * With one request if it turns out to fit into one, else as a multipart upload. The digest is that of the file's own
 * bytes. What may be sent again is held as it was sent: another attempt sends the same bytes.
 */
export const send = (
  source: OpenSource,
  format: Compression.Format,
  plan: Plan,
  { announced, former }: Pick<Terms, "announced" | "former">,
  { put, putStream, untilStop }: Requests
): Effect.Effect<Sent, StoreError | SourceUnreadable | StateUnusable | Interrupted> =>
  Effect.gen(function* () {
    let content: ContentDigest | undefined
    let objectBytes = 0
    const seen = ContentHash.through(source.pieces(), ContentHash.make(source.path, former), (all) => {
      content = all
    })
    const counted = async function* (pieces: AsyncIterable<Uint8Array>) {
      for await (const piece of pieces) {
        objectBytes += piece.length
        yield piece
      }
    }
    const pieces = yield* Effect.acquireRelease(
      Effect.sync(() => counted(Compressor.pieces(seen, format, source.sizeBytes))),
      (pieces) => Effect.promise(() => pieces.return(undefined))
    )
    const begun = (mostBytes: number) =>
      Effect.tryPromise({ try: () => beginning(pieces, mostBytes), catch: unreadable(source.path) })
    const { ended, first } = yield* plan._tag === "Whole" ? begun(Infinity) : untilStop(begun(plan.partSizeBytes))
    // all pieces have passed by then
    const completing = Effect.suspend(() => announced(content!))
    const stored = yield* ended || plan._tag === "Whole"
      ? Effect.zipRight(completing, put(first.length === 1 ? first[0]! : Buffer.concat(first)))
      : untilStop(putStream({ ...plan, pieces: () => all(first, pieces) }, completing))
    return { content: content!, objectBytes, stored }
  }).pipe(Effect.scoped)

/** Takes pieces until they end, or are more than one part. */
const beginning = async (pieces: AsyncGenerator<Uint8Array, void>, partBytes: number) => {
  const first: Array<Uint8Array> = []
  for (let length = 0; length <= partBytes;) {
    const { done, value } = await pieces.next()
    if (done === true) return { ended: true, first }
    first.push(value)
    length += value.length
  }
  return { ended: false, first }
}

/** Forgets what it has handed on. */
async function* all(first: Array<Uint8Array>, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let piece = first.shift(); piece !== undefined; piece = first.shift()) yield piece
  yield* rest
}

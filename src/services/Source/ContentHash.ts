/** Hashes a stream, and checks that it starts with the previous content. */
import { Effect } from "effect"
import { createHash, type Hash, hash } from "node:crypto"
import { blockBytes, type ContentDigest, headBytes, isOfOnePiece } from "../../domain/ContentDigest.ts"
import type { ContentFacts } from "../../domain/ContentFacts.ts"
import { SourceUnreadable } from "../../domain/Errors.ts"
import * as Snapshot from "../../domain/Snapshot.ts"
import * as LineScanner from "./LineScanner.ts"
import type { OpenSource } from "./SourceReader.ts"

const replaced = "REPLACED"
/** Whether the error means that the content does not begin with the previous content. */
export const isReplaced = (error: { readonly _tag: string; readonly code?: unknown }): error is SourceUnreadable =>
  error._tag === "SourceUnreadable" && error.code === replaced

export interface ContentHash {
  /** Throws an error for which `isReplaced` is true. */
  readonly update: (bytes: Uint8Array) => void
  /** SHA-256 of the last block so far, in hexadecimal. */
  readonly lastBlock: () => string
  /** Digest of all bytes so far. Throws an error for which `isReplaced` is true. */
  readonly content: () => ContentDigest
}

export const replacedFailure = (path: string, former: ContentDigest): SourceUnreadable =>
  new SourceUnreadable({
    path,
    detail: `its first ${former.sizeBytes} bytes differ from what was stored before`,
    code: replaced,
    advice: "something truncated or recreated it (logrotate's copytruncate?); --on-replace decides what happens then"
  })

/**
 * `former`: the digest of the bytes that the content must begin with. `path`: used in error messages, and shows whether
 * the content consists of lines. `withFacts`: also gather the facts for a manifest.
 */
export const make = (path: string, former: ContentDigest | undefined, withFacts = false): ContentHash => {
  const whole = blockwise(withFacts)
  const lines = withFacts && Snapshot.hasLines(path) ? LineScanner.facts() : undefined
  const formerHash = former === undefined ? undefined : isOfOnePiece(former) ? onePiece() : whole
  const head = createHash("sha256")
  let sizeBytes = 0

  const take = (bytes: Uint8Array) => {
    whole.update(bytes)
    lines?.update(bytes)
    if (former !== undefined && formerHash !== whole && sizeBytes < former.sizeBytes) formerHash!.update(bytes)
    sizeBytes += bytes.length
  }
  return {
    update: (bytes) => {
      if (sizeBytes < headBytes) head.update(bytes.subarray(0, headBytes - sizeBytes))
      const left = former === undefined ? 0 : former.sizeBytes - sizeBytes
      if (former === undefined || left <= 0 || left > bytes.length) return take(bytes)
      take(bytes.subarray(0, left))
      if (formerHash!.digest() !== former.digest) throw replacedFailure(path, former)
      if (left < bytes.length) take(bytes.subarray(left))
    },
    lastBlock: whole.lastBlock,
    content: () => {
      if (former !== undefined && sizeBytes < former.sizeBytes) throw replacedFailure(path, former)
      const content = { sizeBytes, digest: whole.digest(), head: head.digest("hex") }
      return withFacts ? { ...content, facts: { sha256: whole.sha256(), lines: lines?.facts() } } : content
    }
  }
}

/** Digest of bytes in memory, at most one block. `factsFor`: the path, if the facts for a manifest are wanted. */
export const of = (bytes: Uint8Array, factsFor?: string): ContentDigest => {
  const digest = hash("sha256", bytes, "hex")
  const head = bytes.length <= headBytes ? digest : hash("sha256", bytes.subarray(0, headBytes), "hex")
  const content = { sizeBytes: bytes.length, digest, head }
  return factsFor === undefined ? content : { ...content, facts: factsOf(factsFor, bytes, digest) }
}

const factsOf = (path: string, bytes: Uint8Array, sha256: string): ContentFacts => {
  if (!Snapshot.hasLines(path)) return { sha256, lines: undefined }
  const lines = LineScanner.facts()
  lines.update(bytes)
  return { sha256, lines: lines.facts() }
}

const onePiece = () => {
  const whole = createHash("sha256")
  return { update: (bytes: Uint8Array) => void whole.update(bytes), digest: () => hex(whole) }
}

/** `keepWhole`: also hash the whole content. Everything after the first block is then hashed twice. */
const blockwise = (keepWhole: boolean) => {
  const blocks = createHash("sha256")
  let block = createHash("sha256")
  let whole: Hash | undefined
  /** Number of complete blocks, and of bytes in the current block. */
  let full = 0
  let filled = 0
  let last = ""

  const endBlock = () => {
    if (keepWhole) whole ??= block.copy()
    const digest = block.digest()
    last = digest.toString("hex")
    blocks.update(digest)
    block = createHash("sha256")
    full++
    filled = 0
  }
  return {
    update: (bytes: Uint8Array) => {
      let rest = bytes
      while (rest.length > 0) {
        const next = rest.length > blockBytes - filled ? rest.subarray(0, blockBytes - filled) : rest
        block.update(next)
        whole?.update(next)
        filled += next.length
        rest = rest.subarray(next.length)
        if (filled === blockBytes) endBlock()
      }
    },
    /** SHA-256 of the whole content, with `keepWhole`. */
    sha256: () => hex(whole ?? block),
    lastBlock: () => (filled === 0 && full > 0 ? last : hex(block)),
    digest: () => {
      if (full === 0) return hex(block)
      if (full === 1 && filled === 0) return last
      const all = filled === 0 ? blocks : blocks.copy().update(block.copy().digest())
      return `${hex(all)}-${full + (filled === 0 ? 0 : 1)}`
    }
  }
}

/** Digest of the bytes so far; more may follow. */
const hex = (unfinished: Hash) => unfinished.copy().digest("hex")

/** Yields the pieces unchanged. Calls `done` after the last piece. */
export async function* through(
  pieces: AsyncIterable<Uint8Array>,
  contentHash: ContentHash,
  done: (content: ContentDigest) => void
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    contentHash.update(piece)
    yield piece
  }
  done(contentHash.content())
}

/** Digest of a file's whole content, or of its first `firstBytes`. Fails if they do not begin with `former`. */
export const ofSource = (
  source: OpenSource,
  { firstBytes, former }: { readonly firstBytes?: number; readonly former?: ContentDigest }
): Effect.Effect<ContentDigest, SourceUnreadable> =>
  Effect.tryPromise({
    try: async () => {
      const contentHash = make(source.path, former)
      for await (const piece of source.pieces(firstBytes)) contentHash.update(piece)
      return contentHash.content()
    },
    catch: sourceUnreadable
  })

/** Digest of a body in memory. */
export const ofBody = (path: string, body: Uint8Array, former: ContentDigest | undefined, withFacts: boolean) =>
  attempt(() => {
    const contentHash = make(path, former, withFacts)
    contentHash.update(body)
    return contentHash.content()
  })

/** Runs a step of a `ContentHash`, and turns an exception into a failure. */
export const attempt = <A>(step: () => A): Effect.Effect<A, SourceUnreadable> =>
  Effect.try({ try: step, catch: sourceUnreadable })

const sourceUnreadable = (cause: unknown) => {
  if (cause instanceof SourceUnreadable) return cause
  throw cause
}

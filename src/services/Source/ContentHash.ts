/** Takes the digest of a content as it passes, and sees on the way whether it begins with a former one. */
import { createHash, type Hash, hash } from "node:crypto"
import { blockBytes, type ContentDigest, headBytes, isOfOnePiece } from "../../domain/ContentDigest.ts"
import { SourceUnreadable } from "../../domain/Errors.ts"

const replaced = "REPLACED"
/** The content does not begin with what it should. */
export const isReplaced = (error: { readonly _tag: string; readonly code?: unknown }): error is SourceUnreadable =>
  error._tag === "SourceUnreadable" && error.code === replaced

export interface ContentHash {
  /** Throws what `isReplaced` knows. */
  readonly update: (bytes: Uint8Array) => void
  /** SHA-256 of the last block, as far as it was seen, in hexadecimal. */
  readonly lastBlock: () => string
  /** Of all that was seen. Throws what `isReplaced` knows, too. */
  readonly content: () => ContentDigest
}

export const replacedFailure = (path: string, former: ContentDigest): SourceUnreadable =>
  new SourceUnreadable({
    path,
    detail: `its first ${former.sizeBytes} bytes are not those that were stored before`,
    code: replaced,
    advice: "something truncated or recreated it (logrotate's copytruncate?); --on-replace says what to do then"
  })

/** `former`: what the content has to begin with. `path` is for the error. */
export const make = (path: string, former: ContentDigest | undefined): ContentHash => {
  const whole = blockwise()
  const formerly = former === undefined ? undefined : isOfOnePiece(former) ? onePiece() : whole
  const head = createHash("sha256")
  let sizeBytes = 0

  const take = (bytes: Uint8Array) => {
    whole.update(bytes)
    if (former !== undefined && formerly !== whole && sizeBytes < former.sizeBytes) formerly!.update(bytes)
    sizeBytes += bytes.length
  }
  return {
    update: (bytes) => {
      if (sizeBytes < headBytes) head.update(bytes.subarray(0, headBytes - sizeBytes))
      const left = former === undefined ? 0 : former.sizeBytes - sizeBytes
      if (former === undefined || left <= 0 || left > bytes.length) return take(bytes)
      take(bytes.subarray(0, left))
      if (formerly!.digest() !== former.digest) throw replacedFailure(path, former)
      if (left < bytes.length) take(bytes.subarray(left))
    },
    lastBlock: whole.lastBlock,
    content: () => {
      if (former !== undefined && sizeBytes < former.sizeBytes) throw replacedFailure(path, former)
      return { sizeBytes, digest: whole.digest(), head: head.digest("hex") }
    }
  }
}

/** Of a content that is in memory, and no larger than a block. */
export const of = (bytes: Uint8Array): ContentDigest => {
  const digest = hash("sha256", bytes, "hex")
  const head = bytes.length <= headBytes ? digest : hash("sha256", bytes.subarray(0, headBytes), "hex")
  return { sizeBytes: bytes.length, digest, head }
}

const onePiece = () => {
  const hash = createHash("sha256")
  return { update: (bytes: Uint8Array) => void hash.update(bytes), digest: () => hash.copy().digest("hex") }
}

const blockwise = () => {
  const blocks = createHash("sha256")
  let block = createHash("sha256")
  /** Blocks that are full, and bytes of the one that is not. */
  let full = 0
  let filled = 0
  let last = ""

  const end = () => {
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
        filled += next.length
        rest = rest.subarray(next.length)
        if (filled === blockBytes) end()
      }
    },
    lastBlock: () => (filled === 0 && full > 0 ? last : hex(block)),
    digest: () => {
      if (full === 0) return hex(block)
      if (full === 1 && filled === 0) return last
      const all = filled === 0 ? blocks : blocks.copy().update(block.copy().digest())
      return `${hex(all)}-${full + (filled === 0 ? 0 : 1)}`
    }
  }
}

/** Of what a hash has seen so far; it may see more. */
const hex = (hash: Hash) => hash.copy().digest("hex")

/** Hands on what passes, and its content when all has. */
export async function* through(
  pieces: AsyncIterable<Uint8Array>,
  digest: ContentHash,
  done: (content: ContentDigest) => void
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    digest.update(piece)
    yield piece
  }
  done(digest.content())
}

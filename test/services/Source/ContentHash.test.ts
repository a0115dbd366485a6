import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { createHash } from "node:crypto"
import { blockBytes, headBytes, isOfOnePiece } from "../../../src/domain/ContentDigest.ts"
import * as ContentHash from "../../../src/services/Source/ContentHash.ts"

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const contentOf = (bytes: Buffer) => ({
  sizeBytes: bytes.length,
  digest: sha256(bytes),
  head: sha256(bytes.subarray(0, headBytes))
})

/** Hashes the bytes in pieces that end at these positions. */
const inPieces = (digest: ContentHash.ContentHash, bytes: Buffer, cuts: ReadonlyArray<number>) => {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  let at = 0
  for (const end of ends) {
    digest.update(bytes.subarray(at, end))
    at = end
  }
  return digest.content()
}

const MiB = 1024 ** 2
const large = Buffer.alloc(2 * blockBytes + 5 * MiB)
for (let at = 0; at < large.length; at += 4) large.writeUInt32LE(Math.imul(at + 1, 2654435761) >>> 0, at)

/** Computes a block digest from its definition: the digest of the blocks' digests, and their number. */
const blockDigest = (bytes: Buffer) => {
  const count = Math.ceil(bytes.length / blockBytes)
  if (count < 2) return sha256(bytes)
  const blocks = Array.from({ length: count }, (_, at) => bytes.subarray(at * blockBytes, (at + 1) * blockBytes))
  return `${sha256(Buffer.concat(blocks.map((block) => Buffer.from(sha256(block), "hex"))))}-${count}`
}
const lengths = [1, blockBytes - 1, blockBytes, blockBytes + 1, 2 * blockBytes, 2 * blockBytes + 1, large.length]

const contents = fc.uint8Array({ minLength: 0, maxLength: 3 * headBytes }).map((array) => Buffer.from(array))
const cutLists = fc.array(fc.nat(), { maxLength: 5 })

describe("ContentHash", () => {
  it("hashes the content and its first 4 KiB, and verifies the previous content, for any division into pieces", () => {
    fc.assert(
      fc.property(contents, fc.nat(), cutLists, (all, length, at) => {
        const former = contentOf(all.subarray(0, length % (all.length + 1)))
        expect(inPieces(ContentHash.make("/a", former), all, at)).toEqual(contentOf(all))
        expect(inPieces(ContentHash.make("/a", undefined), all, at)).toEqual(contentOf(all))
      })
    )
  })

  it.each(lengths)("hashes content above 8 MiB in blocks, for any division into pieces: %d bytes", (length) => {
    const all = large.subarray(0, length)
    for (const cuts of [[], [length - 1], [blockBytes], [7 * MiB, 9 * MiB, 9 * MiB + 1]]) {
      const digest = ContentHash.make("/a", undefined)
      expect(inPieces(digest, all, cuts).digest).toBe(blockDigest(all))
      expect(digest.lastBlock()).toBe(sha256(all.subarray(Math.floor((length - 1) / blockBytes) * blockBytes)))
    }
  })

  it.each(lengths)("verifies previous content of %d bytes, even by the digest in an older ledger", (length) => {
    const head = sha256(large.subarray(0, headBytes))
    const beginning = large.subarray(0, length)
    const changed = Buffer.from(large)
    changed[length - 1]! ^= 1
    for (const digest of [blockDigest(beginning), sha256(beginning)]) {
      const former = { sizeBytes: length, digest, head }
      expect(isOfOnePiece(former)).toBe(length > blockBytes && digest === sha256(beginning))
      for (const cuts of [[], [length], [3 * MiB, 11 * MiB]]) {
        expect(inPieces(ContentHash.make("/a", former), large, cuts).digest).toBe(blockDigest(large))
        expect(() => inPieces(ContentHash.make("/a", former), changed, cuts)).toThrow("differ from what was stored")
      }
      expect(() => inPieces(ContentHash.make("/a", former), large.subarray(0, length - 1), [])).toThrow("differ from")
    }
  })

  it("throws if the content is shorter than the previous content or does not start with it", () => {
    fc.assert(
      fc.property(contents, contents, cutLists, (former, all, at) => {
        fc.pre(!all.subarray(0, former.length).equals(former))
        let thrown: unknown
        try {
          inPieces(ContentHash.make("/a", contentOf(former)), all, at)
        } catch (error) {
          thrown = error
        }
        expect(ContentHash.isReplaced(thrown as { _tag: string })).toBe(true)
      })
    )
  })
})

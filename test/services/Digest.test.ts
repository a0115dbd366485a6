import { describe, expect, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { createHash } from "node:crypto"
import { headBytes } from "../../src/domain/Content.ts"
import * as Digest from "../../src/services/Digest.ts"

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

const contentOf = (bytes: Buffer) => ({
  sizeBytes: bytes.length,
  digest: sha256(bytes),
  head: sha256(bytes.subarray(0, headBytes))
})

/** Passes the bytes on in pieces that end at these places. */
const inPieces = (digest: Digest.Digest, bytes: Buffer, cuts: ReadonlyArray<number>) => {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  let at = 0
  for (const end of ends) {
    digest.update(bytes.subarray(at, end))
    at = end
  }
  return digest.content()
}

const bytes = fc.uint8Array({ minLength: 0, maxLength: 3 * headBytes }).map((array) => Buffer.from(array))
const cuts = fc.array(fc.nat(), { maxLength: 5 })

describe("Digest", () => {
  it("is that of the content and its head, whatever the pieces, and finds what the content begins with", () => {
    fc.assert(
      fc.property(bytes, fc.nat(), cuts, (all, length, at) => {
        const former = contentOf(all.subarray(0, length % (all.length + 1)))
        expect(inPieces(Digest.make("/a", former), all, at)).toEqual(contentOf(all))
        expect(inPieces(Digest.make("/a", undefined), all, at)).toEqual(contentOf(all))
      })
    )
  })

  it("fails where the content does not begin with what it should, or is shorter", () => {
    fc.assert(
      fc.property(bytes, bytes, cuts, (former, all, at) => {
        fc.pre(!all.subarray(0, former.length).equals(former))
        let thrown: unknown
        try {
          inPieces(Digest.make("/a", contentOf(former)), all, at)
        } catch (error) {
          thrown = error
        }
        expect(Digest.isReplaced(thrown as { _tag: string })).toBe(true)
      })
    )
  })
})

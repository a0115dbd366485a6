import { describe, expect, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import * as zlib from "node:zlib"
import type { Format } from "../../../src/domain/Compression.ts"
import { SourceUnreadable } from "../../../src/domain/Errors.ts"
import * as Compressor from "../../../src/services/Source/Compressor.ts"

const MiB = 1024 ** 2

const formats = ["zstd", "gzip"] as const
const whole = { zstd: zlib.zstdDecompressSync, gzip: zlib.gunzipSync }

/** In memory, so that nothing but the compressor can have the program wait. */
async function* inPieces(bytes: Uint8Array, pieceBytes = 256 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const compressed = async (bytes: Uint8Array, format: Format) =>
  Buffer.concat(await Array.fromAsync(Compressor.pieces(inPieces(bytes), format, bytes.length)))

describe.each(formats)("compressing with %s", (format) => {
  it.each([
    ["nothing", Buffer.alloc(0)],
    ["a line", Buffer.from('{"a":1}\n')],
    ["a piece", Buffer.alloc(256 * 1024, "line\n")],
    ["a piece and a byte", Buffer.alloc(256 * 1024 + 1, "line\n")],
    ["what cannot be smaller", randomBytes(3 * MiB)],
    ["20 MiB", Buffer.alloc(20 * MiB, '{"a":1,"b":[2,3]}\n')]
  ])("loses nothing: %s", async (_, bytes) => {
    expect(whole[format](await compressed(bytes, format)).equals(bytes)).toBe(true)
  })

  it("comes to the same bytes each time", async () => {
    const bytes = randomBytes(MiB)
    expect((await compressed(bytes, format)).equals(await compressed(bytes, format))).toBe(true)
  })

  it("throws what was thrown while its input was read, and only that", async () => {
    const error = new SourceUnreadable({ path: "/a", detail: "gone" })
    const broken = async function* () {
      yield Buffer.alloc(300_000)
      throw error
    }
    await expect(Array.fromAsync(Compressor.pieces(broken(), format, 400_000))).rejects.toBe(error)
  })

  it("has left its input when it is left itself, whether something came out or not", async () => {
    for (const taken of [0, 1]) {
      let left = false
      const endless = async function* () {
        try {
          for (;;) yield randomBytes(100_000)
        } finally {
          left = true
        }
      }
      const pieces = Compressor.pieces(endless(), format, 2 ** 40)
      for (let at = 0; at < taken; at++) await pieces.next()
      await pieces.return()
      expect(left).toBe(taken > 0)
    }
  })

  it.each([
    ["of many", 8 * MiB, 32],
    ["if it is the only one", 5000, 1]
  ])("lets everything else go on with each piece: %s", async (_, size, least) => {
    const bytes = Buffer.alloc(size, '{"a":1,"b":[2,3]}\n')
    let turns = 0
    let turning = true
    const turn = () => {
      turns++
      if (turning) setImmediate(turn)
    }
    setImmediate(turn)
    await compressed(bytes, format)
    turning = false
    // were it done at once, the loop would not come round before the end
    expect(turns).toBeGreaterThanOrEqual(least)
  })

  it("reads no further ahead than a few pieces of what is taken", async () => {
    let read = 0
    const counted = async function* () {
      for (;;) {
        read++
        yield randomBytes(256 * 1024)
      }
    }
    const pieces = Compressor.pieces(counted(), format, 2 ** 40)
    for (let taken = 0; taken < 10 * MiB;) {
      taken += (await pieces.next()).value?.length ?? 0
      await new Promise((resolve) => setImmediate(resolve))
      expect(read * 256 * 1024).toBeLessThanOrEqual(taken + MiB)
    }
    await pieces.return()
  })
})

describe("a zstd frame", () => {
  it.each([100_000, 500_000])("says how large its content is, and has a checksum: %d bytes", async (size) => {
    const frame = await compressed(Buffer.alloc(size, "line\n"), "zstd")
    expect(frame.readUInt32LE(0)).toBe(0xfd2fb528)
    const descriptor = frame[4]!
    // RFC 8878, section 3.1.1.1: a size of four bytes behind the descriptor, in a single segment
    expect([descriptor >> 6, descriptor & 0x20, descriptor & 0x04]).toEqual([2, 0x20, 0x04])
    expect(frame.readUInt32LE(5)).toBe(size)
    frame[frame.length - 1]! ^= 1
    expect(() => zlib.zstdDecompressSync(frame)).toThrow(/checksum/i)
  })
})

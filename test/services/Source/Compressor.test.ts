import { describe, expect, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import * as zlib from "node:zlib"
import type { Format } from "../../../src/domain/Compression.ts"
import { SourceUnreadable } from "../../../src/domain/Errors.ts"
import * as Compressor from "../../../src/services/Source/Compressor.ts"

const MiB = 1024 ** 2

const formats = ["zstd", "gzip"] as const
const whole = { zstd: zlib.zstdDecompressSync, gzip: zlib.gunzipSync }

/** Yields bytes from memory, so that the program waits only for the compressor. */
async function* inPieces(bytes: Uint8Array, pieceBytes = 256 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

const compressed = async (bytes: Uint8Array, format: Format) =>
  Buffer.concat(await Array.fromAsync(Compressor.pieces(inPieces(bytes), format, bytes.length)))

describe.each(formats)("compressing with %s", (format) => {
  it.each([
    ["no bytes", Buffer.alloc(0)],
    ["a line", Buffer.from('{"a":1}\n')],
    ["a piece", Buffer.alloc(256 * 1024, "line\n")],
    ["a piece and a byte", Buffer.alloc(256 * 1024 + 1, "line\n")],
    ["incompressible bytes", randomBytes(3 * MiB)],
    ["20 MiB", Buffer.alloc(20 * MiB, '{"a":1,"b":[2,3]}\n')]
  ])("preserves the content: %s", async (_, bytes) => {
    expect(whole[format](await compressed(bytes, format)).equals(bytes)).toBe(true)
  })

  it("is deterministic", async () => {
    const bytes = randomBytes(MiB)
    expect((await compressed(bytes, format)).equals(await compressed(bytes, format))).toBe(true)
  })

  it("throws the error of its input", async () => {
    const error = new SourceUnreadable({ path: "/a", detail: "gone" })
    const broken = async function* () {
      yield Buffer.alloc(300_000)
      throw error
    }
    await expect(Array.fromAsync(Compressor.pieces(broken(), format, 400_000))).rejects.toBe(error)
  })

  it("releases its input when its consumer leaves, before or after the first piece", async () => {
    for (const taken of [0, 1]) {
      let released = false
      const endless = async function* () {
        try {
          for (;;) yield randomBytes(100_000)
        } finally {
          released = true
        }
      }
      const pieces = Compressor.pieces(endless(), format, 2 ** 40)
      for (let at = 0; at < taken; at++) await pieces.next()
      await pieces.return()
      expect(released).toBe(taken > 0)
    }
  })

  it.each([
    ["many pieces", 8 * MiB, 32],
    ["a single piece", 5000, 1]
  ])("lets the event loop run other work: %s", async (_, size, least) => {
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
    // with a synchronous compressor, the event loop would not run before the end
    expect(turns).toBeGreaterThanOrEqual(least)
  })

  it("reads at most a few pieces ahead of its consumer", async () => {
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
  it.each([100_000, 500_000])("has the content size and a checksum: %d bytes", async (size) => {
    const frame = await compressed(Buffer.alloc(size, "line\n"), "zstd")
    expect(frame.readUInt32LE(0)).toBe(0xfd2fb528)
    const descriptor = frame[4]!
    // RFC 8878, section 3.1.1.1: a single segment, with a size of four bytes after the descriptor
    expect([descriptor >> 6, descriptor & 0x20, descriptor & 0x04]).toEqual([2, 0x20, 0x04])
    expect(frame.readUInt32LE(5)).toBe(size)
    frame[frame.length - 1]! ^= 1
    expect(() => zlib.zstdDecompressSync(frame)).toThrow(/checksum/i)
  })
})

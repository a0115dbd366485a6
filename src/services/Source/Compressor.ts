/** Compresses what passes. The work is done in the thread pool, so that everything else goes on meanwhile. */
import { pipeline } from "node:stream/promises"
import type { Transform } from "node:stream"
import { promisify } from "node:util"
import * as zlib from "node:zlib"
import * as Compression from "../../domain/Compression.ts"
import { pieceBytes } from "./OpenFile.ts"

/** Bytes that come out at once: each costs a round through the thread pool, and what is smaller takes no more room. */
const outBytes = (sizeBytes: number) => Math.max(1024, Math.min(128 * 1024, Compression.maxCompressedBytes(sizeBytes)))

/** At the levels that the formats' own programs have as their defaults. */
const options = {
  gzip: (sizeBytes: number) => ({ level: 6, chunkSize: outBytes(sizeBytes) }),
  zstd: (sizeBytes: number) => ({
    chunkSize: outBytes(sizeBytes),
    // the frame says it, and no table is larger than it need be: for a small content that is most of the work
    pledgedSrcSize: sizeBytes,
    params: {
      [zlib.constants.ZSTD_c_compressionLevel]: 3,
      [zlib.constants.ZSTD_c_checksumFlag]: 1
    }
  })
}

const compressors: Readonly<Record<Compression.Format, (sizeBytes: number) => Transform>> = {
  gzip: (sizeBytes) => zlib.createGzip(options.gzip(sizeBytes)),
  zstd: (sizeBytes) => zlib.createZstdCompress(options.zstd(sizeBytes))
}

const atOnce: Readonly<Record<Compression.Format, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  gzip: (bytes) => promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)(bytes, options.gzip(bytes.length)),
  zstd: (bytes) => promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)(bytes, options.zstd(bytes.length))
}

/**
 * One gzip member, or one zstd frame with a checksum. `sizeBytes` is the size of all that passes. Throws what `plain`
 * throws. When it ends, or is left, the compressor's memory is free again, and nothing of `plain` is read any more.
 */
export async function* pieces(
  plain: AsyncIterable<Uint8Array>,
  format: Compression.Format,
  sizeBytes: number
): AsyncGenerator<Uint8Array, void, void> {
  // a stream costs more than it takes to compress a small file
  if (sizeBytes <= pieceBytes) return yield await atOnce[format](Buffer.concat(await Array.fromAsync(plain)))
  const compressor = compressors[format](sizeBytes)
  const fed = pipeline(plain, compressor)
  // who takes what comes out is told
  fed.catch(() => {})
  try {
    yield* compressor as AsyncIterable<Uint8Array>
  } finally {
    compressor.destroy()
    await fed.catch(() => {})
  }
}

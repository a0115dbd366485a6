/** Reads an object once, and computes its digest, its lines and their times. */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import type { Duplex } from "node:stream"
import { pipeline } from "node:stream/promises"
import * as zlib from "node:zlib"
import type * as Compression from "../../domain/Compression.ts"
import * as Coverage from "../../domain/Coverage.ts"
import type { Observed } from "../../domain/Finding.ts"
import type { SourceError } from "../ObjectSource.ts"
import * as LineScanner from "../Source/LineScanner.ts"

export interface Inspection extends Observed {
  /** Why the object cannot be decompressed. */
  readonly damage: string | undefined
  readonly isTorn: boolean
  readonly segments: ReadonlyArray<Coverage.Segment>
  /** Seconds between two lines; undefined if the lines do not contain this. */
  readonly interval: number | undefined
}

export interface Wanted {
  /** The number of bytes, from the beginning, that the digest covers. */
  readonly digestBytes: number
  readonly compression: Compression.Mode
  readonly hasLines: boolean
}

export const of = (bytes: AsyncIterable<Uint8Array>, wanted: Wanted): Effect.Effect<Inspection, SourceError> =>
  Effect.tryPromise({ try: () => inspect(bytes, wanted), catch: (cause) => cause as SourceError })

const inspect = async (bytes: AsyncIterable<Uint8Array>, wanted: Wanted): Promise<Inspection> => {
  const hash = createHash("sha256")
  const coverage = Coverage.collector()
  let contentBytes = 0
  let interval: number | undefined
  let damage: string | undefined
  const lines = LineScanner.make((beginning) => {
    const header = LineScanner.headerOf(beginning)
    if (header === undefined) return
    interval = header.intervalSeconds ?? interval
    coverage.add(header.time, interval ?? Coverage.usualInterval)
  })
  try {
    for await (const piece of plain(bytes, wanted.compression)) {
      const left = wanted.digestBytes - contentBytes
      if (left > 0) hash.update(left < piece.length ? piece.subarray(0, left) : piece)
      if (wanted.hasLines) lines.update(piece)
      contentBytes += piece.length
    }
  } catch (cause) {
    if (!(cause instanceof Damaged)) throw cause
    damage = cause.message
  }
  return {
    contentBytes,
    sha256: hash.digest("hex"),
    damage,
    isTorn: lines.isTorn(),
    segments: coverage.segments,
    interval
  }
}

/** The object does not have the format that its suffix shows, or was cut or changed. */
class Damaged extends Error {}

const decompressors: Readonly<Record<Compression.Format, () => Duplex>> = {
  gzip: () => zlib.createGunzip(),
  zstd: () => zlib.createZstdDecompress()
}

async function* plain(bytes: AsyncIterable<Uint8Array>, compression: Compression.Mode): AsyncIterable<Uint8Array> {
  if (compression === "none") return yield* bytes
  const decompressor = decompressors[compression]()
  let failed: { readonly cause: unknown } | undefined
  const watched = async function* () {
    try {
      // the decompressor takes several pieces before it has read the first
      for await (const piece of bytes) yield Buffer.from(piece)
    } catch (cause) {
      failed = { cause }
      throw cause
    }
  }
  const input = pipeline(watched, decompressor)
  // reading the decompressor throws the same error
  input.catch(() => {})
  try {
    yield* decompressor as AsyncIterable<Uint8Array>
    await input
  } catch (cause) {
    if (failed !== undefined) throw failed.cause
    throw new Damaged(`it cannot be decompressed: ${cause instanceof Error ? cause.message : String(cause)}`)
  } finally {
    decompressor.destroy()
    await input.catch(() => {})
  }
}

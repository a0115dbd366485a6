/**
 * Objects that are smaller than their files.
 *
 * The key says it, `snapshot_2026112215.jsonl.zst`, and there is no `Content-Encoding`: what reads such objects (zstdcat,
 * DuckDB, Athena, Spark) goes by the ending, and a client that undoes an encoding by itself would leave a plain file
 * called `.zst`. So `x.jsonl` is always plain, and turning it on or off never overwrites one kind with the other.
 */
import { Data } from "effect"
import * as Generation from "./Generation.ts"
import * as UploadPlan from "./UploadPlan.ts"

export type Format = "gzip" | "zstd"

/** What becomes of files that are not compressed yet. */
export type Mode = "none" | Format

/** What a key has behind the name of a generation. */
export type KeySuffix = "" | ".gz" | ".zst"

export const keySuffixes = { none: "", gzip: ".gz", zstd: ".zst" } as const satisfies Record<Mode, KeySuffix>

/** Formats in which there is nothing left to gain: archives, packets, tables, pictures, and what is encrypted. */
const incompressible = new Set(
  `gz tgz bgz zst tzst xz txz bz2 tbz2 lz4 lzo br z sz snappy zip 7z rar jar
   parquet orc avro deb rpm png jpg jpeg webp gif mp4 webm ogg mp3 pdf gpg pgp age`.split(/\s+/)
)

/** Whether there is something to gain, by the last ending of the name. */
export const isCompressible = (path: string): boolean =>
  !incompressible.has(/\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "")

/**
 * | `--compress` | the file's ending is one of a dense format | its object |
 * | ------------ | ------------------------------------------ | ---------- |
 * | none         |                                            | as it is   |
 * | zstd, gzip   | yes                                        | as it is   |
 * | zstd, gzip   | no                                         | compressed |
 */
export const of = (mode: Mode, path: string): Mode => (mode !== "none" && isCompressible(path) ? mode : "none")

const suffixes = Object.values(keySuffixes)

/** One way in which an object can have got its name. */
export interface PossibleSource extends Generation.Generation {
  readonly suffix: KeySuffix
}

/** All files that may have given an object its name: by their own, by that of a later generation, each of both also compressed. */
export const possibleSources = (name: string): ReadonlyArray<PossibleSource> =>
  suffixes
    .filter((suffix) => name.endsWith(suffix))
    .flatMap((suffix) => {
      const path = name.slice(0, name.length - suffix.length)
      return suffix !== "" && !isCompressible(path)
        ? []
        : [{ path, generation: 1 }, ...Generation.possibleOrigins(path)].map((source) => ({ ...source, suffix }))
    })

const KiB = 1024
const MiB = 1024 ** 2

/** Bytes of a compressed content at the very most; sources: RFC 1951, section 3.2.4, and `ZSTD_compressBound` of zstd. */
export const maxCompressedBytes = (sizeBytes: number) => sizeBytes + Math.ceil(sizeBytes / 256) + KiB

/**
 * Bytes that the compressor takes beside what comes out of it: its window and tables, pieces on their way in, and one on
 * its way out. zstd's are smaller for a content that it is told is small.
 */
export const workBytes = (format: Format, sizeBytes: number): number =>
  ({ gzip: MiB, zstd: Math.min(5 * MiB, MiB + 4 * sizeBytes) })[format]

/** What has to be left of `--memory` besides three parts. */
export const maxWorkBytes = (mode: Mode): number => (mode === "none" ? 0 : workBytes(mode, Infinity))

/** How a compressed file is sent, as far as is known before it is compressed. */
export type Plan = Data.TaggedEnum<{
  /** One request. */
  Whole: { readonly parts: 1; readonly memoryBytes: number }
  /** What turns out to fit into a part goes with one request; what does not, as a multipart upload. `parts`: at most. */
  Stream: {
    readonly partSizeBytes: number
    readonly parts: number
    readonly queueSize: number
    readonly memoryBytes: number
  }
  TooLarge: { readonly neededMemoryBytes: number }
}>
export const Plan = Data.taggedEnum<Plan>()

/** Parts that lie in memory besides those in flight: one being filled, and one being copied out of its pieces. */
const spareParts = 2

/** For an object of the largest size that there can be, and with the compressor's memory. */
export const decide = (sizeBytes: number, format: Format, limits: UploadPlan.Limits): Plan => {
  const most = maxCompressedBytes(sizeBytes)
  const work = workBytes(format, sizeBytes)
  // what came out piece by piece is put together
  if (most <= limits.partSizeBytes) return Plan.Whole({ parts: 1, memoryBytes: 2 * most + work })
  const partSizeBytes = Math.max(limits.partSizeBytes, Math.ceil(most / UploadPlan.maxParts))
  const parts = Math.ceil(most / partSizeBytes)
  const room = Math.floor((limits.memoryBytes - work) / partSizeBytes) - spareParts
  const queueSize = Math.min(UploadPlan.maxQueue, room, parts)
  return queueSize < 1 || partSizeBytes > UploadPlan.maxPartBytes
    ? Plan.TooLarge({ neededMemoryBytes: (1 + spareParts) * partSizeBytes + work })
    : Plan.Stream({ partSizeBytes, parts, queueSize, memoryBytes: (queueSize + spareParts) * partSizeBytes + work })
}

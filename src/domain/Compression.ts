/**
 * Which objects are compressed, and how much memory that takes.
 *
 * The key shows the format (`snapshot_2026112215.jsonl.zst`), and there is no `Content-Encoding`. Readers of such
 * objects (zstdcat, DuckDB, Athena, Spark) rely on the suffix, and a client that decodes `Content-Encoding` would save
 * an uncompressed file named `.zst`. Therefore, `x.jsonl` is never compressed, and a change of `--compress` never
 * changes the format of an object.
 */
import { Data } from "effect"
import * as Generation from "./Generation.ts"
import * as UploadPlan from "./UploadPlan.ts"

export type Format = "gzip" | "zstd"

/** How to store files that are not compressed yet. */
export type Mode = "none" | Format

/** The end of a key, which shows the compression. */
export type KeySuffix = "" | ".gz" | ".zst"

export const keySuffixes = { none: "", gzip: ".gz", zstd: ".zst" } as const satisfies Record<Mode, KeySuffix>

/** Formats that do not compress further: archives, packages, tables, pictures, encrypted files. */
const incompressible = new Set(
  `gz tgz bgz zst tzst xz txz bz2 tbz2 lz4 lzo br z sz snappy zip 7z rar jar
   parquet orc avro deb rpm png jpg jpeg webp gif mp4 webm ogg mp3 pdf gpg pgp age`.split(/\s+/)
)

/** Whether a file is worth compressing, judged by the last extension of its name. */
export const isCompressible = (path: string): boolean =>
  !incompressible.has(/\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "")

/**
 * | `--compress` | the file is compressible | its object |
 * | ------------ | ------------------------ | ---------- |
 * | none         |                          | unchanged  |
 * | zstd, gzip   | no                       | unchanged  |
 * | zstd, gzip   | yes                      | compressed |
 */
export const of = (mode: Mode, path: string): Mode => (mode !== "none" && isCompressible(path) ? mode : "none")

/** A file, a generation and a suffix that together determine a key. */
export interface PossibleSource extends Generation.Generation {
  readonly suffix: KeySuffix
}

/** Returns all combinations that have this key: the first or a later generation of a file, plain or compressed. */
export const possibleSources = (name: string): ReadonlyArray<PossibleSource> =>
  Object.values(keySuffixes)
    .filter((suffix) => name.endsWith(suffix))
    .flatMap((suffix) => {
      const path = name.slice(0, name.length - suffix.length)
      return suffix !== "" && !isCompressible(path)
        ? []
        : [{ path, generation: 1 }, ...Generation.possibleOrigins(path)].map((source) => ({ ...source, suffix }))
    })

const KiB = 1024
const MiB = 1024 ** 2

/** Upper bound of the compressed size. Sources: RFC 1951, section 3.2.4; `ZSTD_compressBound` of zstd. */
export const maxCompressedBytes = (sizeBytes: number) => sizeBytes + Math.ceil(sizeBytes / 256) + KiB

/**
 * Compressor memory apart from its output, in bytes: window, tables, input chunks and one output chunk. zstd needs less
 * for a small file, because it knows the size in advance.
 */
export const workBytes = (format: Format, sizeBytes: number): number =>
  ({ gzip: MiB, zstd: Math.min(5 * MiB, MiB + 4 * sizeBytes) })[format]

/** The maximum of `workBytes`. It must fit into `--memory` in addition to three parts. */
export const maxWorkBytes = (mode: Mode): number => (mode === "none" ? 0 : workBytes(mode, Infinity))

/** How to send a compressed file, decided before its compressed size is known. */
export type Plan = Data.TaggedEnum<{
  /** One request. */
  Whole: { readonly parts: 1; readonly memoryBytes: number }
  /** One request if the result fits into a part, else a multipart upload. `parts` is an upper bound. */
  Stream: {
    readonly partSizeBytes: number
    readonly parts: number
    readonly queueSize: number
    readonly memoryBytes: number
  }
  TooLarge: { readonly neededMemoryBytes: number }
}>
export const Plan = Data.taggedEnum<Plan>()

/** Parts in memory besides those in flight: one part is being filled, and one is being assembled from its chunks. */
const spareParts = 2

/** Plans the upload for the largest possible object, and includes the compressor's memory. */
export const decide = (sizeBytes: number, format: Format, limits: UploadPlan.Limits): Plan => {
  const maxBytes = maxCompressedBytes(sizeBytes)
  const work = workBytes(format, sizeBytes)
  // counted twice, because the chunks are copied into the body
  if (maxBytes <= limits.partSizeBytes) return Plan.Whole({ parts: 1, memoryBytes: 2 * maxBytes + work })
  const { parts, partSizeBytes } = UploadPlan.cut(maxBytes, limits)
  const freeParts = Math.floor((limits.memoryBytes - work) / partSizeBytes) - spareParts
  const queueSize = Math.min(limits.partsAtOnce ?? UploadPlan.maxQueue, freeParts, parts)
  return queueSize < 1 || partSizeBytes > UploadPlan.maxPartBytes
    ? Plan.TooLarge({ neededMemoryBytes: (1 + spareParts) * partSizeBytes + work })
    : Plan.Stream({ partSizeBytes, parts, queueSize, memoryBytes: (queueSize + spareParts) * partSizeBytes + work })
}

/** How to send a file of a given size. */
import { Data } from "effect"

/** The minimum size of every part except the last. Source: "Amazon S3 multipart upload limits". */
export const minPartBytes = 5 * 1024 ** 2
/** Maximum size of a part; same source. */
export const maxPartBytes = 5 * 1024 ** 3
/** Maximum number of parts per object; same source. */
export const maxParts = 10_000
/** Maximum size of an object: that of Amazon S3, and more than other stores accept. */
export const maxObjectBytes = maxParts * maxPartBytes

/** Parts of one object in memory at once. Four parts of 8 MiB fill a link of 500 MB/s with a latency of 60 ms. */
export const maxQueue = 4

/** The minimum of `--memory`: room for one part of the minimum size. */
export const minMemoryBytes = minPartBytes

export interface Limits {
  /** Memory for all request bodies together. */
  readonly memoryBytes: number
  /** The usual part size. Parts are larger only if the object would otherwise have more than `maxParts`. */
  readonly partSizeBytes: number
  /** Maximum number of parts that the store accepts per object. Default: that of S3. */
  readonly maxParts?: number
  /** Maximum parts of one object in flight that the store accepts. Default: `maxQueue`. */
  readonly partsAtOnce?: number
}

/** Returns the number of parts and their size. */
export const cut = (bytes: number, { maxParts: most = maxParts, partSizeBytes: least }: Limits) => {
  const partSizeBytes = Math.max(least, Math.ceil(bytes / most))
  return { partSizeBytes, parts: Math.ceil(bytes / partSizeBytes) }
}

/**
 * Memory for the parts of all files together: half of all memory, so that small files do not wait for large ones; but at
 * least `maxQueue` parts, if memory has room for them.
 */
export const partsBytes = ({ memoryBytes, partSizeBytes }: Limits): number =>
  Math.max(Math.min(memoryBytes, maxQueue * partSizeBytes), Math.floor(memoryBytes / 2))

export type UploadPlan = Data.TaggedEnum<{
  /** One request. */
  Single: { readonly memoryBytes: number }
  /** A multipart upload with at most `queueSize` parts in memory at once. */
  Multipart: {
    readonly partSizeBytes: number
    readonly parts: number
    readonly queueSize: number
  }
  /** A part would have to be larger than `memoryBytes` or `maxPartBytes`. */
  TooLarge: { readonly neededMemoryBytes: number }
}>
export const UploadPlan = Data.taggedEnum<UploadPlan>()

/**
 * | size               | plan                                                                   |
 * | ------------------ | ---------------------------------------------------------------------- |
 * | up to one part     | `Single`                                                               |
 * | up to 10,000 parts | `Multipart`, with 1 to 4 parts at once, as memory and store allow      |
 * | above              | `Multipart` with larger parts, or `TooLarge` if a part does not fit into memory |
 */
export const decide = (sizeBytes: number, limits: Limits): UploadPlan => {
  if (sizeBytes <= limits.partSizeBytes) return UploadPlan.Single({ memoryBytes: sizeBytes })
  const { parts, partSizeBytes } = cut(sizeBytes, limits)
  if (partSizeBytes > Math.min(limits.memoryBytes, maxPartBytes)) {
    return UploadPlan.TooLarge({ neededMemoryBytes: partSizeBytes })
  }
  const queueSize = Math.min(limits.partsAtOnce ?? maxQueue, Math.floor(limits.memoryBytes / partSizeBytes), parts)
  return UploadPlan.Multipart({ partSizeBytes, parts, queueSize })
}

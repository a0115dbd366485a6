/** How a file of a given size is sent. */
import { Data } from "effect"

/** Bytes; every part but the last must have at least so many. Source: "Amazon S3 multipart upload limits". */
export const minPartBytes = 5 * 1024 ** 2
/** Bytes; source as above. */
export const maxPartBytes = 5 * 1024 ** 3
/** Parts of one object; source as above. */
export const maxParts = 10_000

/** Parts of one object in memory at once. Four fill a link of 500 MB/s at 60 ms with parts of 8 MiB. */
export const maxQueue = 4

/** Bytes of memory without which not even one part of the smallest size can be on its way. */
export const minMemoryBytes = minPartBytes

export interface Limits {
  /** Bytes of bodies held at once. */
  readonly memoryBytes: number
  /** Bytes of a part, unless the object would then have too many of them. */
  readonly partSizeBytes: number
}

/**
 * Bytes of parts held at once, of all files together: half of memory, because small files should not have to wait for
 * large ones; but up to `maxQueue` parts, if memory has room for them.
 */
export const partsBytes = ({ memoryBytes, partSizeBytes }: Limits): number =>
  Math.max(Math.min(memoryBytes, maxQueue * partSizeBytes), Math.floor(memoryBytes / 2))

export type UploadPlan = Data.TaggedEnum<{
  /** One request with the whole body. */
  Single: { readonly memoryBytes: number }
  /** A multipart upload. At most `queueSize` parts are in memory at once, on their way there or from there. */
  Multipart: {
    readonly partSizeBytes: number
    readonly parts: number
    readonly queueSize: number
  }
  /** The parts would have to be larger than memory, or S3, allows. */
  TooLarge: { readonly neededMemoryBytes: number }
}>
export const UploadPlan = Data.taggedEnum<UploadPlan>()

/**
 * | size                        | plan                                                              |
 * | --------------------------- | ----------------------------------------------------------------- |
 * | up to one part              | `Single`                                                          |
 * | up to 10,000 parts          | `Multipart`, with as many parts in flight (1 to 4) as memory has room for |
 * | above                       | `Multipart` with larger parts, or `TooLarge` if memory has no room for one of them |
 */
export const decide = (sizeBytes: number, limits: Limits): UploadPlan => {
  if (sizeBytes <= limits.partSizeBytes) return UploadPlan.Single({ memoryBytes: sizeBytes })
  const partSizeBytes = Math.max(limits.partSizeBytes, Math.ceil(sizeBytes / maxParts))
  if (partSizeBytes > Math.min(limits.memoryBytes, maxPartBytes)) {
    return UploadPlan.TooLarge({ neededMemoryBytes: partSizeBytes })
  }
  const parts = Math.ceil(sizeBytes / partSizeBytes)
  const queueSize = Math.min(maxQueue, Math.floor(limits.memoryBytes / partSizeBytes), parts)
  return UploadPlan.Multipart({ partSizeBytes, parts, queueSize })
}

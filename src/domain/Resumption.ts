/** Whether an upload in parts that was cut off can be gone on with, and whether one is kept for that. Pure. */
import { Data } from "effect"
import type { Checksum } from "./StoreTraits.ts"
import type { ObjectKey } from "./ObjectKey.ts"
import type { ObjectAttributes } from "./Settings.ts"
import type { State } from "./Snapshot.ts"

/** A part that the store has. */
export interface KeptPart {
  /** Counted from 1. */
  readonly number: number
  readonly sizeBytes: number
  /** SHA-256 in hexadecimal. */
  readonly sha256: string
  /** As the store wrote it. */
  readonly etag: string
  /** As its header has it; undefined where bodies go with MD5. */
  readonly checksum: string | undefined
}

/** What an upload was created with, and what its object would be. All of it stays as it is until its completion. */
export interface Created {
  readonly key: ObjectKey
  readonly generation: number
  readonly state: State
  readonly partSizeBytes: number
  /** Of `attributesOf`, or made from it. */
  readonly attributes: string
  readonly checksum: Checksum
}

/** An upload that is neither completed nor aborted. */
export interface KeptUpload extends Omit<Created, "checksum"> {
  /** Older versions knew others. */
  readonly checksum: string
  readonly uploadId: string
  /** Bytes of the content that it was for when it was worked on last. */
  readonly sizeBytes: number
  /** When it was, in milliseconds since 1970. */
  readonly usedAt: number
  readonly parts: ReadonlyMap<number, KeptPart>
}

/** Milliseconds. What is not gone on with for so long is given up; its parts cost money meanwhile. */
export const keptMillis = 7 * 24 * 3_600_000

export type Decision = Data.TaggedEnum<{
  Resume: {}
  /** `why` is for the log. */
  StartOver: { readonly why: string }
}>
export const Decision = Data.taggedEnum<Decision>()

/**
 * | of what is kept                  |                                                                           |
 * | -------------------------------- | ------------------------------------------------------------------------- |
 * | it was not used for 7 days       | anew                                                                      |
 * | key or generation differ         | anew                                                                      |
 * | the object's state differs       | anew: it was fixed when the upload was created                            |
 * | part size differs                | anew                                                                      |
 * | attributes differ                | anew                                                                      |
 * | kind of checksum differs         | anew                                                                      |
 * | the file is shorter now          | anew: some stores complete no upload of which parts are left out          |
 * | none of these                    | go on with it                                                             |
 */
export const decide = (kept: KeptUpload, wanted: Created, sizeBytes: number, nowMillis: number): Decision => {
  const anew = (why: string) => Decision.StartOver({ why })
  if (isExpired(kept.usedAt, nowMillis)) return anew("it is too old")
  if (kept.key !== wanted.key || kept.generation !== wanted.generation) return anew("it is for another key")
  if (kept.state !== wanted.state) return anew(`it is for a ${kept.state} object`)
  if (kept.partSizeBytes !== wanted.partSizeBytes) return anew("its parts have another size")
  if (kept.attributes !== wanted.attributes) return anew("its object would have other attributes")
  if (kept.checksum !== wanted.checksum) return anew("it has another kind of checksum")
  if (kept.sizeBytes > sizeBytes) return anew("the file is shorter than it was")
  return Decision.Resume()
}

/**
 * | the part that is kept          | and the bytes in its place |          |
 * | ------------------------------ | -------------------------- | -------- |
 * | none                           |                            | "send"   |
 * | of the same size               | are the same               | "stored" |
 * | of the same size               | are others                 | "other": it is no longer the file that the upload was for |
 * | shorter, so it was the last    | are more                   | "send"   |
 * | longer                         | are less                   | "other"  |
 */
export const comparePart = (
  kept: KeptPart | undefined,
  now: Pick<KeptPart, "sizeBytes" | "sha256">
): "send" | "stored" | "other" => {
  if (kept === undefined || kept.sizeBytes < now.sizeBytes) return "send"
  return kept.sizeBytes === now.sizeBytes && kept.sha256 === now.sha256 ? "stored" : "other"
}

/** An upload that no run is at work with. */
export interface IdleUpload extends Pick<KeptUpload, "key" | "uploadId" | "usedAt"> {
  /** Nothing of its file waits to be stored. */
  readonly isStored: boolean
}

/**
 * | the file | waits to be stored | the upload was used within 7 days | is left over                                 |
 * | -------- | ------------------ | --------------------------------- | -------------------------------------------- |
 * | is gone  |                    |                                   | yes                                          |
 * | is there | no                 |                                   | yes: it was stored in another way            |
 * | is there | yes                | no                                | yes                                          |
 * | is there | yes                | yes                               | no                                           |
 */
export const isStale = ({ isStored: settled, usedAt }: IdleUpload, isThere: boolean, nowMillis: number): boolean =>
  !isThere || settled || isExpired(usedAt, nowMillis)

const isExpired = (usedAt: number, nowMillis: number) => nowMillis - usedAt > keptMillis

/** There is no such upload any more: it was completed, or somebody has aborted it. */
export const isUnknownUpload = (error: { readonly _tag: string; readonly code?: unknown }): boolean =>
  error._tag === "UploadFailed" && error.code === "NoSuchUpload"

/** What of the attributes is fixed when an upload is created, always in the same words. */
export const attributesOf = (attributes: ObjectAttributes): string => {
  const { acl, kmsContext, kmsKeyId, metadata, sse, storageClass, tags } = attributes
  const encryption = {
    none: { _tag: "BucketDefault" },
    s3: { _tag: "S3" },
    kms: { _tag: "Kms", keyId: kmsKeyId, context: kmsContext }
  }[sse]
  return JSON.stringify([encryption, storageClass, acl, tags, metadata], (_, value: unknown) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
      : value
  )
}

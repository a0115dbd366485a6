/** Whether a run can resume a multipart upload that an earlier run left unfinished. */
import { Data } from "effect"
import type { ObjectKey } from "./ObjectKey.ts"
import type { ObjectAttributes } from "./Settings.ts"
import type { State } from "./Snapshot.ts"
import type { Checksum } from "./StoreTraits.ts"

/** A part that the store acknowledged. */
export interface KeptPart {
  /** Counted from 1. */
  readonly number: number
  readonly sizeBytes: number
  /** SHA-256 in hexadecimal. */
  readonly sha256: string
  /** The ETag that the store returned. */
  readonly etag: string
  /** SHA-256 in base64; undefined unless the store's response contained it. */
  readonly checksum: string | undefined
}

/** The parameters that an upload is created with. They cannot change until the upload is completed. */
export interface Created {
  readonly key: ObjectKey
  readonly generation: number
  readonly state: State
  readonly partSizeBytes: number
  /** The result of `attributesOf`, or a digest of it. */
  readonly attributes: string
  readonly checksum: Checksum
}

/** An upload that is neither completed nor aborted. */
export interface KeptUpload extends Omit<Created, "checksum"> {
  /** A string instead of a `Checksum`, because other versions may have written other values. */
  readonly checksum: string
  readonly uploadId: string
  /** The size of the file when a run last worked on the upload. */
  readonly sizeBytes: number
  /** When a run last worked on the upload, in milliseconds since 1970. */
  readonly usedAt: number
  readonly parts: ReadonlyMap<number, KeptPart>
}

/** A run aborts an upload that was unused for this long, because its parts cost money. */
export const maxIdleDays = 7
export const maxIdleMillis = maxIdleDays * 24 * 3_600_000

export type Decision = Data.TaggedEnum<{
  Resume: {}
  /** `why` goes to the log. */
  StartOver: { readonly why: string }
}>
export const Decision = Data.taggedEnum<Decision>()

/**
 * | the kept upload                    | decision                                                            |
 * | ---------------------------------- | ------------------------------------------------------------------- |
 * | was not used for 7 days            | start over                                                          |
 * | is for another key or generation   | start over                                                          |
 * | is for another object state        | start over: the state is fixed when the upload is created           |
 * | has another part size              | start over                                                          |
 * | has other attributes               | start over                                                          |
 * | has another kind of checksum       | start over                                                          |
 * | is for a longer file               | start over: some stores do not complete an upload without all parts |
 * | none of these                      | resume                                                              |
 */
export const decide = (kept: KeptUpload, wanted: Created, sizeBytes: number, nowMillis: number): Decision => {
  const startOver = (why: string) => Decision.StartOver({ why })
  if (isExpired(kept.usedAt, nowMillis)) return startOver("it is too old")
  if (kept.key !== wanted.key || kept.generation !== wanted.generation) return startOver("it is for another key")
  if (kept.state !== wanted.state) return startOver(`it is for a ${kept.state} object`)
  if (kept.partSizeBytes !== wanted.partSizeBytes) return startOver("its parts have another size")
  if (kept.attributes !== wanted.attributes) return startOver("its object would have other attributes")
  if (kept.checksum !== wanted.checksum) return startOver("it has another kind of checksum")
  if (kept.sizeBytes > sizeBytes) return startOver("the file is shorter than it was")
  return Decision.Resume()
}

/**
 * | the kept part               | the file's bytes there | result      |
 * | --------------------------- | ---------------------- | ----------- |
 * | none                        |                        | "send"      |
 * | has the same size           | are the same           | "stored"    |
 * | has the same size           | are different          | "different": the file was replaced |
 * | is shorter: the last part   | are more               | "send"      |
 * | is longer                   | are fewer              | "different" |
 */
export const comparePart = (
  kept: KeptPart | undefined,
  now: Pick<KeptPart, "sizeBytes" | "sha256">
): "send" | "stored" | "different" => {
  if (kept === undefined || kept.sizeBytes < now.sizeBytes) return "send"
  return kept.sizeBytes === now.sizeBytes && kept.sha256 === now.sha256 ? "stored" : "different"
}

/** An upload that no run is working on. */
export interface IdleUpload extends Pick<KeptUpload, "key" | "uploadId" | "usedAt"> {
  /** Whether its file is completely stored. */
  readonly isStored: boolean
}

/**
 * | the file | is stored | the upload was used within 7 days | stale                            |
 * | -------- | --------- | --------------------------------- | -------------------------------- |
 * | is gone  |           |                                   | yes                              |
 * | exists   | yes       |                                   | yes: it was stored in another way |
 * | exists   | no        | no                                | yes                              |
 * | exists   | no        | yes                               | no                               |
 */
export const isStale = ({ isStored, usedAt }: IdleUpload, exists: boolean, nowMillis: number): boolean =>
  !exists || isStored || isExpired(usedAt, nowMillis)

const isExpired = (usedAt: number, nowMillis: number) => nowMillis - usedAt > maxIdleMillis

/** Whether the store no longer has this upload: it was completed or aborted. */
export const isUnknownUpload = (error: { readonly _tag: string; readonly code?: unknown }): boolean =>
  error._tag === "UploadFailed" && error.code === "NoSuchUpload"

/**
 * Returns the attributes that are fixed when an upload is created, in a canonical form. `ObjectMetadata` is not
 * included: a large file must not be sent again after an upgrade of this program or a change of the host name.
 */
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

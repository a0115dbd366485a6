/** The requests of a multipart upload, each as one operation. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand
} from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { isUnknownUpload } from "../../../domain/Resumption.ts"
import type { Checksum } from "../../../domain/StoreTraits.ts"
import type { NewPart, StoredPart, UploadName } from "../../ObjectStore.ts"
import type { BodyRequests } from "./BodyRequests.ts"
import { bodyOf, composite, sameChecksum } from "./Checksums.ts"
import { present, type Send, storedObject } from "./Commands.ts"
import type { Negotiation } from "./Negotiation.ts"
import type { ObjectHeaders } from "./ObjectHeaders.ts"

export interface Dependencies {
  readonly bodyRequests: BodyRequests
  readonly negotiation: Negotiation
  readonly send: Send
}

interface OpenUpload {
  /** The checksum of all parts. */
  readonly checksum: Checksum
  /** The confirmed encryption. AWS confirms it when the upload is created, but MinIO only with each part. */
  readonly encryption: string | undefined
}

type Confirmation = Parameters<Negotiation["noteEncryption"]>[1]

export type Multipart = ReturnType<typeof make>

export const make = ({ bodyRequests, negotiation, send }: Dependencies, bucket: string) => {
  /** The open uploads that this run has created, or sent a part of, by upload id. */
  const uploads = new Map<string, OpenUpload>()
  const note = (uploadId: string, checksum: Checksum, { ServerSideEncryption }: Confirmation) =>
    void uploads.set(uploadId, { checksum, encryption: uploads.get(uploadId)?.encryption ?? ServerSideEncryption })

  return {
    create: (headers: ObjectHeaders) =>
      negotiation.withChecksum("CreateMultipartUpload", (checksum) => {
        const algorithm = checksum === "SHA256" ? ({ ChecksumAlgorithm: "SHA256" } as const) : {}
        const { IfNoneMatch: _, ...input } = headers
        return Effect.flatMap(send(new CreateMultipartUploadCommand({ ...input, ...algorithm })), (answer) =>
          Effect.map(present("CreateMultipartUpload", answer.UploadId || undefined), (uploadId) => {
            note(uploadId, checksum, answer)
            return { uploadId, checksum }
          })
        )
      }),

    send: ({ body, key, number, sha256, uploadId }: NewPart) =>
      negotiation.withChecksum(
        "UploadPart",
        (checksum) => {
          const checkedBody = bodyOf(checksum, body, sha256)
          const part = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number }
          return bodyRequests.uploadPart(part, checkedBody).pipe(
            Effect.tap((answer) => sameChecksum("UploadPart", checkedBody.checksum, answer)),
            Effect.tap((answer) => Effect.sync(() => note(uploadId, checksum, answer))),
            Effect.flatMap((answer) =>
              Effect.map(present("UploadPart", answer.ETag), (etag): StoredPart => ({
                etag,
                checksum: answer.ChecksumSHA256 && checkedBody.checksum.ChecksumSHA256
              }))
            )
          )
        },
        uploads.get(uploadId)?.checksum
      ),

    complete: (
      headers: ObjectHeaders,
      uploadId: string,
      parts: ReadonlyArray<StoredPart & Pick<NewPart, "number">>
    ) => {
      const { Bucket, IfNoneMatch, Key } = headers
      const Parts = parts.map(({ checksum, etag, number }) => ({
        PartNumber: number,
        ETag: etag,
        ...(checksum === undefined ? {} : { ChecksumSHA256: checksum })
      }))
      const whole = composite(parts.map(({ checksum }) => checksum))
      const command = new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId: uploadId,
        MultipartUpload: { Parts },
        ...(IfNoneMatch === undefined ? {} : { IfNoneMatch })
      })
      return negotiation.negotiated(send(command)).pipe(
        // Ceph leaves the ETag empty here
        Effect.tap((answer) => present("CompleteMultipartUpload", answer.ETag ?? answer.Key)),
        Effect.tap((answer) => {
          // if an earlier run created the upload and sent all parts, this run knows nothing about its encryption
          if (uploads.has(uploadId) || answer.ServerSideEncryption !== undefined)
            negotiation.noteEncryption(headers, {
              ServerSideEncryption: uploads.get(uploadId)?.encryption ?? answer.ServerSideEncryption
            })
          uploads.delete(uploadId)
          // no retry, because the upload no longer exists
          return sameChecksum("CompleteMultipartUpload", whole, answer, false)
        }),
        Effect.map(storedObject)
      )
    },

    abort: ({ key, uploadId }: UploadName) =>
      send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId })).pipe(
        Effect.tap(() => Effect.sync(() => uploads.delete(uploadId))),
        Effect.asVoid,
        Effect.catchIf(isUnknownUpload, () => Effect.void)
      )
  }
}

/** The requests of a multipart upload, each as one operation. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand
} from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { isUnknownUpload } from "../../../domain/Resumption.ts"
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

export type Multipart = ReturnType<typeof make>

export const make = ({ bodyRequests, negotiation, send }: Dependencies, bucket: string) => {
  /**
   * The confirmed encryption by upload id: AWS confirms it when the upload is created, MinIO only with each part.
   * Contains the open uploads that this run has created or sent a part for.
   */
  const encryptions = new Map<string, string | undefined>()
  const confirm = (uploadId: string, answer: Parameters<Negotiation["noteEncryption"]>[1]) =>
    void encryptions.set(uploadId, encryptions.get(uploadId) ?? answer.ServerSideEncryption)

  return {
    create: (headers: ObjectHeaders) =>
      negotiation.negotiated((checksum) => {
        const algorithm = checksum === "SHA256" ? ({ ChecksumAlgorithm: "SHA256" } as const) : {}
        const { IfNoneMatch: _, ...input } = headers
        return Effect.flatMap(send(new CreateMultipartUploadCommand({ ...input, ...algorithm })), (answer) =>
          Effect.map(present("CreateMultipartUpload", answer.UploadId), (uploadId) => {
            confirm(uploadId, answer)
            return { uploadId, checksum }
          })
        )
      }),

    send: ({ body, key, number, sha256, uploadId }: NewPart) =>
      negotiation.negotiated((checksum) => {
        const checkedBody = bodyOf(checksum, body, sha256)
        const part = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number }
        return bodyRequests.uploadPart(part, checkedBody).pipe(
          Effect.tap((answer) => sameChecksum("UploadPart", checkedBody.checksum, answer)),
          Effect.tap((answer) => Effect.sync(() => confirm(uploadId, answer))),
          Effect.flatMap((answer) =>
            Effect.map(present("UploadPart", answer.ETag), (etag): StoredPart => ({
              etag,
              checksum: answer.ChecksumSHA256 && checkedBody.checksum.ChecksumSHA256
            }))
          )
        )
      }),

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
      return negotiation
        .negotiated(() => send(command))
        .pipe(
          // Ceph leaves the ETag empty here
          Effect.tap((answer) => present("CompleteMultipartUpload", answer.ETag ?? answer.Key)),
          Effect.tap((answer) => {
            // if an earlier run created the upload and sent all parts, this run knows nothing about its encryption
            if (encryptions.has(uploadId) || answer.ServerSideEncryption !== undefined)
              negotiation.noteEncryption(headers, {
                ServerSideEncryption: encryptions.get(uploadId) ?? answer.ServerSideEncryption
              })
            encryptions.delete(uploadId)
            // not worth a retry: the upload no longer exists
            return sameChecksum("CompleteMultipartUpload", whole, answer, false)
          }),
          Effect.map(storedObject)
        )
    },

    abort: ({ key, uploadId }: UploadName) =>
      send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId })).pipe(
        Effect.tap(() => Effect.sync(() => encryptions.delete(uploadId))),
        Effect.asVoid,
        Effect.catchIf(isUnknownUpload, () => Effect.void)
      )
  }
}

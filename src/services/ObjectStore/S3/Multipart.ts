/** The requests of a multipart upload, one by one. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand
} from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { isUnknownUpload } from "../../../domain/Resumption.ts"
import type { NewPart, StoredPart, UploadName } from "../../ObjectStore.ts"
import type { ObjectHeaders } from "./ObjectHeaders.ts"
import { bodyOf, composite, sameChecksum } from "./Checksums.ts"
import type { Negotiation } from "./Negotiation.ts"
import { present, storedObject } from "./Commands.ts"
import type { Dependencies } from "./StreamedMultipart.ts"

export const make = (
  { bodyRequests, negotiation, send }: Pick<Dependencies, "bodyRequests" | "negotiation" | "send">,
  bucket: string
) => {
  /**
   * By the upload's id, how its object is encrypted: AWS tells it when the upload is created, MinIO with each part
   * alone. Holds what this run has created, or sent a part for, and not yet ended.
   */
  const encryptions = new Map<string, string | undefined>()
  const confirm = (uploadId: string, { ServerSideEncryption: told }: Parameters<Negotiation["noteEncryption"]>[1]) =>
    void encryptions.set(uploadId, encryptions.get(uploadId) ?? told)

  return {
    create: (attributes: ObjectHeaders) =>
      negotiation.negotiated((checksum) => {
        const algorithm = checksum === "SHA256" ? ({ ChecksumAlgorithm: "SHA256" } as const) : {}
        const { IfNoneMatch: _, ...fixed } = attributes
        return Effect.flatMap(send(new CreateMultipartUploadCommand({ ...fixed, ...algorithm })), (answer) =>
          Effect.map(present("CreateMultipartUpload", answer.UploadId), (uploadId) => {
            confirm(uploadId, answer)
            return { uploadId, checksum }
          })
        )
      }),

    send: ({ body, key, number, sha256, uploadId }: NewPart) =>
      negotiation.negotiated((checksum) => {
        const checked = bodyOf(checksum, body, sha256)
        const part = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number }
        return bodyRequests.uploadPart(part, checked).pipe(
          Effect.tap((answer) => sameChecksum("UploadPart", checked.checksum, answer)),
          Effect.tap((answer) => Effect.sync(() => confirm(uploadId, answer))),
          Effect.flatMap((answer) => present("UploadPart", answer.ETag)),
          Effect.map((etag): StoredPart => ({ etag, checksum: checked.checksum.ChecksumSHA256 }))
        )
      }),

    complete: (
      attributes: ObjectHeaders,
      uploadId: string,
      parts: ReadonlyArray<StoredPart & Pick<NewPart, "number">>
    ) => {
      const { Bucket, IfNoneMatch, Key } = attributes
      const Parts = parts.map(({ checksum, etag, number }) => ({
        PartNumber: number,
        ETag: etag,
        ...(checksum === undefined ? {} : { ChecksumSHA256: checksum })
      }))
      const whole = composite(
        new Map(parts.flatMap(({ checksum, number }) => (checksum === undefined ? [] : [[number, checksum]])))
      )
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
            // nothing has been told yet of an upload of which an earlier run has sent everything
            if (encryptions.has(uploadId) || answer.ServerSideEncryption !== undefined)
              negotiation.noteEncryption(attributes, {
                ServerSideEncryption: encryptions.get(uploadId) ?? answer.ServerSideEncryption
              })
            encryptions.delete(uploadId)
            // the same request would find no upload any more
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

/**
 * Uploads bodies of unknown length. lib-storage's `Upload` cuts the body into parts, keeps several in flight, and lists
 * the parts for the completion. This module sends the requests that `Upload` makes, for three reasons:
 *
 * - A part that fails is retried alone, under the same rules as any request.
 * - Each part carries its checksum in a header.
 * - An interrupted upload ends at once. `Upload.abort()` does not cancel requests in flight, and does not abort the
 *   upload at the store if they are slow (aws-sdk-js-v3, issue 5109).
 */
import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import { Upload } from "@aws-sdk/lib-storage"
import { Deferred, Effect, FiberSet, Option } from "effect"
import { Readable } from "node:stream"
import { InternalError, SourceUnreadable, type StoreError } from "../../../domain/Errors.ts"
import { isUnknownUpload } from "../../../domain/Resumption.ts"
import type { Checksum } from "../../../domain/StoreTraits.ts"
import type { StoredObject, StreamBody, StreamPolicy } from "../../ObjectStore.ts"
import { abortUpload, completeDespiteInterrupt } from "../AbortUpload.ts"
import type { BodyRequests } from "./BodyRequests.ts"
import { bodyOf, composite, sameChecksum } from "./Checksums.ts"
import { present, storedObject } from "./Commands.ts"
import type * as Multipart from "./Multipart.ts"
import type { ObjectHeaders } from "./ObjectHeaders.ts"

/** The commands that `Upload` sends without tags and with `leavePartsOnError`. */
type Command = CreateMultipartUploadCommand | UploadPartCommand | CompleteMultipartUploadCommand

export interface Dependencies extends Multipart.Dependencies {
  readonly client: S3Client
  readonly parts: Multipart.Multipart
}

export const put = <E>(
  { bodyRequests, client, negotiation, parts, send }: Dependencies,
  headers: ObjectHeaders,
  body: StreamBody,
  policy: StreamPolicy<E>
): Effect.Effect<StoredObject, StoreError | SourceUnreadable | E> =>
  Effect.gen(function* () {
    // uploads that were created and not completed; there may be several if a response came after its timeout
    const open = new Set<string>()
    // runs after the fibers below have ended, so that no part can arrive after the abort
    yield* Effect.addFinalizer(() =>
      Effect.forEach(
        open,
        (uploadId) => abortUpload({ abortUpload: parts.abort }, { key: headers.Key, uploadId }, policy.abortFailed),
        { discard: true }
      )
    )
    // the requests in flight are fibers of this scope: closing it aborts them on the wire
    const run = yield* FiberSet.makeRuntimePromise()
    const failed = yield* Deferred.make<never, StoreError | E>()
    /** The checksums that the store confirmed, by part number. */
    const checksums = new Map<number, string | undefined>()
    /** The checksum of all parts. */
    let checksumOfParts: Checksum | undefined
    /** The confirmed encryption. AWS confirms it when the upload is created, but MinIO only with each part. */
    let encryption: string | undefined
    const confirm = ({ ServerSideEncryption }: { readonly ServerSideEncryption?: string | undefined }) => {
      encryption ??= ServerSideEncryption
    }

    const attempt = (
      command: CreateMultipartUploadCommand | UploadPartCommand,
      checksum: Checksum
    ): Effect.Effect<unknown, StoreError> => {
      if (command instanceof CreateMultipartUploadCommand) {
        const { ChecksumAlgorithm: _, ...plain } = command.input
        return completeDespiteInterrupt(
          Effect.tap(send(checksum === "SHA256" ? command : new CreateMultipartUploadCommand(plain)), (answer) =>
            Effect.map(present("CreateMultipartUpload", answer.UploadId || undefined), (uploadId) => {
              open.add(uploadId)
              checksumOfParts = checksum
              confirm(answer)
            })
          )
        )
      }
      return Effect.tap(sendPart(bodyRequests, command, checksum, checksums), (answer) =>
        Effect.sync(() => {
          checksumOfParts = checksum
          confirm(answer)
        })
      )
    }
    // Ceph leaves the ETag empty here
    const complete = (command: CompleteMultipartUploadCommand) =>
      send(command).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => isUnknownUpload(error) && open.delete(command.input.UploadId ?? ""))
        ),
        Effect.tap((answer) => present("CompleteMultipartUpload", answer.ETag ?? answer.Key))
      )
    const sender = {
      send: (command: Command) =>
        run(
          Effect.zipRight(
            command instanceof CompleteMultipartUploadCommand ? policy.completing : Effect.void,
            policy.request(
              command instanceof CompleteMultipartUploadCommand
                ? negotiation.negotiated(complete(command))
                : Effect.suspend(() =>
                    negotiation.withChecksum(
                      command instanceof UploadPartCommand ? "UploadPart" : "CreateMultipartUpload",
                      (checksum) => attempt(command, checksum),
                      checksumOfParts
                    )
                  ),
              command instanceof UploadPartCommand ? body.partSizeBytes : 0
            )
          ).pipe(
            Effect.tapErrorCause((cause) => Deferred.failCause(failed, cause)),
            // `failed` reports the error
            Effect.withUnhandledErrorLogLevel(Option.none())
          )
        )
    }

    const stream = yield* readable(body.pieces())
    const upload = new Upload({
      client: Object.assign(Object.create(client) as S3Client, sender),
      params: { ...headers, ChecksumAlgorithm: "SHA256", Body: stream },
      partSize: body.partSizeBytes,
      queueSize: body.queueSize,
      leavePartsOnError: true
    })
    const answer = yield* Effect.tryPromise({
      try: () => upload.done() as Promise<CompleteMultipartUploadCommandOutput>,
      catch: (cause) =>
        cause instanceof SourceUnreadable ? cause : new InternalError({ detail: String(cause), cause })
    }).pipe(
      Effect.catchAll((error) =>
        Effect.flatMap(
          Deferred.isDone(failed),
          (requestFailed): Effect.Effect<never, StoreError | SourceUnreadable | E> => {
            if (requestFailed) return Deferred.await(failed)
            return error._tag === "InternalError" ? Effect.die(error.cause) : Effect.fail(error)
          }
        )
      ),
      // `Upload` waits for the other parts in flight before it reports a failure
      Effect.raceFirst(Deferred.await(failed))
    )
    open.delete(upload.uploadId ?? "")
    yield* sameChecksum(
      "CompleteMultipartUpload",
      composite(inOrder(checksums)),
      answer,
      headers.IfNoneMatch === undefined
    )
    negotiation.noteEncryption(headers, { ServerSideEncryption: encryption })
    return storedObject(answer)
  }).pipe(Effect.scoped)

const sendPart = (
  bodyRequests: BodyRequests,
  { input }: UploadPartCommand,
  checksum: Checksum,
  checksums: Map<number, string | undefined>
) => {
  const { Body, Bucket, Key, PartNumber, UploadId } = input as Required<typeof input>
  const body = bodyOf(checksum, Body as Uint8Array)
  return bodyRequests
    .uploadPart({ Bucket: Bucket!, Key: Key!, PartNumber: PartNumber!, UploadId: UploadId! }, body)
    .pipe(
      Effect.tap((answer) => present("UploadPart", answer.ETag)),
      Effect.tap((answer) => sameChecksum("UploadPart", body.checksum, answer)),
      Effect.tap((answer) => Effect.sync(() => checksums.set(PartNumber!, answer.ChecksumSHA256)))
    )
}

const inOrder = (checksums: ReadonlyMap<number, string | undefined>) =>
  [...checksums].toSorted(([a], [b]) => a - b).map(([, checksum]) => checksum)

/** A stream that may be destroyed at any time. */
const readable = (pieces: AsyncIterable<Uint8Array>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const stream = Readable.from(pieces, { objectMode: false })
      // the reader gets errors from the iterator; without a listener, a later error would end the process
      return stream.on("error", () => {})
    }),
    (stream) => Effect.sync(() => stream.destroy())
  )

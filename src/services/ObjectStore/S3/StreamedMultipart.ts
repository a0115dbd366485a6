/**
 * Bodies of unknown length. lib-storage's `Upload` cuts the body into parts, keeps so many of them in flight, and writes the
 * list of parts for the completion; every request it makes goes through our hands.
 *
 * That is for three reasons: a part that fails is retried by itself, under the same rules as any request; each part
 * carries its checksum as a header; and an upload that is interrupted ends at once. `Upload.abort()` gives no signal to
 * requests in flight, and forgets the upload if they are slow (aws-sdk-js-v3, issue 5109).
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import { Upload } from "@aws-sdk/lib-storage"
import { Deferred, Effect, Fiber, FiberSet, Option } from "effect"
import { Readable } from "node:stream"
import { InternalError, SourceUnreadable, type StoreError } from "../../../domain/Errors.ts"
import type { Checksum } from "../../../domain/StoreTraits.ts"
import { abortTimeout, completeDespiteInterrupt } from "../AbortUpload.ts"
import type { StreamBody, StreamPolicy, StoredObject } from "../../ObjectStore.ts"
import type { ObjectHeaders } from "./ObjectHeaders.ts"
import type { BodyRequests } from "./BodyRequests.ts"
import type { Negotiation } from "./Negotiation.ts"
import { bodyOf, composite, sameChecksum } from "./Checksums.ts"
import { present, type Send, storedObject } from "./Commands.ts"

/** What `Upload` sends, with its tags off and `leavePartsOnError` on. */
type Command = CreateMultipartUploadCommand | UploadPartCommand | CompleteMultipartUploadCommand

/** Through which requests go, and what they heed. */
export interface Dependencies {
  readonly client: S3Client
  readonly bodyRequests: BodyRequests
  readonly negotiation: Negotiation
  readonly send: Send
}

export const put = <E>(
  { bodyRequests, client, negotiation, send }: Dependencies,
  attributes: ObjectHeaders,
  body: StreamBody,
  policy: StreamPolicy<E>
): Effect.Effect<StoredObject, StoreError | SourceUnreadable | E> =>
  Effect.gen(function* () {
    // created, and not completed; more than one where an answer came after its time-out
    const open = new Set<string>()
    // runs after the fibers below are gone, so that no part can arrive after the abort
    yield* Effect.addFinalizer(() =>
      Effect.forEach(open, (uploadId) => abort(send, attributes, uploadId, policy.abortFailed), { discard: true })
    )
    // the requests in flight are fibers of this scope: whatever ends it aborts them on the wire
    const run = yield* FiberSet.makeRuntimePromise()
    const failed = yield* Deferred.make<never, StoreError | E>()
    const checksums = new Map<number, string>()
    /** Of the object: AWS tells it when the upload is created, MinIO with each part alone. */
    let encryption: string | undefined
    const confirm = ({ ServerSideEncryption }: { readonly ServerSideEncryption?: string | undefined }) => {
      encryption ??= ServerSideEncryption
    }

    const attempt = (command: Command, checksum: Checksum): Effect.Effect<unknown, StoreError> => {
      if (command instanceof CreateMultipartUploadCommand) {
        const { ChecksumAlgorithm: _, ...plain } = command.input
        return completeDespiteInterrupt(
          Effect.tap(send(checksum === "SHA256" ? command : new CreateMultipartUploadCommand(plain)), (answer) =>
            Effect.map(present("CreateMultipartUpload", answer.UploadId), (uploadId) => {
              open.add(uploadId)
              confirm(answer)
            })
          )
        )
      }
      if (command instanceof UploadPartCommand)
        return Effect.tap(sendPart(bodyRequests, command, checksum, checksums), (answer) =>
          Effect.sync(() => confirm(answer))
        )
      // Ceph leaves the ETag empty here
      return Effect.tap(send(command), (answer) => present("CompleteMultipartUpload", answer.ETag ?? answer.Key))
    }
    const recorder = {
      send: (command: Command) =>
        run(
          Effect.zipRight(
            command instanceof CompleteMultipartUploadCommand ? policy.completing : Effect.void,
            policy.request(negotiation.negotiated((checksum) => attempt(command, checksum)))
          ).pipe(
            Effect.tapErrorCause((cause) => Deferred.failCause(failed, cause)),
            // it is told by `failed`
            Effect.withUnhandledErrorLogLevel(Option.none())
          )
        )
    }

    const stream = yield* readable(body.pieces())
    const upload = new Upload({
      client: Object.assign(Object.create(client) as S3Client, recorder),
      params: { ...attributes, ChecksumAlgorithm: "SHA256", Body: stream },
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
          (byRequest): Effect.Effect<never, StoreError | SourceUnreadable | E> => {
            if (byRequest) return Deferred.await(failed)
            return error._tag === "InternalError" ? Effect.die(error.cause) : Effect.fail(error)
          }
        )
      ),
      // `Upload` waits for the other parts in flight before it tells of a failure
      Effect.raceFirst(Deferred.await(failed))
    )
    open.delete(upload.uploadId ?? "")
    yield* sameChecksum("CompleteMultipartUpload", composite(checksums), answer, attributes.IfNoneMatch === undefined)
    negotiation.noteEncryption(attributes, { ServerSideEncryption: encryption })
    return storedObject(answer)
  }).pipe(Effect.scoped)

const sendPart = (
  bodyRequests: BodyRequests,
  { input }: UploadPartCommand,
  checksum: Checksum,
  checksums: Map<number, string>
) => {
  const { Body, Bucket, Key, PartNumber, UploadId } = input as Required<typeof input>
  const body = bodyOf(checksum, Body as Uint8Array)
  return bodyRequests
    .uploadPart({ Bucket: Bucket!, Key: Key!, PartNumber: PartNumber!, UploadId: UploadId! }, body)
    .pipe(
      Effect.tap((answer) => present("UploadPart", answer.ETag)),
      Effect.tap((answer) => sameChecksum("UploadPart", body.checksum, answer)),
      Effect.tap(() =>
        Effect.sync(() => {
          const { ChecksumSHA256 } = body.checksum
          if (ChecksumSHA256 !== undefined) checksums.set(PartNumber!, ChecksumSHA256)
        })
      )
    )
}

/** A stream that may be dropped at any time. */
const readable = (pieces: AsyncIterable<Uint8Array>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const stream = Readable.from(pieces, { objectMode: false })
      // whoever reads it is told by its iterator; without a listener, an error after that would end the process
      return stream.on("error", () => {})
    }),
    (stream) => Effect.sync(() => stream.destroy())
  )

const abort = (
  send: Send,
  { Bucket, Key }: ObjectHeaders,
  uploadId: string,
  leftOpen: StreamPolicy<never>["abortFailed"]
) =>
  send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: uploadId })).pipe(
    Effect.timeout(abortTimeout),
    Effect.catchAll((error) =>
      "code" in error && error.code === "NoSuchUpload"
        ? Effect.void
        : leftOpen({ key: Key, uploadId, reason: error.message })
    ),
    // a fiber of its own, because this one may be interrupted already
    Effect.interruptible,
    Effect.forkDaemon,
    Effect.flatMap(Fiber.join)
  )

/**
 * The requests that carry the bodies, `PutObject` and `UploadPart`, at a seventh of what the SDK's client takes for
 * them. It is asked once what such a request looks like, for each kind of object; from one object to the next, only key,
 * query, length, checksum and signature differ. And it is asked what an answer means that is not a success.
 */
import {
  PutObjectCommand,
  type S3Client,
  type ServiceInputTypes,
  type ServiceOutputTypes,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import type { HttpRequest } from "@smithy/core/protocols"
import { Effect, Exit } from "effect"
import type { StoreError } from "../../../domain/Errors.ts"
import * as Callback from "../../../fibers/Callback.ts"
import type { Response } from "../Http/ResponseReader.ts"
import type { HttpClient, Origin, Request } from "../Http/Client.ts"
import { type Body, checksumFields } from "./Checksums.ts"
import type { ObjectHeaders } from "./ObjectHeaders.ts"
import type { Renewing } from "./Credentials.ts"
import type { Command } from "./Commands.ts"
import * as SignatureV4 from "./SignatureV4.ts"
import * as RequestHandler from "./RequestHandler.ts"

/** Of the answer, what is looked at, in the SDK's words. */
export interface BodyResponse {
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
  readonly ChecksumSHA256?: string | undefined
  readonly ServerSideEncryption?: string | undefined
}

/** What is the same for all requests of a kind. */
interface Pattern {
  readonly origin: Origin
  /** Before the key; encoded. */
  readonly path: string
  /** Signed. */
  readonly headers: Readonly<Record<string, string>>
  /** What somebody on the way may change. */
  readonly unsigned: Readonly<Record<string, string>>
  readonly sign: ReturnType<typeof SignatureV4.make>
}

export interface Dependencies {
  readonly client: S3Client
  readonly credentials: Renewing
  readonly http: HttpClient
  /** Says what went wrong with an operation. */
  readonly failure: (operation: string, cause: unknown) => StoreError
}

export type BodyRequests = ReturnType<typeof make>

export const make = ({ client, credentials, failure, http }: Dependencies) => {
  /** By what names of a kind all requests have in common. */
  const patterns = new Map<string, Pattern>()

  /** A `Call`. */
  const send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes & BodyResponse>(
    operation: "PutObject" | "UploadPart",
    kind: string,
    command: (Key: string) => Command<Input, Output>,
    key: string,
    query: string,
    { bytes, checksum, sha256 }: Body
  ): Effect.Effect<BodyResponse, StoreError> => {
    const request = ({ headers, origin, path, sign, unsigned }: Pattern, identity: SignatureV4.Identity): Request => {
      const unsent = {
        method: "PUT",
        path: path + SignatureV4.encodeKey(key),
        query: `${query}x-id=${operation}`,
        headers: { ...headers, ...checksumFields(checksum) },
        payloadHash: sha256
      }
      const signed = sign(unsent, identity, Date.now() + client.config.systemClockOffset)
      return {
        origin,
        method: unsent.method,
        target: `${unsent.path}?${unsent.query}`,
        headers: { ...unsent.headers, ...signed, ...unsigned },
        body: bytes
      }
    }
    const asked = (pattern: Pattern, identity: SignatureV4.Identity) =>
      Callback.matchEffect(http.exchange(request(pattern, identity)), {
        onFailure: (cause) => Exit.fail(failure(operation, cause)),
        onSuccess: (answer): Effect.Effect<BodyResponse, StoreError> => {
          if (answer.status === 200 && answer.headers["etag"] !== undefined) {
            setClock(client, answer)
            return Exit.succeed(taken(answer))
          }
          return Effect.tryPromise({
            try: () => RequestHandler.interpret(client, command(key), answer),
            catch: (cause) => failure(operation, cause)
          })
        }
      })
    return Callback.suspend(() => {
      const known = patterns.get(kind)
      const identity = credentials.fresh()
      if (known !== undefined && identity !== undefined) return asked(known, identity)
      const needed = Effect.tryPromise({
        try: async () => {
          const pattern = known ?? asPattern(await RequestHandler.draft(client, command(standIn)))
          patterns.set(kind, pattern)
          return [pattern, await credentials.provider()] as const
        },
        catch: (cause) => failure(operation, cause)
      })
      return Effect.flatMap(needed, ([pattern, identity]) => asked(pattern, identity))
    })
  }

  return {
    put: (attributes: ObjectHeaders, body: Body) =>
      send(
        "PutObject",
        `${attributes.ContentType} ${JSON.stringify(attributes.Metadata)}`,
        (Key) => new PutObjectCommand({ ...attributes, Key, Body: nothing }),
        attributes.Key,
        "",
        body
      ),
    uploadPart: (part: { Bucket: string; Key: string; UploadId: string; PartNumber: number }, body: Body) =>
      send(
        "UploadPart",
        "",
        (Key) => new UploadPartCommand({ ...part, Key, Body: nothing }),
        part.Key,
        `partNumber=${part.PartNumber}&uploadId=${SignatureV4.encodeKey(part.UploadId).replaceAll("/", "%2F")}&`,
        body
      )
  }
}

/** A key and a body, in a request that is never sent. */
const standIn = "key"
const nothing = new Uint8Array()

const asPattern = (draft: HttpRequest): Pattern => {
  const { authorization = "", "user-agent": agent, ...rest } = draft.headers
  const [, region, service] =
    /^AWS4-HMAC-SHA256 Credential=[^,]+\/\d{8}\/([^/,]+)\/([^/,]+)\/aws4_request,/.exec(authorization) ?? []
  if (region === undefined || service === undefined || "x-amz-s3session-token" in rest) {
    throw new Error("requests to this bucket are not signed with Signature Version 4")
  }
  return {
    origin: RequestHandler.originOf(draft),
    path: draft.path.slice(0, -standIn.length),
    headers: Object.fromEntries(Object.entries(rest).filter(([name]) => !ofOneRequest.test(name))),
    unsigned: agent === undefined ? {} : { "user-agent": agent },
    sign: SignatureV4.make({ region, service })
  }
}

const ofOneRequest =
  /^(amz-sdk-.*|content-length|content-md5|x-amz-(checksum-.*|sdk-checksum-.*|content-sha256|date|security-token|user-agent))$/

const taken = ({ headers }: Response): BodyResponse => ({
  ETag: headers["etag"],
  VersionId: headers["x-amz-version-id"],
  ChecksumSHA256: headers["x-amz-checksum-sha256"],
  ServerSideEncryption: headers["x-amz-server-side-encryption"]
})

/** As the SDK does: the store's clock counts, unless the answer comes from a cache. */
const setClock = (client: S3Client, { headers: { age, date } }: Response) => {
  const time = date === undefined || age !== undefined ? Number.NaN : Date.parse(date)
  if (!Number.isNaN(time)) client.config.systemClockOffset = time - Date.now()
}

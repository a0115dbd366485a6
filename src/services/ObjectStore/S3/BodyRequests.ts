/**
 * `PutObject` and `UploadPart`, the requests with a body, at a seventh of the CPU that the SDK's client takes for them.
 *
 * The SDK builds one request for each kind of object. From one object to the next only key, query, length, checksum and
 * signature differ, and these are filled in here. The SDK also interprets every answer that is not a success.
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
import type { HttpClient, Origin, Request } from "../Http/Client.ts"
import type { Response } from "../Http/ResponseReader.ts"
import { type Body, checksumFields } from "./Checksums.ts"
import type { Command } from "./Commands.ts"
import type { RenewingCredentials } from "./Credentials.ts"
import type { ObjectHeaders } from "./ObjectHeaders.ts"
import * as RequestHandler from "./RequestHandler.ts"
import * as SignatureV4 from "./SignatureV4.ts"

/** The headers of the answer that are used, under the SDK's names. */
export interface BodyResponse {
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
  readonly ChecksumSHA256?: string | undefined
  readonly ServerSideEncryption?: string | undefined
}

/** What all requests of a kind have in common. */
interface Template {
  readonly origin: Origin
  /** The part before the key; encoded. */
  readonly path: string
  readonly signedHeaders: Readonly<Record<string, string>>
  /** Those that a proxy may change. */
  readonly unsignedHeaders: Readonly<Record<string, string>>
  readonly sign: ReturnType<typeof SignatureV4.make>
}

export interface Dependencies {
  readonly client: S3Client
  readonly credentials: RenewingCredentials
  readonly http: HttpClient
  /** Turns what an operation threw into its error. */
  readonly failure: (operation: string, cause: unknown) => StoreError
}

export type BodyRequests = ReturnType<typeof make>

export const make = ({ client, credentials, failure, http }: Dependencies) => {
  /** By kind. */
  const templates = new Map<string, Template>()

  /** A `Callback`. */
  const send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes & BodyResponse>(
    operation: "PutObject" | "UploadPart",
    kind: string,
    command: (Key: string) => Command<Input, Output>,
    key: string,
    query: string,
    { bytes, checksum, sha256 }: Body
  ): Effect.Effect<BodyResponse, StoreError> => {
    const request = (template: Template, identity: SignatureV4.Identity): Request => {
      const unsigned = {
        method: "PUT",
        path: template.path + SignatureV4.encodeKey(key),
        query: `${query}x-id=${operation}`,
        headers: { ...template.signedHeaders, ...checksumFields(checksum) },
        payloadHash: sha256
      }
      const signature = template.sign(unsigned, identity, Date.now() + client.config.systemClockOffset)
      return {
        origin: template.origin,
        method: unsigned.method,
        target: `${unsigned.path}?${unsigned.query}`,
        headers: { ...unsigned.headers, ...signature, ...template.unsignedHeaders },
        body: bytes
      }
    }
    const exchange = (template: Template, identity: SignatureV4.Identity) =>
      Callback.matchEffect(http.exchange(request(template, identity)), {
        onFailure: (cause) => Exit.fail(failure(operation, cause)),
        onSuccess: (answer): Effect.Effect<BodyResponse, StoreError> => {
          if (answer.status === 200 && answer.headers["etag"] !== undefined) {
            setClock(client, answer)
            return Exit.succeed(responseOf(answer))
          }
          return Effect.tryPromise({
            try: () => RequestHandler.interpret(client, command(key), answer),
            catch: (cause) => failure(operation, cause)
          })
        }
      })
    return Callback.suspend(() => {
      const known = templates.get(kind)
      const fresh = credentials.fresh()
      if (known !== undefined && fresh !== undefined) return exchange(known, fresh)
      const prepared = Effect.tryPromise({
        try: async () => {
          const template = known ?? templateOf(await RequestHandler.draft(client, command(placeholderKey)))
          templates.set(kind, template)
          return [template, await credentials.provider()] as const
        },
        catch: (cause) => failure(operation, cause)
      })
      return Effect.flatMap(prepared, ([template, identity]) => exchange(template, identity))
    })
  }

  return {
    put: (headers: ObjectHeaders, body: Body) =>
      send(
        "PutObject",
        `${headers.ContentType} ${JSON.stringify(headers.Metadata)}`,
        (Key) => new PutObjectCommand({ ...headers, Key, Body: noBytes }),
        headers.Key,
        "",
        body
      ),
    uploadPart: (part: { Bucket: string; Key: string; UploadId: string; PartNumber: number }, body: Body) =>
      send(
        "UploadPart",
        "",
        (Key) => new UploadPartCommand({ ...part, Key, Body: noBytes }),
        part.Key,
        `partNumber=${part.PartNumber}&uploadId=${SignatureV4.encodeKey(part.UploadId).replaceAll("/", "%2F")}&`,
        body
      )
  }
}

/** For a request that is never sent. */
const placeholderKey = "key"
const noBytes = new Uint8Array()

const templateOf = (draft: HttpRequest): Template => {
  const { authorization = "", "user-agent": agent, ...rest } = draft.headers
  const [, region, service] =
    /^AWS4-HMAC-SHA256 Credential=[^,]+\/\d{8}\/([^/,]+)\/([^/,]+)\/aws4_request,/.exec(authorization) ?? []
  if (region === undefined || service === undefined || "x-amz-s3session-token" in rest) {
    throw new Error("requests to this bucket are not signed with Signature Version 4")
  }
  return {
    origin: RequestHandler.originOf(draft),
    path: draft.path.slice(0, -placeholderKey.length),
    signedHeaders: Object.fromEntries(Object.entries(rest).filter(([name]) => !perRequestHeader.test(name))),
    unsignedHeaders: agent === undefined ? {} : { "user-agent": agent },
    sign: SignatureV4.make({ region, service })
  }
}

const perRequestHeader =
  /^(amz-sdk-.*|content-length|content-md5|x-amz-(checksum-.*|sdk-checksum-.*|content-sha256|date|security-token|user-agent))$/

const responseOf = ({ headers }: Response): BodyResponse => ({
  ETag: headers["etag"],
  VersionId: headers["x-amz-version-id"],
  ChecksumSHA256: headers["x-amz-checksum-sha256"],
  ServerSideEncryption: headers["x-amz-server-side-encryption"]
})

/** Takes over the store's clock, as the SDK does, unless the answer comes from a cache. */
const setClock = (client: S3Client, { headers: { age, date } }: Response) => {
  const time = date === undefined || age !== undefined ? Number.NaN : Date.parse(date)
  if (!Number.isNaN(time)) client.config.systemClockOffset = time - Date.now()
}

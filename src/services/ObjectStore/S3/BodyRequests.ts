/**
 * Sends `PutObject` and `UploadPart`, the requests with a body, at a seventh of the CPU time of the SDK's client.
 *
 * For each kind of object, the SDK builds one request as a template. Requests of a kind differ only in key, query,
 * length, checksum and signature, which this module fills in. The SDK also interprets every response that is not a
 * success.
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
import { IntegrityFailure, type StoreError } from "../../../domain/Errors.ts"
import * as Callback from "../../../fibers/Callback.ts"
import type { HttpClient, Origin, Request } from "../Http/Client.ts"
import type { Response } from "../Http/ResponseReader.ts"
import type { SentRequest } from "./Advice.ts"
import { type Body, checksumFields } from "./Checksums.ts"
import type { Command, Failure } from "./Commands.ts"
import type { RenewingCredentials } from "./Credentials.ts"
import * as Etags from "./Etags.ts"
import type { ObjectHeaders } from "./ObjectHeaders.ts"
import * as RequestHandler from "./RequestHandler.ts"
import * as SignatureV4 from "./SignatureV4.ts"
import type { StoreClock } from "./StoreClock.ts"

/** The response headers that are used, under the SDK's names. */
export interface BodyResponse {
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
  readonly ChecksumSHA256?: string | undefined
  readonly ServerSideEncryption?: string | undefined
}

/** The common part of all requests of a kind. */
interface Template {
  readonly origin: Origin
  /** The encoded path before the key. */
  readonly path: string
  readonly signedHeaders: Readonly<Record<string, string>>
  /** Headers that a proxy may change. */
  readonly unsignedHeaders: Readonly<Record<string, string>>
  readonly sign: ReturnType<typeof SignatureV4.make>
}

export interface Dependencies {
  readonly client: S3Client
  readonly clock: StoreClock
  readonly credentials: RenewingCredentials
  readonly http: HttpClient
  readonly failure: Failure
}

export type BodyRequests = ReturnType<typeof make>

export const make = ({ client, clock, credentials, failure: failureOf, http }: Dependencies) => {
  /** By kind. */
  const templates = new Map<string, Template>()
  /** Templates that the SDK is building. The first requests of a run start at the same time, and share one template. */
  const building = new Map<string, Promise<Template>>()
  const build = (kind: string, draft: () => Promise<HttpRequest>): Promise<Template> => {
    const known = building.get(kind)
    if (known !== undefined) return known
    const template = draft()
      .then(templateOf)
      .finally(() => building.delete(kind))
    building.set(kind, template)
    return template
  }
  const etags = { PutObject: Etags.make(), UploadPart: Etags.make() }

  /** A `Callback`. */
  const send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes & BodyResponse>(
    operation: "PutObject" | "UploadPart",
    kind: string,
    command: (Key: string) => Command<Input, Output>,
    key: string,
    query: string,
    { bytes, checksum, sha256 }: Body,
    more: Omit<SentRequest, "bodyBytes">
  ): Effect.Effect<BodyResponse, StoreError> => {
    const failure = (cause: unknown) => failureOf(operation, cause, { ...more, bodyBytes: bytes.length })
    const request = (template: Template, identity: SignatureV4.Identity): Request => {
      const unsigned = {
        method: "PUT",
        path: template.path + SignatureV4.encodeKey(key),
        query,
        headers: { ...template.signedHeaders, ...checksumFields(checksum) },
        payloadHash: sha256
      }
      const signature = template.sign(unsigned, identity, Date.now() + clock.correction())
      return {
        origin: template.origin,
        method: unsigned.method,
        target: query === "" ? unsigned.path : `${unsigned.path}?${query}`,
        headers: { ...unsigned.headers, ...signature, ...template.unsignedHeaders },
        body: bytes
      }
    }
    /**
     * Compares the ETag with the body. The caller compares the store's checksum, if the response has one. ETags of
     * encrypted objects are not digests.
     */
    const compared = (answer: BodyResponse): Exit.Exit<BodyResponse, StoreError> => {
      const { ChecksumSHA256, ETag, ServerSideEncryption } = answer
      const isOpaque = ETag === undefined || ChecksumSHA256 !== undefined || ServerSideEncryption !== undefined
      const detail = isOpaque ? undefined : etags[operation].mismatch(ETag, bytes)
      return detail === undefined
        ? Exit.succeed(answer)
        : Exit.fail(new IntegrityFailure({ operation, detail, retryable: more.isConditional !== true }))
    }
    const exchange = (template: Template, identity: SignatureV4.Identity) =>
      Callback.matchEffect(http.exchange(request(template, identity)), {
        onFailure: (cause) => Exit.fail(failure(cause)),
        onSuccess: (answer): Effect.Effect<BodyResponse, StoreError> => {
          clock.observe(answer.headers)
          if (answer.status === 200 && answer.body.length === 0) return compared(responseOf(answer))
          const interpreted = Effect.tryPromise({
            try: () => RequestHandler.interpret(client, command(key), answer),
            catch: failure
          })
          return Effect.flatMap(interpreted, compared)
        }
      })
    return Callback.suspend(() => {
      const known = templates.get(kind)
      const fresh = credentials.fresh()
      if (known !== undefined && fresh !== undefined) return exchange(known, fresh)
      const prepared = Effect.tryPromise({
        try: async () => {
          const draft = () => RequestHandler.draft(client, command(placeholderKey))
          const template = known ?? (await build(kind, draft))
          templates.set(kind, template)
          return [template, await credentials.provider()] as const
        },
        catch: failure
      })
      return Effect.flatMap(prepared, ([template, identity]) => exchange(template, identity))
    })
  }

  return {
    put: (headers: ObjectHeaders, body: Body) =>
      send(
        "PutObject",
        `${headers.ContentType} ${headers.IfNoneMatch ?? ""} ${JSON.stringify(headers.Metadata)}`,
        (Key) => new PutObjectCommand({ ...headers, Key, Body: noBytes }),
        headers.Key,
        "",
        body,
        { isConditional: headers.IfNoneMatch !== undefined }
      ),
    uploadPart: (part: { Bucket: string; Key: string; UploadId: string; PartNumber: number }, body: Body) =>
      part.UploadId.isWellFormed()
        ? send(
            "UploadPart",
            "",
            (Key) => new UploadPartCommand({ ...part, Key, Body: noBytes }),
            part.Key,
            `partNumber=${part.PartNumber}&uploadId=${SignatureV4.encodeKey(part.UploadId).replaceAll("/", "%2F")}`,
            body,
            { partNumber: part.PartNumber }
          )
        : Effect.fail(failureOf("UploadPart", new URIError("the store's id of the upload is not valid Unicode")))
  }
}

/** The key in a template, which is never sent. */
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

import type { IncomingMessage } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { checkDialect } from "./Dialect.ts"
import { type Disturbance, alterAnswer, type Connection, sendFaulty, cannedAnswer, renderAnswer } from "./Faults.ts"
import { authorize, verifyPayload } from "./Guards.ts"
import { Bucket } from "./Objects.ts"
import { createBucket, perform } from "./Operations.ts"
import { errorDocument, S3Error } from "./Responses.ts"
import { authenticate } from "./Signature.ts"
import { parseTarget, type Target } from "./Target.ts"
import type { Answer, Headers, RecordedRequest, StrictS3Options } from "./Types.ts"

/** The state that all exchanges share. */
export interface Context {
  buckets: Map<string, Bucket>
  options: Required<
    Pick<StrictS3Options, "region" | "identities" | "latencyMs" | "minPartBytes" | "keepBodies" | "clock" | "dialect">
  > &
    Pick<StrictS3Options, "domain">
  secure: boolean
}

/** Creates the record of a request whose head has arrived. */
export const openRecord = (message: IncomingMessage, domain: string | undefined): RecordedRequest => {
  const method = message.method ?? ""
  const path = message.url ?? "/"
  const headers: Headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : value])
  )
  let target: Target | undefined
  try {
    target = parseTarget(method, path, headers, domain)
  } catch {
    // the exchange responds with this error later; the record contains only the fields that could be parsed
  }
  return {
    operation: target?.operation ?? "Unknown",
    method,
    path,
    bucket: target?.bucket,
    key: target?.key,
    identity: undefined,
    headers,
    bodyBytes: 0,
    status: undefined,
    code: undefined,
    startedAt: Date.now(),
    endedAt: undefined,
    aborted: false
  }
}

/** The whole body, or undefined if the connection was cut before its end. */
export const readBody = (message: IncomingMessage, record: RecordedRequest): Promise<Buffer | undefined> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = []
    // the connection is already cut, so no event will follow
    if (message.destroyed) resolve(undefined)
    message.on("data", (chunk: Buffer) => {
      record.bodyBytes += chunk.length
      chunks.push(chunk)
    })
    message.on("end", () => resolve(message.complete ? Buffer.concat(chunks) : undefined))
    message.on("error", () => resolve(undefined))
    message.on("close", () => resolve(undefined))
  })

const checkHead = (context: Context, record: RecordedRequest): void => {
  const { bucket, key, headers, operation } = record
  if (Buffer.byteLength(key ?? "") > 1024) {
    throw new S3Error(400, "KeyTooLongError", "Your key is too long", { MaxSizeAllowed: "1024" })
  }
  if (bucket !== undefined && operation !== "CreateBucket" && !context.buckets.has(bucket)) {
    throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: bucket })
  }
  const condition = headers["if-none-match"]
  const conditional = operation === "PutObject" || operation === "CompleteMultipartUpload"
  if (conditional && condition !== undefined && condition !== "*") {
    throw new S3Error(501, "NotImplemented", "A header you provided implies functionality that is not implemented", {
      Header: "If-None-Match"
    })
  }
}

const answerTo = async (
  context: Context,
  message: IncomingMessage,
  record: RecordedRequest,
  release: (() => void)[]
): Promise<Answer | undefined> => {
  const { options, buckets } = context
  let bucket: Bucket | undefined
  let body: Buffer | undefined
  try {
    const identity = await authenticate(record, options)
    record.identity = identity.accessKeyId
    const target = parseTarget(record.method, record.path, record.headers, options.domain)
    checkHead(context, record)
    authorize(identity, record.operation, record.key)
    checkDialect(options.dialect, record, target.query)
    bucket = buckets.get(record.bucket ?? "")
    // the write is announced before the body arrives, because a slow write must conflict with a later one
    if (record.headers["if-none-match"] !== undefined && bucket !== undefined && record.key !== undefined) {
      release.push(bucket.announce(record.key, record))
    }
    body = await readBody(message, record)
    if (body === undefined) return undefined
    verifyPayload(record.operation, record.headers, body, context.secure)
    if (options.latencyMs > 0) await sleep(options.latencyMs)
    if (record.operation === "CreateBucket") return createBucket(buckets, record.bucket ?? "", options.keepBodies)
    const call = { record, headers: record.headers, query: target.query, bucket: record.bucket ?? "", body }
    return perform(bucket ?? new Bucket(false), { ...call, key: record.key ?? "" }, options)
  } catch (error) {
    // the client may still be sending, and reads a response only after that
    body ??= await readBody(message, record)
    if (body === undefined) return undefined
    const refusal = error instanceof S3Error ? error : new S3Error(500, "InternalError", String(error))
    record.code = refusal.code
    return errorDocument(refusal, record.path, "")
  }
}

/** Adds the headers that every answer has. */
const complete = (answer: Answer, date: string, requestId: string): Answer => {
  const body =
    typeof answer.body === "string"
      ? answer.body.replace("<RequestId></RequestId>", `<RequestId>${requestId}</RequestId>`)
      : answer.body
  const length: Record<string, string> =
    answer.status === 204 || answer.status === 304 ? {} : { "content-length": String(Buffer.byteLength(body ?? "")) }
  return {
    status: answer.status,
    // a client may set its own clock by this date
    headers: { date, "x-amz-request-id": requestId, server: "AmazonS3", ...length, ...answer.headers },
    ...(body === undefined ? {} : { body })
  }
}

const write = ({ record, response }: Connection, answer: Answer): void => {
  record.status = answer.status
  record.endedAt = Date.now()
  response.writeHead(answer.status, answer.headers)
  response.end(record.method === "HEAD" ? undefined : answer.body)
}

/** Handles one request as S3 does, or as its fault says. Calls `markAnswered` once it has an answer. */
export const exchange = async (
  context: Context,
  connection: Connection,
  requestId: string,
  fault: Disturbance | undefined,
  markAnswered: () => void
): Promise<void> => {
  const { message, record } = connection
  const canned = cannedAnswer(fault)
  let answer: Answer | undefined
  if (canned === undefined) {
    if (fault?.kind === "delay") await sleep(fault.ms)
    const release: (() => void)[] = []
    answer = await answerTo(context, message, record, release)
    for (const free of release) free()
  } else if (fault?.kind === "early-answer") {
    answer = renderAnswer({ ...canned, headers: { connection: "close", ...canned.headers } }, record.path)
  } else if ((await readBody(message, record)) !== undefined) {
    answer = renderAnswer(canned, record.path)
  }
  if (answer === undefined) return
  if (canned !== undefined) record.code = canned.code
  const date = new Date(context.options.clock()).toUTCString()
  const whole = complete(alterAnswer(fault, answer), date, requestId)
  if (fault?.kind === "trickle" || fault?.kind === "cut-answer") return sendFaulty(fault, connection, whole)
  // called before the client can see the response, so that its next request does not count as simultaneous
  markAnswered()
  write(connection, whole)
}

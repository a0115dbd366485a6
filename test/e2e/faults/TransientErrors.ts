/** Responses that a retry may change: three attempts, then the exit code and hint of the cause. */
import type { CannedAnswer } from "../../../scripts/strict-s3/StrictS3.ts"
import { always, type FaultCase, type FaultRule, once } from "./FaultCase.ts"

const page = (status: number): CannedAnswer => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><h1>${status}</h1></html>`
})
const etag = { etag: '"5f3a-19"' }
const noBody = (status: number): CannedAnswer => ({ status, body: "" })
const truncated: CannedAnswer = { status: 500, body: "<?xml version='1.0'?><Error><Code>Inter" }

const overloaded = /next run/
const network = /--endpoint|--timeout|network/
const bytes = /changes bytes/
const proxy = /proxy/
const full = /full|space|room/
const codes: ReadonlyArray<readonly [status: number, code: string, exit: number, hint?: RegExp]> = [
  [503, "SlowDown", 32, overloaded],
  [503, "ServiceUnavailable", 32, overloaded],
  [500, "InternalError", 32, overloaded],
  [503, "RequestLimitExceeded", 32, overloaded],
  [400, "Throttling", 32, overloaded],
  [400, "ThrottlingException", 32, overloaded],
  [429, "TooManyRequests", 32, overloaded],
  [503, "ServerBusy", 32, overloaded],
  [503, "XMinioServerNotInitialized", 32, overloaded],
  [307, "TemporaryRedirect", 32, overloaded],
  [507, "XMinioStorageFull", 32, full],
  [507, "InsufficientStorage", 32, full],
  [400, "RequestTimeout", 30, network],
  [400, "IncompleteBody", 30, network],
  [409, "OperationAborted", 10],
  [409, "ConditionalRequestConflict", 10],
  [400, "BadDigest", 40, bytes],
  [400, "InvalidDigest", 40, bytes],
  [400, "XAmzContentSHA256Mismatch", 40, bytes],
  [400, "XAmzContentChecksumMismatch", 40, bytes]
]

const withoutCode: ReadonlyArray<readonly [what: string, answer: CannedAnswer, exit: number, hint: RegExp]> = [
  ["200 with an InternalError document", { status: 200, code: "InternalError" }, 32, overloaded],
  ["200 with a login page", page(200), 30, proxy],
  ["200 without a body", noBody(200), 30, proxy],
  [
    "200 with an InternalError document and an ETag",
    { status: 200, code: "InternalError", headers: etag },
    32,
    overloaded
  ],
  ["200 with a login page and an ETag", { ...page(200), headers: { ...page(200).headers, ...etag } }, 30, proxy],
  ["200 with JSON and an ETag", { status: 200, headers: etag, body: '{"ok":true}' }, 30, proxy],
  ["202 with an ETag", { status: 202, headers: etag }, 30, proxy],
  ["520 with an HTML page", page(520), 32, overloaded],
  ["408 without a body", noBody(408), 30, network],
  ["429 without a body", noBody(429), 32, overloaded],
  ["500 with a truncated document", truncated, 32, overloaded]
]

/** Sends the same status, first in the form of a gateway, then in the form of a store. */
const inEveryForm = (status: number): FaultRule => {
  const forms: ReadonlyArray<CannedAnswer> = [page(status), noBody(status), { status, code: "UnknownCode" }]
  return (_, nth) => ({ kind: "answer", ...forms[nth % forms.length]! })
}

/** One or two responses of each failure class. */
const retryable: ReadonlyArray<readonly [what: string, answer: CannedAnswer]> = [
  ["503 SlowDown", { status: 503, code: "SlowDown" }],
  ["500 InternalError", { status: 500, code: "InternalError" }],
  ["400 ThrottlingException", { status: 400, code: "ThrottlingException" }],
  ["307 TemporaryRedirect", { status: 307, code: "TemporaryRedirect" }],
  ["400 RequestTimeout", { status: 400, code: "RequestTimeout" }],
  ["409 OperationAborted", { status: 409, code: "OperationAborted" }],
  ["409 ConditionalRequestConflict", { status: 409, code: "ConditionalRequestConflict" }],
  ["400 BadDigest", { status: 400, code: "BadDigest" }],
  ["200 with an InternalError document", { status: 200, code: "InternalError" }],
  ["200 with a login page", page(200)],
  ["502 with an HTML page", page(502)],
  ["503 without a body", noBody(503)],
  ["500 with a truncated document", truncated],
  // RFC 9110, section 15.5.20: the client may retry over another connection
  ["421 with an HTML page", page(421)]
]

export const transientErrors: ReadonlyArray<FaultCase> = [
  ...codes.map(([status, code, exit, hint]): FaultCase => ({
    when: `the store always answers ${status} ${code}`,
    fault: always({ kind: "answer", status, code }),
    attempts: 3,
    exit,
    hint
  })),
  ...withoutCode.map(([what, answer, exit, hint]): FaultCase => ({
    when: `the store always answers ${what}`,
    fault: always({ kind: "answer", ...answer }),
    attempts: 3,
    exit,
    hint
  })),
  ...[500, 502, 503, 504].map((status): FaultCase => ({
    when: `the store answers ${status} with an HTML page, without a body, and with an unknown code`,
    fault: inEveryForm(status),
    attempts: 3,
    exit: 32,
    hint: overloaded
  })),
  ...retryable.map(([what, answer]): FaultCase => ({
    when: `the store answers ${what} once`,
    fault: once({ kind: "answer", ...answer }),
    attempts: 2,
    exit: 0
  }))
]

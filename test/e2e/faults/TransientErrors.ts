/** Answers that may be another the next time: tried three times, and told for what they are if they stay. */
import type { CannedAnswer } from "../../fakes/StrictS3.ts"
import { always, once, type FaultCase, type FaultRule } from "./FaultCase.ts"

const page = (status: number): CannedAnswer => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><h1>${status}</h1></html>`
})
const silent = (status: number): CannedAnswer => ({ status, body: "" })
const torn: CannedAnswer = { status: 500, body: "<?xml version='1.0'?><Error><Code>Inter" }

const overloaded = /next run/
const way = /--endpoint|--timeout|network/
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
  [400, "RequestTimeout", 30, way],
  [400, "IncompleteBody", 30, way],
  [409, "OperationAborted", 10],
  [409, "ConditionalRequestConflict", 10],
  [400, "BadDigest", 40, bytes],
  [400, "InvalidDigest", 40, bytes],
  [400, "XAmzContentSHA256Mismatch", 40, bytes],
  [400, "XAmzContentChecksumMismatch", 40, bytes]
]

const codeless: ReadonlyArray<readonly [name: string, answer: CannedAnswer, exit: number, hint: RegExp]> = [
  ["an internal error under a 200", { status: 200, code: "InternalError" }, 32, overloaded],
  ["a login page under a 200", page(200), 30, proxy],
  ["nothing under a 200", silent(200), 30, proxy],
  ["520 as a page", page(520), 32, overloaded],
  ["408 without a word", silent(408), 30, way],
  ["429 without a word", silent(429), 32, overloaded],
  ["500 whose document is torn", torn, 32, overloaded]
]

/** A gateway's and a store's words for the same, one after the other. */
const inAnyForm = (status: number): FaultRule => {
  const forms: ReadonlyArray<CannedAnswer> = [page(status), silent(status), { status, code: "SomethingOfItsOwn" }]
  return (_, nth) => ({ kind: "answer", ...forms[nth % forms.length]! })
}

/** One or two of each class. */
const passingSoon: ReadonlyArray<readonly [name: string, answer: CannedAnswer]> = [
  ["503 SlowDown", { status: 503, code: "SlowDown" }],
  ["500 InternalError", { status: 500, code: "InternalError" }],
  ["400 ThrottlingException", { status: 400, code: "ThrottlingException" }],
  ["307 TemporaryRedirect", { status: 307, code: "TemporaryRedirect" }],
  ["400 RequestTimeout", { status: 400, code: "RequestTimeout" }],
  ["409 OperationAborted", { status: 409, code: "OperationAborted" }],
  ["409 ConditionalRequestConflict", { status: 409, code: "ConditionalRequestConflict" }],
  ["400 BadDigest", { status: 400, code: "BadDigest" }],
  ["an internal error under a 200", { status: 200, code: "InternalError" }],
  ["a login page under a 200", page(200)],
  ["502 as a page", page(502)],
  ["503 without a word", silent(503)],
  ["500 whose document is torn", torn],
  // RFC 9110, section 15.5.20: may be sent again, over another connection
  ["421 as a page", page(421)]
]

export const transientErrors: ReadonlyArray<FaultCase> = [
  ...codes.map(([status, code, exit, hint]): FaultCase => ({
    name: `${status} ${code}, for ever`,
    strike: always({ kind: "answer", status, code }),
    attempts: 3,
    exit,
    hint
  })),
  ...codeless.map(([name, answer, exit, hint]): FaultCase => ({
    name: `${name}, for ever`,
    strike: always({ kind: "answer", ...answer }),
    attempts: 3,
    exit,
    hint
  })),
  ...[500, 502, 503, 504].map((status): FaultCase => ({
    name: `${status} as a page, without a word, and as a document`,
    strike: inAnyForm(status),
    attempts: 3,
    exit: 32,
    hint: overloaded
  })),
  ...passingSoon.map(([name, answer]): FaultCase => ({
    name: `${name}, once`,
    strike: once({ kind: "answer", ...answer }),
    attempts: 2,
    exit: 0
  }))
]

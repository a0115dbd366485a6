/** What can go wrong with a file that is sent in two parts. */
import type { Fault } from "../../fakes/StrictS3.ts"
import { sessionWriterNoAbort } from "./Identities.ts"
import { always, once, type FaultCase, type FaultRule, onOperation } from "./FaultCase.ts"

const create = "CreateMultipartUpload"
const part = "UploadPart"
const complete = "CompleteMultipartUpload"
const abort = "AbortMultipartUpload"

const busy: Fault = { kind: "answer", status: 503, code: "SlowDown" }
const denied: Fault = { kind: "answer", status: 403, code: "AccessDenied" }
const lost: Fault = { kind: "cut-answer", end: 0, by: "reset" }

/** Several at once. */
const firstOf =
  (...strikes: ReadonlyArray<FaultRule>): FaultRule =>
  (request, nth) => {
    for (const strike of strikes) {
      const fault = strike(request, nth)
      if (fault !== undefined) return fault
    }
    return undefined
  }

const rows: ReadonlyArray<Omit<FaultCase, "file">> = [
  {
    name: "a creation that is refused",
    strike: onOperation(create, always(denied)),
    attempts: { [create]: 1 },
    exit: 22,
    hint: /s3:PutObject/
  },
  {
    name: "a creation that is put off once",
    strike: onOperation(create, once(busy)),
    attempts: { [create]: 2, [part]: 2, [complete]: 1 },
    exit: 0
  },
  {
    name: "a creation whose answer is lost: nobody knows the upload's id, and nobody can abort it",
    strike: onOperation(create, once(lost)),
    attempts: { [create]: 2, [part]: 2, [complete]: 1 },
    exit: 0,
    open: 1
  },
  {
    name: "a login page in place of an upload's id",
    strike: onOperation(
      create,
      always({ kind: "answer", status: 200, headers: { "content-type": "text/html" }, body: "<html>" })
    ),
    attempts: { [create]: 3 },
    exit: 30,
    hint: /proxy/
  },
  {
    name: "a part that is put off once",
    strike: onOperation(part, once(busy)),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    name: "a part that is cut off once",
    strike: onOperation(part, once({ kind: "reset", afterBytes: 1_000_000 })),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    name: "a part whose answer is lost once",
    strike: onOperation(part, once(lost)),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    name: "a part whose checksum is wrong once",
    strike: onOperation(part, once({ kind: "wrong-checksum" })),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    name: "a part whose checksum is always wrong",
    strike: onOperation(part, (request) =>
      request.path.includes("partNumber=2") ? { kind: "wrong-checksum" } : undefined
    ),
    attempts: { [create]: 1, [part]: 4, [abort]: 1 },
    exit: 40,
    hint: /changes bytes/
  },
  {
    name: "a part without an ETag once",
    strike: onOperation(part, once({ kind: "missing-etag" })),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    name: "a part that is denied",
    strike: onOperation(part, (request) => (request.path.includes("partNumber=2") ? denied : undefined)),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 22,
    hint: /s3:PutObject/
  },
  {
    name: "a part that is put off for ever",
    strike: onOperation(part, (request) => (request.path.includes("partNumber=2") ? busy : undefined)),
    attempts: { [create]: 1, [part]: 4 },
    exit: 32,
    says: /kept for the next run/,
    open: 1
  },
  {
    name: "an upload that somebody else aborted",
    strike: onOperation(part, (request) =>
      request.path.includes("partNumber=2") ? { kind: "answer", status: 404, code: "NoSuchUpload" } : undefined
    ),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 10,
    hint: /aborted the upload/
  },
  {
    name: "an abort that is not permitted, after a part that is denied",
    login: sessionWriterNoAbort,
    strike: onOperation(part, (request) => (request.path.includes("partNumber=2") ? denied : undefined)),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 22,
    says: /multipart upload left open: .*AccessDenied/,
    open: 1
  },
  {
    name: "an abort that is put off, after a part that is denied",
    strike: firstOf(
      onOperation(part, (request) => (request.path.includes("partNumber=2") ? denied : undefined)),
      onOperation(abort, always(busy))
    ),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 22,
    says: /multipart upload left open: .*SlowDown/,
    open: 1
  },
  {
    name: "an abort whose answer is lost: it is named, though nothing is left",
    strike: firstOf(
      onOperation(part, (request) => (request.path.includes("partNumber=2") ? denied : undefined)),
      onOperation(abort, always(lost))
    ),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 22,
    says: /multipart upload left open/
  },
  {
    name: "a completion that is put off once",
    strike: onOperation(complete, once(busy)),
    attempts: { [create]: 1, [part]: 2, [complete]: 2 },
    exit: 0
  },
  {
    name: "a completion that fails once under a 200",
    strike: onOperation(complete, once({ kind: "answer", status: 200, code: "InternalError" })),
    attempts: { [create]: 1, [part]: 2, [complete]: 2 },
    exit: 0
  },
  {
    name: "a completion that fails under a 200 for ever",
    strike: onOperation(complete, always({ kind: "answer", status: 200, code: "InternalError" })),
    attempts: { [create]: 1, [part]: 2, [complete]: 3 },
    exit: 32,
    says: /kept for the next run/,
    open: 1
  },
  {
    name: "a completion answered with a login page",
    strike: onOperation(
      complete,
      always({ kind: "answer", status: 200, headers: { "content-type": "text/html" }, body: "<html>" })
    ),
    attempts: { [create]: 1, [part]: 2, [complete]: 3 },
    exit: 30,
    hint: /proxy/,
    says: /kept for the next run/,
    open: 1
  },
  {
    name: "a completion that the store finds wrong",
    strike: onOperation(complete, always({ kind: "answer", status: 400, code: "InvalidPart" })),
    attempts: { [create]: 1, [part]: 2, [complete]: 1, [abort]: 1 },
    exit: 10
  },
  {
    // S3 itself would answer the second completion as the first, for a while; many stores do not
    name: "a completion whose answer is lost, in a store that does not remember it",
    strike: onOperation(complete, once(lost)),
    attempts: { [create]: 1, [part]: 2, [complete]: 2, [abort]: 1 },
    exit: 10,
    hint: /the next run sends it again/,
    versions: 1
  },
  {
    name: "a completion whose answer is lost, in a store that remembers it",
    strike: onOperation(complete, (_, nth) => {
      if (nth === 0) return lost
      const body = "<CompleteMultipartUploadResult><ETag>&quot;e-2&quot;</ETag></CompleteMultipartUploadResult>"
      return { kind: "answer", status: 200, headers: { "content-type": "application/xml" }, body }
    }),
    attempts: { [create]: 1, [part]: 2, [complete]: 2 },
    exit: 0
  },
  {
    name: "a whole whose checksum is wrong once",
    strike: onOperation(complete, once({ kind: "wrong-checksum" })),
    attempts: { [create]: 2, [part]: 4, [complete]: 2 },
    exit: 0,
    versions: 2
  }
]

export const multipart: ReadonlyArray<FaultCase> = rows.map((row) => ({
  ...row,
  file: "parts",
  flags: ["--concurrency=1"]
}))

/** Faults of a multipart upload with two parts. */
import type { Fault } from "../../../scripts/strict-s3/StrictS3.ts"
import { always, type FaultCase, type FaultRule, firstOf, once, onOperation } from "./FaultCase.ts"
import { sessionWriterNoAbort } from "./Identities.ts"

const create = "CreateMultipartUpload"
const part = "UploadPart"
const complete = "CompleteMultipartUpload"
const abort = "AbortMultipartUpload"

const slowDown: Fault = { kind: "answer", status: 503, code: "SlowDown" }
const denied: Fault = { kind: "answer", status: 403, code: "AccessDenied" }
const lostAnswer: Fault = { kind: "cut-answer", end: 0, by: "reset" }

const onSecondPart = (fault: Fault): FaultRule =>
  onOperation(part, ({ path }) => (path.includes("partNumber=2") ? fault : undefined))

const cases: ReadonlyArray<Omit<FaultCase, "file" | "flags">> = [
  {
    when: "CreateMultipartUpload is denied",
    fault: onOperation(create, always(denied)),
    attempts: { [create]: 1 },
    exit: 22,
    hint: /s3:PutObject/
  },
  {
    when: "CreateMultipartUpload fails once with SlowDown",
    fault: onOperation(create, once(slowDown)),
    attempts: { [create]: 2, [part]: 2, [complete]: 1 },
    exit: 0
  },
  {
    when: "the response to CreateMultipartUpload is lost, and leaves an upload with an unknown ID",
    fault: onOperation(create, once(lostAnswer)),
    attempts: { [create]: 2, [part]: 2, [complete]: 1 },
    exit: 0,
    openUploads: 1
  },
  {
    when: "CreateMultipartUpload is answered with a login page",
    fault: onOperation(
      create,
      always({ kind: "answer", status: 200, headers: { "content-type": "text/html" }, body: "<html>" })
    ),
    attempts: { [create]: 3 },
    exit: 30,
    hint: /proxy/
  },
  {
    when: "a part fails once with SlowDown",
    fault: onOperation(part, once(slowDown)),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    when: "a part is cut off once by a reset",
    fault: onOperation(part, once({ kind: "reset", afterBytes: 1_000_000 })),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    when: "the response to a part is lost once",
    fault: onOperation(part, once(lostAnswer)),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    when: "the checksum of a part is wrong once",
    fault: onOperation(part, once({ kind: "wrong-checksum" })),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    when: "the checksum of a part is always wrong",
    fault: onSecondPart({ kind: "wrong-checksum" }),
    attempts: { [create]: 1, [part]: 4, [abort]: 1 },
    exit: 40,
    hint: /changes bytes/
  },
  {
    when: "the response to a part lacks its ETag once",
    fault: onOperation(part, once({ kind: "missing-etag" })),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    when: "a part is denied",
    fault: onSecondPart(denied),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 22,
    hint: /s3:PutObject/
  },
  {
    when: "a part always fails with SlowDown, and keeps the upload for the next run",
    fault: onSecondPart(slowDown),
    attempts: { [create]: 1, [part]: 4 },
    exit: 32,
    output: /kept for the next run/,
    openUploads: 1
  },
  {
    when: "another client aborts the upload",
    fault: onSecondPart({ kind: "answer", status: 404, code: "NoSuchUpload" }),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 10,
    hint: /aborted the upload/
  },
  {
    when: "a part and its abort are denied, and reports the open upload",
    identity: sessionWriterNoAbort,
    fault: onSecondPart(denied),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 22,
    output: /multipart upload left open: .*AccessDenied/,
    openUploads: 1
  },
  {
    when: "a part is denied and the abort fails with SlowDown, and reports the open upload",
    fault: firstOf(onSecondPart(denied), onOperation(abort, always(slowDown))),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 22,
    output: /multipart upload left open: .*SlowDown/,
    openUploads: 1
  },
  {
    when: "a part is denied and the response to the abort is lost, and reports the upload as open",
    fault: firstOf(onSecondPart(denied), onOperation(abort, always(lostAnswer))),
    attempts: { [create]: 1, [part]: 2, [abort]: 1 },
    exit: 22,
    output: /multipart upload left open/
  },
  {
    when: "the completion fails once with SlowDown",
    fault: onOperation(complete, once(slowDown)),
    attempts: { [create]: 1, [part]: 2, [complete]: 2 },
    exit: 0
  },
  {
    when: "the completion fails once with InternalError in a 200 response",
    fault: onOperation(complete, once({ kind: "answer", status: 200, code: "InternalError" })),
    attempts: { [create]: 1, [part]: 2, [complete]: 2 },
    exit: 0
  },
  {
    when: "the completion always fails with InternalError in a 200 response, and keeps the upload for the next run",
    fault: onOperation(complete, always({ kind: "answer", status: 200, code: "InternalError" })),
    attempts: { [create]: 1, [part]: 2, [complete]: 3 },
    exit: 32,
    output: /kept for the next run/,
    openUploads: 1
  },
  {
    when: "the store answers the completion with a login page, and keeps the upload for the next run",
    fault: onOperation(
      complete,
      always({ kind: "answer", status: 200, headers: { "content-type": "text/html" }, body: "<html>" })
    ),
    attempts: { [create]: 1, [part]: 2, [complete]: 3 },
    exit: 30,
    hint: /proxy/,
    output: /kept for the next run/,
    openUploads: 1
  },
  {
    when: "the response to the completion once ends in its document",
    fault: onOperation(
      complete,
      once({ kind: "answer", status: 200, body: '<CompleteMultipartUploadResult><ETag>"e"</ETag><Key>k</Key>' })
    ),
    attempts: { [create]: 1, [part]: 2, [complete]: 2 },
    exit: 0
  },
  {
    when: "the completion is once answered with the document of another request",
    fault: onOperation(
      complete,
      once({
        kind: "answer",
        status: 200,
        body: "<InitiateMultipartUploadResult><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>"
      })
    ),
    attempts: { [create]: 1, [part]: 2, [complete]: 2 },
    exit: 0
  },
  {
    when: "a part is once answered with a login page that has an ETag",
    fault: onOperation(part, once({ kind: "answer", status: 200, headers: { etag: '"e"' }, body: "<html></html>" })),
    attempts: { [create]: 1, [part]: 3, [complete]: 1 },
    exit: 0
  },
  {
    when: "the store names the upload by text that is not Unicode",
    fault: onOperation(
      create,
      always({
        kind: "answer",
        status: 200,
        body: "<InitiateMultipartUploadResult><UploadId>a&#xD800;b</UploadId></InitiateMultipartUploadResult>"
      })
    ),
    attempts: { [create]: 1 },
    exit: 10,
    hint: /lifecycle rule/,
    output: /left open/
  },
  {
    when: "the store names the upload by nothing",
    fault: onOperation(
      create,
      always({
        kind: "answer",
        status: 200,
        body: "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>"
      })
    ),
    attempts: { [create]: 3 },
    exit: 30,
    hint: /--endpoint/
  },
  {
    when: "the store rejects the completion with InvalidPart",
    fault: onOperation(complete, always({ kind: "answer", status: 400, code: "InvalidPart" })),
    attempts: { [create]: 1, [part]: 2, [complete]: 1, [abort]: 1 },
    exit: 10
  },
  {
    // AWS repeats its response for a while, but many stores do not
    when: "the response to the completion is lost once and the store forgets the upload",
    fault: onOperation(complete, once(lostAnswer)),
    attempts: { [create]: 2, [part]: 4, [complete]: 3 },
    exit: 0,
    versions: 2
  },
  {
    when: "a load balancer answers every first completion of an upload with 504, although the store completes it",
    fault: onOperation(complete, (_, nth) => (nth % 2 === 0 ? lostAnswer : undefined)),
    attempts: { [create]: 2, [part]: 4, [complete]: 4 },
    exit: 10,
    hint: /time-out of the load balancer/,
    versions: 2
  },
  {
    when: "the response to the completion is lost and the store repeats it",
    fault: onOperation(complete, (_, nth) => {
      if (nth === 0) return lostAnswer
      const body = "<CompleteMultipartUploadResult><ETag>&quot;e-2&quot;</ETag></CompleteMultipartUploadResult>"
      return { kind: "answer", status: 200, headers: { "content-type": "application/xml" }, body }
    }),
    attempts: { [create]: 1, [part]: 2, [complete]: 2 },
    exit: 0
  },
  {
    when: "the checksum of the completed object is wrong once",
    fault: onOperation(complete, once({ kind: "wrong-checksum" })),
    attempts: { [create]: 2, [part]: 4, [complete]: 2 },
    exit: 0,
    versions: 2
  }
]

export const multipart: ReadonlyArray<FaultCase> = cases.map((each) => ({
  ...each,
  file: "parts",
  flags: ["--concurrency=1"]
}))

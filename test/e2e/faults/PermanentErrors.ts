/** Responses that a retry does not change: one attempt, and a hint that names the cause. */
import type { CannedAnswer } from "../../../scripts/strict-s3/StrictS3.ts"
import { always, type FaultCase, type FaultRule } from "./FaultCase.ts"

const codes: ReadonlyArray<readonly [status: number, code: string, exit: number, hint: RegExp]> = [
  [403, "AccessDenied", 22, /s3:PutObject/],
  [403, "AllAccessDisabled", 22, /bucket/],
  [403, "AccountProblem", 22, /account/],
  [403, "UnknownCode", 22, /s3:PutObject/],
  [403, "QuotaExceeded", 10, /quota/i],
  [400, "ExpiredToken", 21, /expired/],
  [400, "TokenRefreshRequired", 21, /expired/],
  [400, "InvalidToken", 21, /session token/],
  [403, "InvalidAccessKeyId", 21, /session has expired/],
  [403, "NotSignedUp", 22, /account/],
  [400, "InvalidRegionName", 23, /--region .*us-east-1/],
  [400, "InvalidTag", 10, /--tag/],
  [403, "SignatureDoesNotMatch", 21, /secret/],
  [403, "InvalidSecurity", 21, /access key|session token/],
  [403, "RequestExpired", 21, /clock/],
  [404, "NoSuchBucket", 23, /--bucket/],
  [400, "InvalidBucketName", 23, /--bucket/],
  [301, "PermanentRedirect", 23, /--region|--endpoint/],
  [400, "IllegalLocationConstraintException", 23, /--region/],
  [412, "PreconditionFailed", 10, /no condition/],
  [400, "KMS.DisabledException", 10, /\bkey\b/i],
  [400, "KMS.NotFoundException", 10, /\bkey\b/i],
  [400, "EntityTooLarge", 10, /raise the limit/],
  [400, "InvalidRequest", 10, /documentation/],
  [400, "InvalidArgument", 10, /documentation/],
  [400, "InvalidStorageClass", 10, /--storage-class|documentation/],
  [400, "KeyTooLongError", 10, /--prefix|documentation/],
  [411, "MissingContentLength", 10, /./],
  [405, "MethodNotAllowed", 10, /--endpoint/]
]

/** Responses that may be about the checksum: the program then tries Content-MD5, and then no checksum. */
const attempts: Readonly<Record<string, number>> = {
  SignatureDoesNotMatch: 2,
  InvalidRequest: 3,
  InvalidArgument: 3
}

const page = (status: number, text: string, headers: Record<string, string> = {}): CannedAnswer => ({
  status,
  headers: { "content-type": "text/html", ...headers },
  body: `<html>${text}</html>`
})
const noBody = (status: number): CannedAnswer => ({ status, body: "" })

const withoutCode: ReadonlyArray<readonly [when: string, answer: CannedAnswer, exit: number, hint: RegExp]> = [
  ["the store answers 403 without a body", noBody(403), 22, /s3:PutObject/],
  ["the store answers 401 without a body", noBody(401), 21, /access key/],
  ["the store answers 404 without a body", noBody(404), 23, /--bucket|--endpoint/],
  [
    "the store answers 403 with a truncated document",
    { status: 403, body: "<?xml version='1.0'?><Error><Code>AccessDen" },
    22,
    /s3:PutObject/
  ],
  ["a proxy blocks the request", page(403, "Blocked by policy"), 30, /proxy/],
  ["a proxy requires credentials", page(407, "Proxy login"), 30, /proxy/],
  ["a proxy redirects to its login page", page(302, "", { location: "http://proxy.example.com/login" }), 30, /proxy/],
  ["a proxy rejects the size of the body", page(413, "Request Entity Too Large"), 10, /client_max_body_size/],
  ["a web server has no such page", page(404, "Not Found"), 30, /--endpoint/],
  ["a web server expects TLS", page(400, "plain HTTP sent to HTTPS port"), 30, /--endpoint https:/],
  ["the store answers 400 without a body", noBody(400), 30, /--endpoint/],
  ["a proxy redirects to https", page(308, "", { location: "https://127.0.0.1/" }), 30, /--endpoint https:\/\/127/],
  [
    "an error names a region and is not about it",
    { status: 400, code: "InvalidArgument", headers: { "x-amz-bucket-region": "eu-west-1" } },
    10,
    /^look up the code/
  ],
  [
    "a redirect names the right region",
    { status: 301, code: "PermanentRedirect", headers: { "x-amz-bucket-region": "eu-west-1" } },
    23,
    /--region eu-west-1/
  ]
]

/** SignatureDoesNotMatch with all the details that AWS adds, which must not appear in a log. */
const detailedSignatureError: FaultRule = ({ headers }) => ({
  kind: "answer",
  status: 403,
  code: "SignatureDoesNotMatch",
  body:
    "<Error><Code>SignatureDoesNotMatch</Code><Message>The signature does not match.</Message>" +
    `<SignatureProvided>${headers["authorization"]}</SignatureProvided>` +
    `<CanonicalRequest>x-amz-security-token:${headers["x-amz-security-token"]}</CanonicalRequest></Error>`
})

export const permanentErrors: ReadonlyArray<FaultCase> = [
  ...codes.map(([status, code, exit, hint]): FaultCase => ({
    when: `the store answers ${status} ${code}`,
    fault: always({ kind: "answer", status, code }),
    attempts: attempts[code] ?? 1,
    exit,
    hint
  })),
  ...withoutCode.map(([when, answer, exit, hint]): FaultCase => ({
    when,
    fault: always({ kind: "answer", ...answer }),
    // the first refusal without a code may concern the checksum
    attempts: answer.status === 400 && answer.headers?.["content-type"] === undefined ? 3 : 1,
    exit,
    hint
  })),
  {
    when: "the condition of --no-overwrite fails",
    flags: ["--no-overwrite"],
    fault: always({ kind: "answer", status: 412, code: "PreconditionFailed" }),
    // the first request creates the marker that shows whether the store honours the condition
    attempts: 2,
    exit: 11,
    hint: /--no-overwrite/
  },
  {
    when: "the signature is for the wrong region",
    store: { region: "eu-west-1" },
    attempts: 1,
    exit: 23,
    hint: /--region eu-west-1/
  },
  {
    when: "the store answers 403 before it reads the body",
    file: "large",
    fault: always({ kind: "early-answer", status: 403, code: "AccessDenied" }),
    // usually one attempt; on a busy host, a write may fail before the program has read the response, and Node then
    // reads no more
    attempts: [1, 3],
    exit: 22,
    hint: /s3:PutObject/
  },
  {
    when: "the store answers 403 with the credentials in its message, and masks them",
    fault: ({ headers }) => ({
      kind: "answer",
      status: 403,
      body: `<Error><Code>AccessDenied</Code><Message>No: ${headers["x-amz-security-token"]}, ${headers["authorization"]}</Message></Error>`
    }),
    attempts: 1,
    exit: 22,
    output: /No: …, …/
  },
  {
    when: "SignatureDoesNotMatch repeats the signed request",
    fault: detailedSignatureError,
    attempts: 2,
    exit: 21,
    hint: /secret/
  }
]

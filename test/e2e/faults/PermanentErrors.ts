/** Answers that will be the same the next time: one attempt, a class, and a hint that leads to the cause. */
import type { CannedAnswer } from "../../fakes/StrictS3.ts"
import { always, type FaultCase, type FaultRule } from "./FaultCase.ts"

const codes: ReadonlyArray<readonly [status: number, code: string, exit: number, hint: RegExp]> = [
  [403, "AccessDenied", 22, /s3:PutObject/],
  [403, "AllAccessDisabled", 22, /bucket/],
  [403, "AccountProblem", 22, /account/],
  [403, "SomethingOfItsOwn", 22, /s3:PutObject/],
  [403, "QuotaExceeded", 10, /quota/i],
  [400, "ExpiredToken", 21, /expired/],
  [400, "TokenRefreshRequired", 21, /expired/],
  [400, "InvalidToken", 21, /session token/],
  [403, "InvalidAccessKeyId", 21, /access key id/],
  [403, "SignatureDoesNotMatch", 21, /secret/],
  [403, "InvalidSecurity", 21, /access key|session token/],
  [403, "RequestExpired", 21, /clock/],
  [404, "NoSuchBucket", 23, /--bucket/],
  [400, "InvalidBucketName", 23, /--bucket/],
  [301, "PermanentRedirect", 23, /--region|--endpoint/],
  [400, "IllegalLocationConstraintException", 23, /--region/],
  [412, "PreconditionFailed", 11, /--no-overwrite/],
  [400, "KMS.DisabledException", 10, /\bkey\b/i],
  [400, "KMS.NotFoundException", 10, /\bkey\b/i],
  [400, "EntityTooLarge", 10, /--part-size/],
  [400, "InvalidRequest", 10, /documentation/],
  [400, "InvalidArgument", 10, /documentation/],
  [400, "InvalidStorageClass", 10, /--storage-class|documentation/],
  [400, "KeyTooLongError", 10, /--prefix|documentation/],
  [411, "MissingContentLength", 10, /./],
  [405, "MethodNotAllowed", 10, /--endpoint/]
]

const page = (status: number, text: string, headers: Record<string, string> = {}): CannedAnswer => ({
  status,
  headers: { "content-type": "text/html", ...headers },
  body: `<html>${text}</html>`
})
const silent = (status: number): CannedAnswer => ({ status, body: "" })

const codeless: ReadonlyArray<readonly [name: string, answer: CannedAnswer, exit: number, hint: RegExp]> = [
  ["403 without a word", silent(403), 22, /s3:PutObject/],
  ["401 without a word", silent(401), 21, /access key/],
  ["404 without a word", silent(404), 23, /--bucket|--endpoint/],
  [
    "403 whose document is torn",
    { status: 403, body: "<?xml version='1.0'?><Error><Code>AccessDen" },
    22,
    /s3:PutObject/
  ],
  ["a proxy's 403 page", page(403, "Blocked by policy"), 30, /proxy/],
  ["a proxy that wants a login", page(407, "Proxy login"), 30, /proxy/],
  ["a proxy that sends to its login page", page(302, "", { location: "http://proxy.example.com/login" }), 30, /proxy/],
  ["a proxy that takes no large bodies", page(413, "Request Entity Too Large"), 10, /--part-size|proxy/],
  ["a web server that knows no such page", page(404, "Not Found"), 30, /--endpoint/],
  ["a web server that expects TLS", page(400, "plain HTTP sent to HTTPS port"), 30, /--endpoint/],
  [
    "a redirect that names the right region",
    { status: 301, code: "PermanentRedirect", headers: { "x-amz-bucket-region": "eu-west-1" } },
    23,
    /--region eu-west-1/
  ]
]

/** All that AWS tells of a signature that is wrong, which no log should repeat. */
const wrongSignature: FaultRule = ({ headers }) => ({
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
    name: `${status} ${code}`,
    strike: always({ kind: "answer", status, code }),
    attempts: 1,
    exit,
    hint
  })),
  ...codeless.map(([name, answer, exit, hint]): FaultCase => ({
    name,
    strike: always({ kind: "answer", ...answer }),
    attempts: 1,
    exit,
    hint
  })),
  {
    name: "a signature for the wrong region",
    store: { region: "eu-west-1" },
    attempts: 1,
    exit: 23,
    hint: /--region eu-west-1/
  },
  {
    name: "403 before the body was sent",
    file: "large",
    strike: always({ kind: "early-answer", status: 403, code: "AccessDenied" }),
    // on a busy host, a write may fail before the answer was read, and Node reads no more then
    attempts: [1, 3],
    exit: 22,
    hint: /s3:PutObject/
  },
  {
    name: "403 whose message repeats the login that was sent",
    strike: ({ headers }) => ({
      kind: "answer",
      status: 403,
      body: `<Error><Code>AccessDenied</Code><Message>No: ${headers["x-amz-security-token"]}, ${headers["authorization"]}</Message></Error>`
    }),
    attempts: 1,
    exit: 22,
    says: /No: …, …/
  },
  {
    name: "a wrong signature, with all that AWS tells of it",
    strike: wrongSignature,
    attempts: 1,
    exit: 21,
    hint: /secret/
  }
]

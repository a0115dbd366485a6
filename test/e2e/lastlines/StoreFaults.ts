/** Faults of the store: requests that it refuses, and features that it does not support. */
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { answering, htmlPage, refusal, type LastLinesCase, onStore } from "./LastLinesCase.ts"

const session = { AWS_SESSION_TOKEN: "t0ken-of-a-session" }
const minutes = 60_000

export const storeFaults: ReadonlyArray<LastLinesCase> = [
  {
    when: "the secret is wrong",
    exit: 21,
    cause: /SignatureDoesNotMatch/i,
    remedy: /secret access key.*AWS_SECRET_ACCESS_KEY/i,
    prepare: onStore({ env: { AWS_SECRET_ACCESS_KEY: "the-secret-of-another-key" } })
  },
  {
    when: "the session has expired",
    exit: 21,
    cause: /expired/i,
    remedy: /renew .*AWS_SESSION_TOKEN/i,
    prepare: onStore({
      options: { identities: [{ ...writer, sessionToken: session.AWS_SESSION_TOKEN, expired: true }] },
      env: session
    })
  },
  {
    when: "the session has expired, and the store reports an unknown key, as MinIO does",
    exit: 21,
    cause: /session has expired/i,
    remedy: /renew .*AWS_SESSION_TOKEN/i,
    prepare: onStore({
      fault: {
        kind: "answer",
        ...refusal(403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.")
      },
      env: session
    })
  },
  {
    when: "the access key is unknown",
    exit: 21,
    cause: /InvalidAccessKeyId/i,
    remedy: /access key id.*AWS_ACCESS_KEY_ID/i,
    prepare: onStore({ env: { AWS_ACCESS_KEY_ID: "AKIAOFANOTHERSTORE00" } })
  },
  {
    when: "the clock is off",
    exit: 21,
    cause: /RequestTimeTooSkewed/i,
    remedy: /set .*clock.*(timedatectl|NTP)/i,
    prepare: onStore({
      fault: {
        kind: "answer",
        ...refusal(
          403,
          "RequestTimeTooSkewed",
          "The difference between the request time and the server's time is too large."
        ),
        headers: { date: new Date(Date.now() - 47 * minutes).toUTCString() }
      }
    })
  },
  {
    when: "the region is wrong",
    exit: 23,
    cause: /region/i,
    remedy: /--region eu-west-1/i,
    prepare: onStore({ options: { region: "eu-west-1" } })
  },
  {
    when: "the bucket does not exist",
    exit: 23,
    cause: /NoSuchBucket|bucket/i,
    remedy: /create the bucket snapshots, or check --bucket/i,
    prepare: onStore({ options: { buckets: ["other"] } })
  },
  {
    when: "the bucket does not exist, and the store denies access because the key may only write",
    exit: 22,
    cause: /AccessDenied/i,
    remedy: /snapshots exists.*--bucket|--bucket.*exists/i,
    prepare: answering(refusal(403, "AccessDenied", "Access Denied."))
  },
  {
    when: "a policy permits another prefix only",
    exit: 22,
    cause: /AccessDenied/i,
    remedy: /s3:PutObject on the bucket snapshots .*--prefix/i,
    prepare: onStore({ options: { identities: [{ ...writer, permissions: { prefix: "other/", abort: true } }] } })
  },
  {
    when: "the store is down",
    exit: 32,
    cause: /503/i,
    remedy: /store is (overloaded or )?down.*next run/i,
    prepare: answering({ status: 503, body: "" })
  },
  {
    when: "the store throttles",
    exit: 32,
    cause: /SlowDown/i,
    remedy: /--concurrency/i,
    prepare: answering(refusal(503, "SlowDown", "Please reduce your request rate."))
  },
  {
    when: "the quota of the bucket is used up",
    exit: 10,
    cause: /QuotaExceeded/i,
    remedy: /quota.*(raise|remove|delete)/i,
    prepare: answering(refusal(403, "QuotaExceeded", "The quota has been exceeded."))
  },
  {
    when: "the store's disks are full",
    exit: 32,
    cause: /XMinioStorageFull/i,
    remedy: /disks are full/i,
    prepare: answering(
      refusal(507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold.")
    )
  },
  {
    when: "a proxy refuses the size of a file",
    exit: 10,
    cause: /413/i,
    remedy: /client_max_body_size/i,
    prepare: onStore({
      fault: {
        kind: "answer",
        status: 413,
        headers: { "content-type": "text/html" },
        body: htmlPage("413 Request Entity Too Large")
      },
      input: tree({ "snapshot_2026112214.jsonl": Buffer.alloc(3_000_000, '{"a":1}\n') })
    })
  }
]

import { type Identity, writer, writerNoAbort } from "../../fakes/StrictS3.ts"

/** A put-only user with a session, so that there are two secrets to keep. */
export const courier: Identity = { ...writer, sessionToken: "courier-session-token" }

export const courierNoAbort: Identity = { ...writerNoAbort, sessionToken: "courier-no-abort-session-token" }

/** What no output may contain: the secrets, and what is made of them. */
export const secrets: ReadonlyArray<string> = [
  ...[courier, courierNoAbort].flatMap(({ secretAccessKey, sessionToken = "" }) => [secretAccessKey, sessionToken]),
  "AWS4-HMAC-SHA256",
  "Signature="
]

/** Put-only users with a session token, so that a run has two secrets to protect. */
import { type Identity, writer, writerNoAbort } from "../../../scripts/strict-s3/StrictS3.ts"

export const sessionWriter: Identity = { ...writer, sessionToken: "writer-session-token" }

export const sessionWriterNoAbort: Identity = { ...writerNoAbort, sessionToken: "writer-no-abort-session-token" }

import { type Identity, writer, writerNoAbort } from "../../fakes/StrictS3.ts"

/** A put-only user with a session, so that there are two secrets to keep. */
export const sessionWriter: Identity = { ...writer, sessionToken: "courier-session-token" }

export const sessionWriterNoAbort: Identity = { ...writerNoAbort, sessionToken: "courier-no-abort-session-token" }

/**
 * What a refusal teaches. After each of these the same request may be accepted, and so is worth one more attempt:
 *
 * | the store says                  | what is learned                                    | if it says so again              |
 * | ------------------------------- | -------------------------------------------------- | -------------------------------- |
 * | the signature's time is off     | its clock, from the answer's `Date`                | rejected, and the offset is told |
 * | the session has expired         | new credentials, if their source has others by now | rejected                         |
 * | a header is not implemented     | that bodies are to go with Content-MD5             | failed, and CRC-32 stays         |
 */
import type { S3Client } from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { revised, type StoreError } from "../../domain/Errors.ts"
import { type Checksum, clocks, type Learned } from "../../domain/Learned.ts"
import type { Renewing } from "./S3Credentials.ts"

/** Milliseconds by which the answer to a request must have moved our idea of the store's clock. */
const correction = 60_000

interface Encryption {
  readonly ServerSideEncryption?: string | undefined
}

export interface Lessons {
  /** What an earlier run has learned. */
  readonly expect: (known: Checksum) => void
  readonly learned: () => Learned
  /** What was asked for an object, and what the answer says of it. */
  readonly created: (asked: Encryption, answer: Encryption) => void
  /** One attempt, with the checksum that the store is thought to take. */
  readonly heeded: <A>(attempt: (checksum: Checksum) => Effect.Effect<A, StoreError>) => Effect.Effect<A, StoreError>
}

export const make = (client: S3Client, credentials: Renewing): Lessons => {
  let checksum: Checksum = "CRC32"
  /** It has been seen whether the store takes the other one. */
  let settled = false
  let answered = false
  let unencrypted = false
  const offset = () => client.config.systemClockOffset

  const clock = (error: StoreError, before: number) => {
    if (error._tag !== "CredentialsRejected" || !isSkew(error.code)) return error
    return Math.abs(offset() - before) > correction
      ? revised(error, { retryable: true })
      : revised(error, { advice: `${clocks(offset())}: set the host's clock` })
  }

  const session = (error: StoreError, used: ReturnType<Renewing["current"]>) =>
    error._tag === "CredentialsRejected" && isExpiry(error.code)
      ? Effect.map(
          Effect.promise(() => credentials.renewed(used)),
          (retryable) => revised(error, { retryable })
        )
      : Effect.succeed(error)

  const headers = (error: StoreError, sent: Checksum) => {
    if (error._tag !== "UploadFailed" || !isUnknown(error)) return error
    // another request has learned it meanwhile
    if (sent !== checksum) return revised(error, { retryable: true })
    if (settled) return error
    if (sent === "MD5") {
      settled = true
      checksum = "CRC32"
      return error
    }
    checksum = "MD5"
    return revised(error, { retryable: true })
  }

  return {
    expect: (known) => {
      checksum = known
      settled = known === "MD5"
    },
    learned: () => ({
      // until it was taken once, it is a guess
      checksum: settled ? checksum : "CRC32",
      clockOffsetMillis: answered ? offset() : undefined,
      unencrypted
    }),
    created: (asked, answer) => {
      unencrypted ||= asked.ServerSideEncryption !== undefined && answer.ServerSideEncryption === undefined
    },
    heeded: (attempt) =>
      Effect.suspend(() => {
        const sent = checksum
        const before = offset()
        const used = credentials.current()
        return attempt(sent).pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              answered = true
              if (sent === "MD5") settled = true
            })
          ),
          Effect.catchAll((error) => Effect.flatMap(session(clock(headers(error, sent), before), used), Effect.fail))
        )
      })
  }
}

const isSkew = (code: string | undefined) => code === "RequestTimeTooSkewed" || code === "RequestExpired"

const isExpiry = (code: string | undefined) =>
  code === "ExpiredToken" || code === "InvalidToken" || code === "TokenRefreshRequired"

const isUnknown = ({ code, status }: { readonly code?: string | undefined; readonly status?: number | undefined }) =>
  status === 501 || code === "NotImplemented"

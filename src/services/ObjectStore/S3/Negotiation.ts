/**
 * What a refusal teaches. After each of these the same request may be accepted, and so is sent once more, at once:
 *
 * | the store says                  | what is learned                                    | if it says so again              |
 * | ------------------------------- | -------------------------------------------------- | -------------------------------- |
 * | the signature's time is off     | its clock, from the answer's `Date`                | rejected, and the offset is told |
 * | the session has expired         | new credentials, if their source has others by now | rejected                         |
 * | a header is not implemented     | that bodies are to go with Content-MD5             | failed, and SHA-256 stays        |
 */
import type { S3Client } from "@aws-sdk/client-s3"
import { Effect, Exit } from "effect"
import {
  type CredentialsRejected,
  revised,
  type StoreAnswer,
  type StoreError,
  type UploadFailed
} from "../../../domain/Errors.ts"
import { type Checksum, describeClockOffset, type StoreTraits } from "../../../domain/StoreTraits.ts"
import * as Callback from "../../../fibers/Callback.ts"
import type { Renewing } from "./Credentials.ts"

/** Milliseconds by which the answer to a request must have moved our idea of the store's clock. */
const correction = 60_000

interface Encryption {
  readonly ServerSideEncryption?: string | undefined
}

export interface Negotiation {
  /** What an earlier run has learned. */
  readonly assumeChecksum: (known: Checksum) => void
  /** Undefined before the first answer. */
  readonly traits: () => StoreTraits | undefined
  /** What was asked for an object, and what the answer says of it. */
  readonly noteEncryption: (asked: Encryption, answer: Encryption) => void
  /** An attempt, with the checksum that the store is thought to take; and another at once, if its refusal teaches. */
  readonly negotiated: <A>(
    attempt: (checksum: Checksum) => Effect.Effect<A, StoreError>
  ) => Effect.Effect<A, StoreError>
}

/** What an attempt was made with. */
interface Made {
  readonly checksum: Checksum
  /** Milliseconds. */
  readonly clockOffset: number
  readonly identity: ReturnType<Renewing["current"]>
}

/** Each lesson can come once. */
const mostLessons = 3

export const make = (client: S3Client, credentials: Renewing): Negotiation => {
  let checksum: Checksum = "SHA256"
  /** It has been seen whether the store takes the other one. */
  let settled = false
  let answered = false
  let unencrypted = false
  const clockOffset = () => client.config.systemClockOffset

  const clock = (error: CredentialsRejected, made: Made) =>
    Math.abs(clockOffset() - made.clockOffset) > correction
      ? again
      : Effect.fail(revised(error, { advice: `${describeClockOffset(clockOffset())}: set the host's clock` }))

  const session = (error: CredentialsRejected, { identity }: Made) =>
    Effect.flatMap(
      Effect.promise(() => credentials.renewed(identity)),
      (news) => {
        if (news === "others") return again
        return Effect.fail(revised(error, { retryable: news === "unknown" }))
      }
    )

  const header = (error: UploadFailed, made: Made) => {
    // another request has learned it meanwhile
    if (made.checksum !== checksum) return again
    if (settled) return Effect.fail(error)
    if (checksum === "MD5") {
      settled = true
      checksum = "SHA256"
      return Effect.fail(error)
    }
    checksum = "MD5"
    return again
  }

  /** Ends if something was learned; else fails with what is known of the failure. */
  const heed = (error: StoreError, made: Made): Effect.Effect<void, StoreError> => {
    if (error._tag === "CredentialsRejected" && isSkew(error)) return clock(error, made)
    if (error._tag === "CredentialsRejected" && isExpiry(error)) return session(error, made)
    return error._tag === "UploadFailed" && isUnknown(error) ? header(error, made) : Effect.fail(error)
  }

  const heeded = <A>(
    attempt: (checksum: Checksum) => Effect.Effect<A, StoreError>,
    lessons: number
  ): Effect.Effect<A, StoreError> =>
    Callback.suspend(() => {
      const made = { checksum, clockOffset: clockOffset(), identity: credentials.current() }
      return Callback.matchEffect(attempt(checksum), {
        onSuccess: (answer) => {
          answered = true
          if (made.checksum === "MD5") settled = true
          return Exit.succeed(answer)
        },
        onFailure: (error) =>
          lessons === 0 ? Exit.fail(error) : Effect.zipRight(heed(error, made), heeded(attempt, lessons - 1))
      })
    })

  return {
    assumeChecksum: (known) => {
      checksum = known
      settled = known === "MD5"
    },
    // until it was taken once, the other checksum is a guess
    traits: () =>
      answered ? { checksum: settled ? checksum : "SHA256", clockOffsetMillis: clockOffset(), unencrypted } : undefined,
    noteEncryption: (asked, answer) => {
      unencrypted ||= asked.ServerSideEncryption !== undefined && answer.ServerSideEncryption === undefined
    },
    negotiated: (attempt) => heeded(attempt, mostLessons)
  }
}

const again = Effect.void

type Coded = Pick<StoreAnswer, "code" | "status">

const isSkew = ({ code }: Coded) => code === "RequestTimeTooSkewed" || code === "RequestExpired"

const isExpiry = ({ code }: Coded) =>
  code === "ExpiredToken" || code === "InvalidToken" || code === "TokenRefreshRequired"

const isUnknown = ({ code, status }: Coded) => status === 501 || code === "NotImplemented"

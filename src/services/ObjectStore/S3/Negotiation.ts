/**
 * Adapts requests to the store. After each of these refusals, changes something and sends the request once more, at
 * once, because it may then succeed:
 *
 * | the store refuses because   | what changes                                  | if it refuses again                |
 * | --------------------------- | --------------------------------------------- | ---------------------------------- |
 * | the signature's time is off | the time, to that in the response             | rejected, and the host's time is used again |
 * | the session has expired     | the credentials, if their source has new ones | rejected                           |
 * | a header is not implemented | bodies go with Content-MD5 instead of SHA-256 | failed, and SHA-256 is used again  |
 */
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
import type { RenewingCredentials } from "./Credentials.ts"
import type { StoreClock } from "./StoreClock.ts"

interface Encryption {
  readonly ServerSideEncryption?: string | undefined
}

export interface Negotiation {
  /** Starts with the checksum that the store accepted in an earlier run. */
  readonly assumeChecksum: (accepted: Checksum) => void
  /** Undefined before the first response. */
  readonly traits: () => StoreTraits | undefined
  /** Compares the encryption that was requested for an object with the one that the store confirmed. */
  readonly noteEncryption: (requested: Encryption, confirmed: Encryption) => void
  /**
   * Runs an attempt with the checksum that the store is believed to accept, and repeats it as the table says. A
   * `Callback` if the attempt is one.
   */
  readonly negotiated: <A>(
    attempt: (checksum: Checksum) => Effect.Effect<A, StoreError>
  ) => Effect.Effect<A, StoreError>
}

/** The values that an attempt relied on. */
interface Assumptions {
  readonly checksum: Checksum
  /** Of the clock, in milliseconds. */
  readonly correction: number
  readonly identity: ReturnType<RenewingCredentials["current"]>
}

/** One for each row of the table. */
const maxRepeats = 3

export const make = (clock: StoreClock, credentials: RenewingCredentials): Negotiation => {
  let checksum: Checksum = "SHA256"
  /** Whether the store has accepted or refused Content-MD5. */
  let md5Tested = false
  let answered = false
  let unencrypted = false

  const correctClock = (error: CredentialsRejected, { correction }: Assumptions) =>
    clock.refuse(correction, error.storeTime) ? repeat : Effect.fail(revised(error, { advice: clockAdvice(error) }))

  const renewSession = (error: CredentialsRejected, { identity }: Assumptions) =>
    Effect.flatMap(
      Effect.promise(() => credentials.renew(identity)),
      (result) => (result === "renewed" ? repeat : Effect.fail(revised(error, { retryable: result === "unavailable" })))
    )

  const switchChecksum = (error: UploadFailed, assumed: Assumptions) => {
    // another request has switched it in the meantime
    if (assumed.checksum !== checksum) return repeat
    if (md5Tested) return Effect.fail(error)
    if (checksum === "MD5") {
      md5Tested = true
      checksum = "SHA256"
      return Effect.fail(error)
    }
    checksum = "MD5"
    return repeat
  }

  /** Succeeds if another attempt may succeed. */
  const adapt = (error: StoreError, assumed: Assumptions): Effect.Effect<void, StoreError> => {
    if (error._tag === "CredentialsRejected" && isSkew(error)) return correctClock(error, assumed)
    if (error._tag === "CredentialsRejected" && isExpiry(error)) return renewSession(error, assumed)
    return error._tag === "UploadFailed" && isNotImplemented(error)
      ? switchChecksum(error, assumed)
      : Effect.fail(error)
  }

  const negotiated = <A>(
    attempt: (checksum: Checksum) => Effect.Effect<A, StoreError>,
    repeatsLeft = maxRepeats
  ): Effect.Effect<A, StoreError> =>
    Callback.suspend(() => {
      const assumed = { checksum, correction: clock.correction(), identity: credentials.current() }
      return Callback.matchEffect(attempt(checksum), {
        onSuccess: (answer) => {
          answered = true
          clock.accept(assumed.correction)
          if (assumed.checksum === "MD5") md5Tested = true
          return Exit.succeed(answer)
        },
        onFailure: (error) =>
          repeatsLeft === 0
            ? Exit.fail(error)
            : Effect.zipRight(adapt(error, assumed), negotiated(attempt, repeatsLeft - 1))
      })
    })

  return {
    assumeChecksum: (accepted) => {
      checksum = accepted
      md5Tested = accepted === "MD5"
    },
    // Content-MD5 is only a guess until the store has accepted it
    traits: () =>
      answered
        ? { checksum: md5Tested ? checksum : "SHA256", clockOffsetMillis: clock.observed(), unencrypted }
        : undefined,
    noteEncryption: (requested, confirmed) => {
      unencrypted ||= requested.ServerSideEncryption !== undefined && confirmed.ServerSideEncryption === undefined
    },
    negotiated: (attempt) => negotiated(attempt)
  }
}

const repeat = Effect.void

const clockAdvice = ({ storeTime }: StoreAnswer) => {
  const offset = storeTime === undefined ? 0 : storeTime - Date.now()
  const hint = "stores refuse signatures that are more than 15 minutes off"
  return Math.abs(offset) < minute
    ? `check this host's clock and a proxy's: ${hint}, although the answer's time is this host's`
    : `${describeClockOffset(offset)}: set the host's clock; ${hint}`
}

const minute = 60_000

type Coded = Pick<StoreAnswer, "code" | "status">

const isSkew = ({ code }: Coded) => code === "RequestTimeTooSkewed" || code === "RequestExpired"

const isExpiry = ({ code }: Coded) =>
  code === "ExpiredToken" || code === "InvalidToken" || code === "TokenRefreshRequired"

const isNotImplemented = ({ code, status }: Coded) => status === 501 || code === "NotImplemented"

/**
 * Adapts requests to the store. After each of these refusals, it makes a change and sends the request again at once:
 *
 * | the store refuses because   | what changes                                  | if it refuses again                |
 * | --------------------------- | --------------------------------------------- | ---------------------------------- |
 * | the signature's time is off | the time, to that in the response             | rejected, and the host's time is used again |
 * | the session has expired     | the credentials, if their source has new ones | rejected                           |
 * | it accepts no such checksum | the checksum: see `ChecksumDialect`           | failed with the first refusal      |
 */
import { Effect, Exit } from "effect"
import { type CredentialsRejected, revised, type StoreAnswer, type StoreError } from "../../../domain/Errors.ts"
import { type Checksum, describeClockOffset, type StoreTraits } from "../../../domain/StoreTraits.ts"
import * as Callback from "../../../fibers/Callback.ts"
import * as ChecksumDialect from "./ChecksumDialect.ts"
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
   * Runs an attempt with `first`, or with the checksum that the store seems to accept, and repeats it as the table
   * says. A `Callback` if the attempt is one.
   */
  readonly withChecksum: <A>(operation: ChecksumDialect.Operation, attempt: Attempt<A>, first?: Checksum) => Result<A>
  /** Repeats an attempt without a checksum as the table says. */
  readonly negotiated: <A>(attempt: Result<A>) => Result<A>
}

type Result<A> = Effect.Effect<A, StoreError>

type Attempt<A> = (checksum: Checksum) => Result<A>

/** The values that an attempt relied on. */
interface Assumptions {
  /** The correction of the clock, in milliseconds. */
  readonly correction: number
  readonly identity: ReturnType<RenewingCredentials["current"]>
}

/** The attempts of one request before the current one. */
interface History {
  /** The checksums tried so far, including that of the current attempt. */
  readonly checksums: ReadonlyArray<Checksum>
  /** Why the first checksum was refused. */
  readonly refusal: StoreError | undefined
  readonly repeatsLeft: number
}

/** The maximum number of repeats with the same checksum. */
const maxRepeats = 3

export const make = (clock: StoreClock, credentials: RenewingCredentials): Negotiation => {
  const dialect = ChecksumDialect.make()
  let answered = false
  let unencrypted = false

  const correctClock = (error: CredentialsRejected, { correction }: Assumptions) =>
    clock.refuse(correction, error.storeTime) ? repeat : Effect.fail(revised(error, { advice: clockAdvice(error) }))

  const renewSession = (error: CredentialsRejected, { identity }: Assumptions) =>
    Effect.flatMap(
      Effect.promise(() => credentials.renew(identity)),
      (result) => (result === "renewed" ? repeat : Effect.fail(revised(error, { retryable: result === "unavailable" })))
    )

  /** Adapts to the refusal. Succeeds if the same attempt may now succeed. */
  const adapt = (error: StoreError, assumed: Assumptions): Effect.Effect<void, StoreError> => {
    if (error._tag === "CredentialsRejected" && isSkew(error)) return correctClock(error, assumed)
    if (error._tag === "CredentialsRejected" && isExpiry(error, assumed)) return renewSession(error, assumed)
    return Effect.fail(error)
  }

  /** Makes an attempt at once, when it is called and not when its result runs. */
  const run = <A>(
    operation: ChecksumDialect.Operation | undefined,
    attempt: Attempt<A>,
    { checksums, refusal, repeatsLeft }: History
  ): Result<A> => {
    const checksum = checksums[checksums.length - 1]!
    const assumed = { correction: clock.correction(), identity: credentials.current() }
    return Callback.matchEffect(attempt(checksum), {
      onSuccess: (answer) => {
        answered = true
        clock.accept(assumed.correction)
        if (operation !== undefined) dialect.accept(operation, checksum)
        return Exit.succeed(answer)
      },
      onFailure: (error) => {
        const next = operation && dialect.next(operation, error, checksums)
        if (next !== undefined)
          return run(operation, attempt, { checksums: [...checksums, next], refusal: refusal ?? error, repeatsLeft })
        if (operation !== undefined && refusal !== undefined && ChecksumDialect.refusalOf(error) !== undefined) {
          dialect.exhaust(operation)
          return Exit.fail(refusal)
        }
        return repeatsLeft === 0
          ? Exit.fail(error)
          : Effect.flatMap(adapt(error, assumed), () =>
              run(operation, attempt, { checksums, refusal, repeatsLeft: repeatsLeft - 1 })
            )
      }
    })
  }

  const start = (checksum: Checksum): History => ({
    checksums: [checksum],
    refusal: undefined,
    repeatsLeft: maxRepeats
  })

  return {
    assumeChecksum: dialect.assume,
    traits: () =>
      answered ? { checksum: dialect.current(), clockOffsetMillis: clock.observed(), unencrypted } : undefined,
    noteEncryption: (requested, confirmed) => {
      unencrypted ||= requested.ServerSideEncryption !== undefined && confirmed.ServerSideEncryption === undefined
    },
    withChecksum: (operation, attempt, first) =>
      Callback.suspend(() => run(operation, attempt, start(first ?? dialect.current()))),
    negotiated: (attempt) => Callback.suspend(() => run(undefined, () => attempt, start("none")))
  }
}

const repeat = Effect.void

const clockAdvice = ({ storeTime }: StoreAnswer) => {
  const offset = storeTime === undefined ? 0 : storeTime - Date.now()
  const hint = "stores refuse signatures that are more than 15 minutes off"
  return Math.abs(offset) < minute
    ? `check this host's clock and a proxy's: ${hint}, although the answer's time is this host's`
    : `${describeClockOffset(offset)}: set the host's clock, for example with timedatectl set-ntp true; ${hint}`
}

const minute = 60_000

type Coded = Pick<StoreAnswer, "code" | "status">

const isSkew = ({ code }: Coded) => code === "RequestTimeTooSkewed" || code === "RequestExpired"

/** Whether the session has expired. MinIO reports the access key of an expired session as unknown. */
const isExpiry = ({ code }: Coded, { identity }: Assumptions) =>
  code === "ExpiredToken" ||
  code === "InvalidToken" ||
  code === "TokenRefreshRequired" ||
  (code === "InvalidAccessKeyId" && identity?.sessionToken !== undefined)

/** How fast requests follow one another: one controller for all files, so that what one meets slows all of them. */
import { Clock, Duration, Effect, Option } from "effect"
import * as Concurrency from "../domain/Concurrency.ts"
import { type CredentialsMissing, Interrupted, revised, type StoreError } from "../domain/Errors.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Span from "../domain/Span.ts"
import { longestRetryAfter } from "./Patience.ts"
import { Stop } from "./Stop.ts"

export type Options = Pick<Settings, "concurrency" | "giveUpAfter">

/**
 * Lets an attempt pass when there is room for it, and learns from how it ends:
 *
 * - An overloaded store or line lets fewer pass (`Concurrency`).
 * - A store that asks for a pause (`Retry-After`) gets it from all; one that asks for a long one, until the next run.
 * - When nothing but failures that may pass has come for `giveUpAfter`, the run ends: the next one may meet a better
 *   time. So a dead store costs that long, and the requests in flight then, whatever the number of files.
 */
export const make = ({ concurrency, giveUpAfter }: Options) =>
  Effect.gen(function* () {
    const stop = yield* Stop
    const clock = yield* Clock.clockWith(Effect.succeed)
    const room = yield* Effect.makeSemaphore(concurrency.initial)
    let current = Concurrency.begin(concurrency)
    /** In milliseconds, and never set back, as the host's clock may be. */
    const time = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    let pauseUntil = 0
    /** When something went well last, and when nothing did any more. */
    let wellAt = 0
    let failingSince: number | undefined

    const become = (next: Concurrency.Concurrency) => {
      const changed = Concurrency.requests(next) !== Concurrency.requests(current)
      current = next
      return changed ? room.resize(Concurrency.requests(next)) : Effect.void
    }

    const answered = Effect.suspend(() => {
      wellAt = time()
      failingSince = undefined
      return become(Concurrency.grown(current, concurrency))
    })

    const failed = (error: Passing, began: { readonly at: number; readonly cuts: number }) =>
      Effect.suspend(() => {
        const now = time()
        failingSince ??= Math.max(wellAt, began.at)
        const retryAfter = error.retryAfter ?? Duration.zero
        if (Duration.greaterThan(retryAfter, longestRetryAfter)) return giveUp(error, asked(retryAfter))
        if (now - failingSince >= Duration.toMillis(giveUpAfter)) return giveUp(error, inVain(giveUpAfter))
        pauseUntil = Math.max(pauseUntil, now + Duration.toMillis(retryAfter))
        return error.overload === true ? become(Concurrency.cut(current, began.cuts)) : Effect.void
      })

    const giveUp = (error: Passing, why: string) =>
      stop.request({
        _tag: "Failure",
        error: revised(error, { advice: `${error.hint}; ${why}, so the run ended, and the next one goes on` })
      })

    /** Looks again after it, because a longer one may have been asked for meanwhile. */
    const pause: Effect.Effect<Option.Option<unknown>> = Effect.flatMap(stop.reason, (reason) => {
      const millis = pauseUntil - time()
      return Option.isSome(reason) || millis <= 0
        ? Effect.succeed(reason)
        : Effect.zipRight(Effect.raceFirst(Effect.sleep(millis), stop.requested), pause)
    })

    return <A>(attempt: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError | Interrupted> =>
      room.withPermits(1)(
        Effect.flatMap(pause, (reason): Effect.Effect<A, StoreError | Interrupted> => {
          if (Option.isSome(reason)) return Effect.fail(new Interrupted())
          const began = { at: time(), cuts: current.cuts }
          return Effect.tapBoth(attempt, {
            onFailure: (error) => {
              if (mayPass(error)) return failed(error, began)
              return isOfStore(error) ? answered : Effect.void
            },
            onSuccess: () => answered
          })
        })
      )
  })

type Passing = Exclude<StoreError, CredentialsMissing>

const mayPass = (error: StoreError): error is Passing => "retryable" in error && error.retryable

/** A refusal for good, after which the store is known to be there. */
const isOfStore = ({ _tag }: StoreError) =>
  _tag !== "NetworkFailure" && _tag !== "TlsFailure" && _tag !== "CredentialsMissing"

const inVain = (giveUpAfter: Duration.Duration) =>
  `no request went well for ${Span.format(giveUpAfter)} (--give-up-after)`

const asked = (retryAfter: Duration.Duration) => `the store asked to be left alone for ${Span.format(retryAfter)}`

/** How fast requests follow one another: one controller for all files, so that what one meets slows all of them. */
import { Cause, Clock, Duration, Effect, Exit, FiberId, Option, type Scope } from "effect"
import * as ConcurrencyLimit from "../../domain/ConcurrencyLimit.ts"
import { type CredentialsMissing, Interrupted, revised, type StoreError } from "../../domain/Errors.ts"
import { showsStoreAlive } from "../../domain/FailureClass.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as DurationText from "../../domain/DurationText.ts"
import * as Callback from "../../fibers/Callback.ts"
import { longestRetryAfter } from "./Retry.ts"
import { Stop } from "../Stop.ts"
import * as Timeouts from "./Timeouts.ts"

export type Options = Pick<Settings, "concurrency" | "giveUpAfter" | "timeout">

export interface Limiter {
  /**
   * Runs an attempt as soon as there is room for it, for at most `timeout`. Fails as `Interrupted` where no request is to
   * be begun any more. A `Call`.
   */
  readonly limit: <A>(
    attempt: Effect.Effect<A, StoreError>,
    bodyBytes?: number
  ) => Effect.Effect<A, StoreError | Interrupted>
}

/**
 * Lets attempts pass, in the order in which they come, and learns from how they end:
 *
 * - An overloaded store or line lets fewer pass (`Concurrency`).
 * - A store that asks for a pause (`Retry-After`) gets it from all; one that asks for a long one, until the next run.
 * - When nothing but failures that may pass has come for `giveUpAfter`, the run ends: the next one may meet a better
 *   time. So a dead store costs that long, and the requests in flight then, whatever the number of files.
 *
 * A queue and calls, for a semaphore, a time-out and their fibers cost more than the request itself.
 */
export const make = ({
  concurrency,
  giveUpAfter,
  timeout
}: Options): Effect.Effect<Limiter, never, Scope.Scope | Stop> =>
  Effect.gen(function* () {
    const stop = yield* Stop
    const clock = yield* Clock.clockWith(Effect.succeed)
    const watch = yield* Timeouts.forRequests(timeout)
    const runtime = yield* Effect.runtime()
    const fork = Callback.forkIn(runtime)
    /** Each begins its attempt, or is told that none is begun any more. */
    const queue = new Map<(begin: boolean) => void, number>()
    /** By their weights, as `concurrency` counts. */
    let inFlight = 0
    let current: ConcurrencyLimit.ConcurrencyLimit | undefined
    /** In milliseconds, and never set back, as the host's clock may be. */
    const time = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    let pauseUntil = 0
    let isPausing = false
    /** When something went well last, and when nothing did any more. */
    let wellAt = 0
    let failingSince: number | undefined

    let loop = performance.eventLoopUtilization()
    const isBusy = () => {
      const { utilization } = performance.eventLoopUtilization(loop)
      loop = performance.eventLoopUtilization()
      return utilization > busy
    }

    const answered = (weight: number) => {
      wellAt = time()
      failingSince = undefined
      if (current !== undefined)
        current = ConcurrencyLimit.afterSuccess(current, concurrency, { weight, atMillis: wellAt, isBusy })
    }

    const failed = (error: Passing, began: { readonly at: number; readonly cuts: number }) => {
      const now = time()
      failingSince ??= Math.max(wellAt, began.at)
      const retryAfter = error.retryAfter ?? Duration.zero
      if (Duration.greaterThan(retryAfter, longestRetryAfter)) giveUp(error, asked(retryAfter))
      else if (now - failingSince >= Duration.toMillis(giveUpAfter)) giveUp(error, inVain(giveUpAfter))
      else {
        pauseUntil = Math.max(pauseUntil, now + Duration.toMillis(retryAfter))
        if (error.overload === true && current !== undefined)
          current = ConcurrencyLimit.afterOverload(current, began.cuts)
      }
    }

    const giveUp = (error: Passing, why: string) => {
      const advice = `${error.hint}; ${why}, so the run ended, and the next one goes on`
      fork(stop.request({ _tag: "Failure", error: revised(error, { advice }) }))
    }

    /** Begins what there is room for. */
    const admit = () => {
      // the first request begins the first round
      if (queue.size > 0) current ??= ConcurrencyLimit.start(concurrency, time())
      for (const [next, weight] of queue) {
        const isStopped = Option.isSome(stop.peek())
        const isFull =
          current !== undefined && inFlight > 0 && inFlight + weight > ConcurrencyLimit.maxInFlight(current)
        if (!isStopped && isFull) return
        const pause = pauseUntil - time()
        if (!isStopped && pause > 0) return resumeAfter(pause)
        queue.delete(next)
        next(!isStopped)
      }
    }

    /** It looks again then, because a longer one may have been asked for meanwhile. */
    const resumeAfter = (millis: number) => {
      if (isPausing) return
      isPausing = true
      const resume = Effect.sync(() => {
        isPausing = false
        admit()
      })
      fork(Effect.zipRight(Effect.sleep(millis), resume))
    }

    yield* Effect.forkScoped(Effect.zipRight(stop.requested, Effect.sync(admit)))

    const limit = <A>(
      attempt: Effect.Effect<A, StoreError>,
      bodyBytes = 0
    ): Effect.Effect<A, StoreError | Interrupted> =>
      Callback.make((ended) => {
        const weight = ConcurrencyLimit.weight(concurrency, bodyBytes)
        /** What it came to, if it was broken off. */
        let broken: Exit.Exit<never, StoreError> | undefined
        let breakAttempt = () => {}
        const breakOff = (exit: typeof broken) => {
          broken ??= exit
          breakAttempt()
        }
        const start = (begin: boolean) => {
          if (!begin) return ended(Exit.fail(new Interrupted()))
          inFlight += weight
          const began = { at: time(), cuts: current?.cuts ?? 0 }
          const unwatch = watch((failure) => breakOff(Exit.fail(failure)))
          const attempted = (told: Exit.Exit<A, StoreError>) => {
            unwatch()
            inFlight -= weight
            const exit = Exit.isFailure(told) ? (broken ?? told) : told
            const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
            if (Exit.isSuccess(exit)) answered(weight)
            else if (error !== undefined && mayPass(error)) failed(error, began)
            else if (error !== undefined && showsStoreAlive(error)) answered(weight)
            ended(exit)
            admit()
          }
          breakAttempt = Callback.start(attempt, attempted, fork)
        }
        queue.set(start, weight)
        admit()
        const interrupted = Exit.interrupt(FiberId.none)
        return () => (queue.delete(start) ? ended(interrupted) : breakOff(interrupted))
      })

    return { limit }
  })

/** Part of the time that is spent on work. */
const busy = 0.9

type Passing = Exclude<StoreError, CredentialsMissing>

const mayPass = (error: StoreError): error is Passing => "retryable" in error && error.retryable

const inVain = (giveUpAfter: Duration.Duration) =>
  `no request went well for ${DurationText.format(giveUpAfter)} (--give-up-after)`

const asked = (retryAfter: Duration.Duration) =>
  `the store asked to be left alone for ${DurationText.format(retryAfter)}`

/** Limits the requests in flight. All files share one limit, so that an overload slows down all of them. */
import { Cause, Clock, Duration, Effect, Exit, FiberId, Option, type Scope } from "effect"
import * as ConcurrencyLimit from "../../domain/ConcurrencyLimit.ts"
import * as DurationText from "../../domain/DurationText.ts"
import { type CredentialsMissing, Interrupted, revised, type StoreError } from "../../domain/Errors.ts"
import { showsStoreAlive } from "../../domain/FailureClass.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as Callback from "../../fibers/Callback.ts"
import { Stop } from "../Stop.ts"
import { longestRetryAfter } from "./Retry.ts"
import * as Timeouts from "./Timeouts.ts"

export type Options = Pick<Settings, "concurrency" | "giveUpAfter" | "timeout">

export interface Limiter {
  /**
   * Runs an attempt as soon as the limit admits it, with the timeout of `Timeouts`. Fails with `Interrupted` if a stop
   * is requested before the attempt starts. `weighedBytes`: the size of the body, or less if something else already
   * limits the bodies in flight. A `Callback`.
   */
  readonly limit: <A>(
    attempt: Effect.Effect<A, StoreError>,
    bodyBytes?: number,
    weighedBytes?: number
  ) => Effect.Effect<A, StoreError | Interrupted>
}

/**
 * Admits attempts in order of arrival, and learns from their results:
 *
 * - After an overload of the store or the network, it admits fewer at a time (`ConcurrencyLimit`).
 * - If the store asks for a pause (`Retry-After`) and nothing has succeeded since it received that request, all requests
 *   wait. The next success ends the pause: the store refuses some requests, such as those above its limit, and accepts
 *   others. A long pause without a success ends the run.
 * - After `giveUpAfter` with only transient failures, the run ends; the next run may succeed. A dead store costs only
 *   this time plus the requests in flight, whatever the number of files.
 *
 * It is a queue of callbacks: a semaphore, a timeout and their fibers cost more than the request itself.
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
    /** Waiting attempts with their weights. Call one with true to start it, or with false to fail it as interrupted. */
    const queue = new Map<(isAdmitted: boolean) => void, number>()
    /** The sum of the weights of the requests in flight. */
    let inFlight = 0
    let current: ConcurrencyLimit.ConcurrencyLimit | undefined
    /** Milliseconds of a monotonic clock. */
    const time = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    let pauseUntil = 0
    /** When the queue continues after a pause; infinite if it is not paused. */
    let resumesAt = Infinity
    /** The failure that asked for a pause of more than `longestRetryAfter`. */
    let longPause: TransientError | undefined
    let succeededAt = -Infinity
    /** When the store last responded, and when the current series of failures began. */
    let aliveAt = 0
    let failingSince: number | undefined

    let loop = performance.eventLoopUtilization()
    const isBusy = () => {
      const { utilization } = performance.eventLoopUtilization(loop)
      loop = performance.eventLoopUtilization()
      return utilization > busyUtilization
    }

    const onAlive = (weight: number) => {
      aliveAt = time()
      failingSince = undefined
      if (current !== undefined)
        current = ConcurrencyLimit.afterSuccess(current, concurrency, { weight, atMillis: aliveAt, isBusy })
    }

    const onSuccess = (weight: number) => {
      onAlive(weight)
      succeededAt = aliveAt
      pauseUntil = 0
      longPause = undefined
    }

    const onTransient = (error: TransientError, started: { readonly at: number; readonly cuts: number }) => {
      const now = time()
      // a request that took longer than the timeout made progress until the timeout began
      failingSince ??= Math.max(aliveAt, started.at, now - Duration.toMillis(timeout))
      if (now - failingSince >= Duration.toMillis(giveUpAfter)) endRun(error, noSuccess(giveUpAfter))
      if (error.overload === true && current !== undefined)
        current = ConcurrencyLimit.afterOverload(current, started.cuts)
      const retryAfter = error.retryAfter ?? Duration.zero
      if (succeededAt >= started.at) return
      pauseUntil = Math.max(pauseUntil, now + Duration.toMillis(retryAfter))
      if (Duration.greaterThan(retryAfter, longestRetryAfter)) longPause = error
    }

    const endRun = (error: TransientError, why: string) => {
      const advice = `${error.hint}; ${why}, so the run ended; the next run continues`
      fork(stop.request({ _tag: "Failure", error: revised(error, { advice }) }))
    }

    /** Starts the attempts for which there is room. */
    const admit = () => {
      // the first round of the limit starts with the first request
      if (queue.size > 0) current ??= ConcurrencyLimit.start(concurrency, time())
      for (const [next, weight] of queue) {
        const isStopped = Option.isSome(stop.peek())
        const isFull =
          current !== undefined && inFlight > 0 && inFlight + weight > ConcurrencyLimit.maxInFlight(current)
        if (!isStopped && isFull) return
        const pause = pauseUntil - time()
        if (!isStopped && pause > 0) return admitAfter(pause)
        queue.delete(next)
        next(!isStopped)
      }
    }

    /** Calls `admit` after the pause. It checks the pause again, because it may have been extended. */
    const admitAfter = (millis: number) => {
      if (pauseUntil >= resumesAt) return
      resumesAt = pauseUntil
      const resume = Effect.sync(() => {
        resumesAt = Infinity
        admit()
      })
      fork(Effect.zipRight(Effect.sleep(millis), resume))
    }

    yield* Effect.forkScoped(Effect.zipRight(stop.requested, Effect.sync(admit)))

    const limit = <A>(
      attempt: Effect.Effect<A, StoreError>,
      bodyBytes = 0,
      weighedBytes = bodyBytes
    ): Effect.Effect<A, StoreError | Interrupted> =>
      Callback.make((onEnd) => {
        const weight = ConcurrencyLimit.weight(concurrency, weighedBytes)
        /** The result of an attempt that was cancelled. */
        let cancelled: Exit.Exit<never, StoreError> | undefined
        let cancelAttempt = () => {}
        const cancel = (exit: typeof cancelled) => {
          cancelled ??= exit
          cancelAttempt()
        }
        const start = (isAdmitted: boolean) => {
          if (!isAdmitted) return onEnd(Exit.fail(new Interrupted()))
          inFlight += weight
          const started = { at: time(), cuts: current?.cuts ?? 0 }
          const unwatch = watch(bodyBytes, (failure) => cancel(Exit.fail(failure)))
          const onExit = (own: Exit.Exit<A, StoreError>) => {
            unwatch()
            inFlight -= weight
            const exit = Exit.isFailure(own) ? (cancelled ?? own) : own
            const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
            if (Exit.isSuccess(exit)) onSuccess(weight)
            else if (error !== undefined && isTransient(error)) onTransient(error, started)
            else if (error !== undefined && showsStoreAlive(error)) onAlive(weight)
            // no request is in flight that could succeed before the pause ends
            if (longPause !== undefined && inFlight === 0) endRun(longPause, pauseTooLong(longPause))
            onEnd(exit)
            admit()
          }
          cancelAttempt = Callback.start(attempt, onExit, fork)
        }
        queue.set(start, weight)
        admit()
        const interrupted = Exit.interrupt(FiberId.none)
        return () => (queue.delete(start) ? onEnd(interrupted) : cancel(interrupted))
      })

    return { limit }
  })

/** The event loop is busy if it spends more than this share of its time on work. */
const busyUtilization = 0.9

type TransientError = Exclude<StoreError, CredentialsMissing>

const isTransient = (error: StoreError): error is TransientError => "retryable" in error && error.retryable

const noSuccess = (giveUpAfter: Duration.Duration) =>
  `no request has succeeded for ${DurationText.format(giveUpAfter)} (--give-up-after)`

const pauseTooLong = ({ retryAfter = Duration.zero }: TransientError) =>
  `the store asked for a pause of ${DurationText.format(retryAfter)}`

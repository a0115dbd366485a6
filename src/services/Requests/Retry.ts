import { Duration, Effect, Schedule } from "effect"
import { type FileError, Interrupted } from "../../domain/Errors.ts"
import { Stop } from "../Stop.ts"

const base = Duration.millis(200)
const cap = Duration.seconds(20)
/** If the store asks for a longer pause and accepts no request, the run ends, and the next run tries again. */
export const longestRetryAfter = Duration.minutes(1)

const isRetryable = (error: FileError) => "retryable" in error && error.retryable

/**
 * How long a single request waits because of Retry-After: at most half a second before its first retry, one second
 * before the second, and two before the third. MinIO asks for a minute as soon as it has too many requests, although it
 * would accept the refused ones a second later. If the store accepts no request at all, the limiter makes all requests
 * wait for the whole pause.
 */
const ownPause = (error: FileError, retries: number) =>
  "retryAfter" in error && error.retryAfter !== undefined
    ? Duration.min(error.retryAfter, Duration.millis(500 * 2 ** retries))
    : Duration.zero

/**
 * The pause before each retry: exponential from 200 ms to at most 20 s, with full jitter, and never shorter than
 * `ownPause`. Full jitter spreads the retries of clients that were refused at the same time ("Exponential Backoff and
 * Jitter", AWS Architecture Blog). The schedule ends after `maxRetries`, or at an error that is not retryable.
 */
export const schedule = (maxRetries: number) =>
  Schedule.exponential(base).pipe(
    Schedule.modifyDelay((_, delay) => Duration.min(delay, cap)),
    Schedule.jitteredWith({ min: 0, max: 1 }),
    Schedule.whileInput(isRetryable),
    Schedule.passthrough,
    Schedule.intersect(Schedule.recurs(maxRetries)),
    Schedule.modifyDelay(([error, retries], delay) => Duration.max(delay, ownPause(error, retries)))
  )

/**
 * Retries `attempt`. `first`: the first attempt, if the caller has already made it. Unlike `Effect.retry`, it stops
 * waiting as soon as a stop is requested.
 */
export const make = (maxRetries: number) =>
  Effect.map(Stop, (stop) => {
    const stopped = Effect.flatMap(stop.requested, () => Effect.fail(new Interrupted()))
    return <A, E extends FileError>(
      attempt: Effect.Effect<A, E | Interrupted>,
      onRetry: (error: E) => Effect.Effect<void>,
      first: Effect.Effect<A, E | Interrupted> = attempt
    ): Effect.Effect<A, E | Interrupted> =>
      // most requests succeed and need no schedule
      Effect.catchAll(first, (failure) =>
        Effect.flatMap(Schedule.driver(schedule(maxRetries)), (driver) => {
          const retry = (error: E | Interrupted): Effect.Effect<A, E | Interrupted> =>
            isInterrupted(error)
              ? Effect.fail(error)
              : driver.next(error).pipe(
                  Effect.mapError(() => error),
                  Effect.raceFirst(stopped),
                  Effect.zipRight(Effect.suspend(() => onRetry(error))),
                  Effect.zipRight(Effect.catchAll(attempt, retry))
                )
          return retry(failure)
        })
      )
  })

const isInterrupted = (error: FileError | Interrupted): error is Interrupted => error._tag === "Interrupted"

/**
 * Limits how long an attempt may take: `--timeout` plus a second for each 8 KiB of its body. The connection already
 * ends an attempt that makes no progress for `--timeout`. This limit ends an attempt whose bytes arrive too slowly.
 */
import { Clock, Duration, Effect, type Scope } from "effect"
import * as DurationText from "../../domain/DurationText.ts"
import { NetworkFailure, type StoreAnswer } from "../../domain/Errors.ts"

type Timeout = Pick<StoreAnswer, "operation" | "retryable" | "overload" | "advice">

const requestTimeout: Timeout = {
  operation: "request",
  retryable: true,
  overload: true,
  advice: "raise --timeout for a slow line, or lower --concurrency or --part-size"
}

const credentialsTimeout: Timeout = {
  operation: "credentials",
  retryable: false,
  advice: "a source of credentials hangs: check credential_process, the instance's metadata service, and STS"
}

/**
 * The slowest rate at which a body may be sent: for each of these many bytes, the time limit grows by a second. It is a
 * hundredth of the rate of a 6 Mbit/s line, because many requests may share the line.
 */
export const minBytesPerSecond = 8 * 1024

const timedOut = (timeout: Timeout, limit: Duration.Duration) =>
  new NetworkFailure({ ...timeout, detail: `no complete answer within ${DurationText.format(limit)}` })

export const forCredentials = <A, E>(attempt: Effect.Effect<A, E>, limit: Duration.Duration) =>
  Effect.timeoutFail(attempt, { duration: limit, onTimeout: () => timedOut(credentialsTimeout, limit) })

/** Limits a single request that does not pass through the limiter. */
export const forBody = <A, E>(attempt: Effect.Effect<A, E>, timeout: Duration.Duration, bodyBytes: number) => {
  const limit = Duration.sum(timeout, Duration.seconds(Math.ceil(bodyBytes / minBytesPerSecond)))
  return Effect.timeoutFail(attempt, { duration: limit, onTimeout: () => timedOut(requestTimeout, limit) })
}

/** Watches a request from its start. Returns a function to call when the request has ended. */
export type Watch = (bodyBytes: number, onTimeout: (failure: NetworkFailure) => void) => () => void

/** Watches all requests with one timer, until the scope closes. */
export const forRequests = (timeout: Duration.Duration): Effect.Effect<Watch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    /** Milliseconds of a monotonic clock. */
    const time = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    const leastMillis = Duration.toMillis(timeout)
    /** The timeout callback of each request and its due time. */
    const running = new Map<() => void, number>()
    let wake: (() => void) | undefined
    const untilRunning = Effect.async<void>((resume) => {
      wake = () => resume(Effect.void)
    })

    /**
     * Times out all requests that are due. Returns the time of the next check: no request that starts later can be due
     * before.
     */
    const check = (now: number) => {
      let next = now + leastMillis
      for (const [fail, dueAt] of running) {
        if (dueAt > now) next = Math.min(next, dueAt)
        else if (running.delete(fail)) fail()
      }
      return next
    }
    const watch = Effect.gen(function* () {
      for (;;) {
        if (running.size === 0) yield* untilRunning
        const now = time()
        yield* Effect.sleep(check(now) - now)
      }
    })
    yield* Effect.forkScoped(watch)

    return (bodyBytes, onTimeout) => {
      const limit = Duration.millis(leastMillis + (1000 * bodyBytes) / minBytesPerSecond)
      const fail = () => onTimeout(timedOut(requestTimeout, limit))
      running.set(fail, time() + Duration.toMillis(limit))
      wake?.()
      wake = undefined
      return () => running.delete(fail)
    }
  })

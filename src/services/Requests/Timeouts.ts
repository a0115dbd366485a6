/** Limits how long an attempt may take. */
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

const timedOut = (timeout: Timeout, limit: Duration.Duration) =>
  new NetworkFailure({ ...timeout, detail: `no complete answer within ${DurationText.format(limit)}` })

export const forCredentials = <A, E>(attempt: Effect.Effect<A, E>, limit: Duration.Duration) =>
  Effect.timeoutFail(attempt, { duration: limit, onTimeout: () => timedOut(credentialsTimeout, limit) })

/** Watches a request from its start. Returns a function to call when the request has ended. */
export type Watch = (onTimeout: (failure: NetworkFailure) => void) => () => void

/**
 * Watches all requests with one timer, until the scope closes. All have the same limit, so the request that started
 * first is the first to time out.
 */
export const forRequests = (limit: Duration.Duration): Effect.Effect<Watch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    /** Milliseconds of a monotonic clock. */
    const time = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    /** The timeout callback of each request and its due time, in start order. */
    const running = new Map<() => void, number>()
    let wake: (() => void) | undefined
    const untilRunning = Effect.async<void>((resume) => {
      wake = () => resume(Effect.void)
    })

    const watch = Effect.gen(function* () {
      for (;;) {
        if (running.size === 0) yield* untilRunning
        const [first] = running
        if (first === undefined) continue
        const [fail, endsAt] = first
        const left = endsAt - time()
        if (left > 0) yield* Effect.sleep(left)
        else {
          running.delete(fail)
          fail()
        }
      }
    })
    yield* Effect.forkScoped(watch)

    return (onTimeout) => {
      const fail = () => onTimeout(timedOut(requestTimeout, limit))
      running.set(fail, time() + Duration.toMillis(limit))
      wake?.()
      wake = undefined
      return () => running.delete(fail)
    }
  })

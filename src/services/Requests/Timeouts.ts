/** How long an attempt may take. */
import { Clock, Duration, Effect, type Scope } from "effect"
import { NetworkFailure, type StoreAnswer } from "../../domain/Errors.ts"
import * as DurationText from "../../domain/DurationText.ts"

type Late = Pick<StoreAnswer, "operation" | "retryable" | "overload" | "advice">

/** A request was not answered. */
const noAnswer: Late = {
  operation: "request",
  retryable: true,
  overload: true,
  advice: "raise --timeout for a slow line, or lower --concurrency or --part-size"
}

/** Nor was the question for credentials. */
const noCredentials: Late = {
  operation: "credentials",
  retryable: false,
  advice: "a source of credentials hangs: check credential_process, the instance's metadata service, and STS"
}

const tooLate = (late: Late, limit: Duration.Duration) =>
  new NetworkFailure({ ...late, detail: `no complete answer within ${DurationText.format(limit)}` })

/** For the one question for credentials. */
export const forCredentials = <A, E>(attempt: Effect.Effect<A, E>, limit: Duration.Duration) =>
  Effect.timeoutFail(attempt, { duration: limit, onTimeout: () => tooLate(noCredentials, limit) })

/** Told of a request when it begins, and what to do when its time is over; gives back what to call when it has ended. */
export type Watch = (late: (failure: NetworkFailure) => void) => () => void

/**
 * For requests. All have the same limit, so the one that began first is the first whose time is over, and one watch is
 * enough for all of them; it ends with the scope.
 */
export const forRequests = (limit: Duration.Duration): Effect.Effect<Watch, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    /** In milliseconds, and never set back, as the host's clock may be. */
    const time = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
    /** What to do with each, and when; in the order in which they began. */
    const running = new Map<() => void, number>()
    let beginWatch: (() => void) | undefined
    const begun = Effect.async<void>((resume) => {
      beginWatch = () => resume(Effect.void)
    })

    const watch = Effect.gen(function* () {
      for (;;) {
        if (running.size === 0) yield* begun
        const [first] = running
        if (first === undefined) continue
        const [late, end] = first
        const left = end - time()
        if (left > 0) yield* Effect.sleep(left)
        else {
          running.delete(late)
          late()
        }
      }
    })
    yield* Effect.forkScoped(watch)

    return (late) => {
      const end = () => late(tooLate(noAnswer, limit))
      running.set(end, time() + Duration.toMillis(limit))
      beginWatch?.()
      beginWatch = undefined
      return () => running.delete(end)
    }
  })

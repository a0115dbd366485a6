import { type Duration, Effect } from "effect"
import { NetworkFailure, type StoreAnswer } from "../domain/Errors.ts"
import * as Span from "../domain/Span.ts"

/** A request was not answered. */
export const noAnswer = {
  operation: "request",
  retryable: true,
  overload: true,
  advice: "raise --timeout for a slow line, or lower --concurrency or --part-size"
}

/** Nor was the question for credentials. */
export const noCredentials = {
  operation: "credentials",
  retryable: false,
  advice: "a source of credentials hangs: check credential_process, the instance's metadata service, and STS"
}

type Late = Pick<StoreAnswer, "operation" | "retryable" | "overload" | "advice">

/** Cuts an attempt off that takes longer, which then has failed. */
export const inTime = <A, E>(attempt: Effect.Effect<A, E>, timeout: Duration.Duration, late: Late) =>
  Effect.timeoutFail(attempt, {
    duration: timeout,
    onTimeout: () => new NetworkFailure({ ...late, detail: `no complete answer within ${Span.format(timeout)}` })
  })

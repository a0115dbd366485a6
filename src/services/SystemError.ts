/** Reads the errors that system calls throw. */
import { isPlatformError } from "@effect/platform/Error"
import { Data, Effect } from "effect"

/** The name of the errno, such as `ENOENT`. */
export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

/** The system's message, without the call and the path that `@effect/platform` puts before it. */
export const detailOf = (cause: unknown): string => {
  if (isPlatformError(cause) && cause.description !== undefined) return cause.description
  return cause instanceof Error ? cause.message : String(cause)
}

/** A system call failed. The error has the system's message. */
export class CallFailed extends Data.TaggedError("CallFailed")<{ readonly cause: unknown }> {
  override readonly message = detailOf(this.cause)
}

/** Runs system calls that throw. */
export const attempt = <A>(calls: () => A): Effect.Effect<A, CallFailed> =>
  Effect.try({ try: calls, catch: (cause) => new CallFailed({ cause }) })

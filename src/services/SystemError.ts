/** Reads the errors that system calls throw. */
import { isPlatformError } from "@effect/platform/Error"

/** The name of the errno, such as `ENOENT`. */
export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

/** The system's message, without the call and the path that `@effect/platform` puts before it. */
export const detailOf = (cause: unknown): string => {
  if (isPlatformError(cause) && cause.description !== undefined) return cause.description
  return cause instanceof Error ? cause.message : String(cause)
}

/** What a call to the system throws, read for what it says. */

/** The name of errno, such as `ENOENT`. */
export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

export const detailOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

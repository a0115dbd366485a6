/** Detects that the current directory was removed: relative paths are then invalid. */
import { Effect } from "effect"
import { isAbsolute } from "node:path"
import process from "node:process"
import { ConfigError, InputUnusable } from "../domain/Errors.ts"
import type { Settings } from "../domain/Settings.ts"

const detail = "the current directory does not exist any more"

/** Refuses relative paths if the current directory was removed. Call it before the run starts. */
export const check = ({
  input,
  manifestFile,
  metricsFile,
  stateDir
}: Pick<Settings, "input" | "stateDir" | "manifestFile" | "metricsFile">): Effect.Effect<
  void,
  InputUnusable | ConfigError
> =>
  Effect.suspend(() => {
    const relative = [input, stateDir, metricsFile, manifestFile].find(
      (path) => path !== undefined && !isAbsolute(path)
    )
    if (relative === undefined || exists()) return Effect.void
    return Effect.fail(
      relative === input ? new InputUnusable({ input, detail: `${detail}: give an absolute path` }) : missing(relative)
    )
  })

const exists = () => {
  try {
    process.cwd()
    return true
  } catch (cause) {
    if (isMissing(cause)) return false
    throw cause
  }
}

/** Whether an error says that the current directory was removed. `uv_cwd`: libuv's name for getcwd(2). */
export const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "syscall" in cause && cause.syscall === "uv_cwd"

export const missing = (path?: string, cause?: unknown): ConfigError =>
  new ConfigError({
    detail: path === undefined ? detail : `${path}: ${detail}`,
    advice: "give absolute paths, or start the program in a directory that exists",
    cause
  })

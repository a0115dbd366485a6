/**
 * Runs the program in a second process if --input is on FUSE. Even SIGKILL does not end a process while one of its
 * system calls waits for a FUSE server. If the server hangs, only the second process remains: the first one exits on
 * time with the exit code of the second.
 */
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { readFileSync, writeSync } from "node:fs"
import { constants } from "node:os"
import { resolve } from "node:path"
import process from "node:process"
import { isSea } from "node:sea"
import * as Mount from "../domain/Mount.ts"

/** The second process is started with this variable: the file descriptor to which it writes its exit code. */
const variable = "_IBSR_EXPORT_EXIT_CODE_FD"

/** How long the second process may take to exit after it has written its exit code, in milliseconds. */
const exitMillis = 1000

const descriptor = process.env[variable]
delete process.env[variable]

/** Reports the exit code to the supervisor, if there is a supervisor. */
export const reportExit = (code: number): void => {
  if (descriptor === undefined) return
  try {
    writeSync(Number(descriptor), String(code))
  } catch {
    // ignored, because the supervisor has exited
  }
}

/** Runs the program in a second process, and returns its exit code. Undefined if this process can do the run itself. */
export const supervise = (input: string): Effect.Effect<number> | undefined =>
  descriptor === undefined && isOnFuse(input)
    ? Effect.async((done) => start((code) => done(Effect.succeed(code))))
    : undefined

const isOnFuse = (input: string) => {
  try {
    return Mount.mayInvolveFuse(readFileSync("/proc/self/mountinfo", "utf8"), resolve(input))
  } catch {
    return false
  }
}

const start = (done: (code: number) => void) => {
  const [, script = "", ...args] = process.argv
  const child = spawn(process.execPath, [...(isSea() ? [] : [...process.execArgv, script]), ...args], {
    // in a separate session, because a terminal would otherwise send the second process the signals that are also
    // forwarded below
    detached: true,
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: { ...process.env, [variable]: "3" }
  })
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    // prepended, because another listener may end this process
    process.prependListener(signal, () => child.kill(signal))
  }
  child.stdio[3]?.on("data", (code) => setTimeout(() => done(Number(String(code))), exitMillis))
  child.once("exit", (code, signal) => done(code ?? 128 + constants.signals[signal ?? "SIGKILL"]))
  child.once("error", (error) => {
    throw error
  })
}

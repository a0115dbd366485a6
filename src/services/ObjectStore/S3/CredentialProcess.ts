/**
 * Runs the `credential_process` of a profile in its own process group. After a timeout, the SDK would leave the process
 * and its children running.
 */
import { externalDataInterceptor } from "@smithy/core/config"
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import process from "node:process"
import { setTimeout as sleep } from "node:timers/promises"

/** Kills all running commands when the scope closes or the process exits. */
export const use: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    // the SDK uses this function instead of `exec` of `node:child_process`
    externalDataInterceptor.interceptToken("exec", execute)
    process.on("exit", killAll)
  }),
  () =>
    Effect.promise(async () => {
      process.off("exit", killAll)
      const ends = [...running.values()]
      killAll()
      await Promise.race([Promise.all(ends), sleep(endMillis)])
    })
)

/**
 * How long to wait for killed commands. Otherwise they remain as zombies until the host's init process collects them.
 */
const endMillis = 1000

/** The process group of each command that is running, and its end. */
const running = new Map<number, Promise<unknown>>()

/** Kills every running command and all processes in its process group. */
export const killAll = (): void => {
  for (const group of running.keys()) kill(group)
}

const kill = (group: number) => {
  running.delete(group)
  try {
    process.kill(-group, "SIGKILL")
  } catch {
    // the process has already ended
  }
}

/** In bytes: the SDK's limit, which is more than any credentials need. */
const maxOutput = 1024 * 1024

/**
 * Whether a command is a single program without shell syntax. Such a program becomes a child of this process, which can
 * then wait for its end.
 */
const isOneProgram = (command: string) => /^[\w./@%+:,\s-]+$/.test(command)

type Done = (error: Error | null, output?: { readonly stdout: string }) => void

const execute = (command: string, done: Done): void => {
  const child = spawn("/bin/sh", ["-c", isOneProgram(command) ? `exec ${command}` : command], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"]
  })
  let [stdout, stderr] = ["", ""]
  child.on("error", done)
  const group = child.pid
  if (group === undefined) return
  running.set(group, new Promise((resolve) => child.on("exit", resolve)))
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text
    if (stdout.length > maxOutput) kill(group)
  })
  // keeps the end, because only the last line is reported
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-4096)))
  // kills the rest of the group, because a process that the command leaves behind could keep the pipes open
  child.on("exit", () => kill(group))
  child.on("close", (code, signal) => {
    if (code === 0) return done(null, { stdout })
    const end = code === null ? `was killed by ${signal}` : `exited with ${code}`
    const last = withoutSecrets(stderr.trimEnd().split("\n").at(-1)?.trim() ?? "", `${stdout} ${command}`)
    done(new Error(`${failure} ${end}${last === "" ? "" : `: ${last}`}`))
  })
}

/** How the message of a failed command begins. */
export const failure = "credential_process"

/** A word with fewer characters does not count as a secret. */
const minSecretLength = 6

/**
 * Removes everything from a line that may be a secret: the words of `source`, which is the command and its output; text
 * after a name such as `password`; the user info of a URL; and long words with a digit.
 */
export const withoutSecrets = (line: string, source: string): string =>
  source
    .split(/[\s"'=,{}]+/)
    .filter((word) => word.length >= minSecretLength && !word.startsWith("/"))
    .toSorted((first, second) => second.length - first.length)
    .reduce((text, secret) => text.replaceAll(secret, "…"), line)
    .replaceAll(/\/\/[^/\s]*@/g, "//…@")
    .replaceAll(/((?:secret|passw\w*|token|key|credentials?)\w*["']?\s*[:=]\s*|(?:bearer|basic)\s+)\S+/gi, "$1…")
    .replaceAll(/(?<!\S)(?=\S*\d)[\w+=-][\w+/=-]{19,}/g, "…")

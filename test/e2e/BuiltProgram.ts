/** Runs the built program as its users run it. */
import { type ChildProcess, spawn } from "node:child_process"
import { createServer } from "node:net"
import { hostname } from "node:os"
import { resolve as resolvePath } from "node:path"
import { fileURLToPath } from "node:url"
import * as Product from "../../scripts/build/Product.ts"
import { version } from "../../src/cli/Version.ts"
import * as ObjectMetadata from "../../src/domain/ObjectMetadata.ts"
import type { State } from "../../src/domain/Snapshot.ts"
import type { Report } from "../../src/report/Report.ts"
import { writer } from "../../scripts/strict-s3/StrictS3.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
/** The command of this machine's build, independent of the current directory. */
const program = Product.program().map((word) => resolvePath(root, word))
const programFor = (options: RunOptions) =>
  options.preload === undefined
    ? (options.program ?? program)
    : [process.execPath, `--import=${options.preload}`, resolvePath(root, Product.bundle)]

export interface RunResult {
  /** Null if a signal killed the program. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

export interface RunningProgram {
  readonly child: ChildProcess
  readonly finished: Promise<RunResult>
}

/**
 * The environment of a run: the put-only user's keys, an empty state directory, and nothing of the machine's own
 * configuration.
 */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  IBSR_EXPORT_STATE_DIR: emptyDirectory(),
  AWS_ACCESS_KEY_ID: writer.accessKeyId,
  AWS_SECRET_ACCESS_KEY: writer.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: "true"
})

export interface RunOptions {
  /** Added to the default environment; undefined removes a variable. */
  readonly env?: NodeJS.ProcessEnv
  /** The command that starts the program, such as `setpriv` with its flags. */
  readonly commandPrefix?: ReadonlyArray<string>
  /** Replaces the build for this machine. */
  readonly program?: ReadonlyArray<string>
  /** The URL of a module that changes Node before the program starts. The binary ignores it, so the bundle runs. */
  readonly preload?: string
}

/** The secrets, and what is derived from them, that an output contains. No output of any test may contain one. */
export const secretsIn = (output: string, env: NodeJS.ProcessEnv): ReadonlyArray<string> => {
  const secrets = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"].map(
    (name) => env[name]
  )
  const passwords = ["HTTP_PROXY", "HTTPS_PROXY"].map((name) => URL.parse(env[name] ?? "")?.password)
  // the first two prefixes are those of credentials that the fakes issue
  const derived = ["secret-of-", "session-of-", "AWS4-HMAC-SHA256", "Signature="]
  return [...secrets, ...passwords, ...derived].filter(
    (secret): secret is string => Boolean(secret) && output.toLowerCase().includes(secret!.toLowerCase())
  )
}

/** Starts the program. `finished` rejects if its output contains a secret. */
export const start = (args: ReadonlyArray<string>, options: RunOptions = {}): RunningProgram => {
  const [command = "", ...rest] = [...(options.commandPrefix ?? []), ...programFor(options), ...args]
  const startedAt = Date.now()
  const env = { ...environment(), ...options.env }
  const child = spawn(command, rest, { env, stdio: ["ignore", "pipe", "pipe"] })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  const finished = new Promise<RunResult>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code) => {
      const leaked = secretsIn(stdout + stderr, env)
      if (leaked.length > 0) reject(new Error(`the output contains secrets: ${leaked.join(", ")}`))
      else resolve({ code, stdout, stderr, durationMs: Date.now() - startedAt })
    })
  })
  return { child, finished }
}

/** Runs the program to its end. */
export const run = (args: ReadonlyArray<string>, options?: RunOptions): Promise<RunResult> =>
  start(args, options).finished

/** The arguments that every `s3` run needs, followed by `rest`. */
export const s3 = (input: string, endpoint: string, ...rest: ReadonlyArray<string>): ReadonlyArray<string> => [
  "s3",
  "--input",
  input,
  "--bucket=snapshots",
  "--prefix=ibsr/host/snapshots",
  "--endpoint",
  endpoint,
  ...rest
]

/** The metadata that a run on this host writes. */
export const metadata = (state: State) => ObjectMetadata.of(state, { hostname: hostname(), version })

/** The report of a run with `--output=json`. */
export const report = (result: RunResult): Report => JSON.parse(result.stdout) as Report

const lines = (text: string) => text.trimEnd().split("\n")

/** The last line of a run that failed: `exit N name: cause. Remedy.` */
export const ending = ({ stderr }: RunResult): string | undefined =>
  lines(stderr).findLast((line) => line.startsWith("exit "))

/** The line of counts on stdout, without the time at its beginning. */
export const summary = (result: RunResult): string | undefined =>
  lines(result.stdout)
    .findLast((line) => !line.startsWith("exit "))
    ?.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /, "")

/** Waits until the condition holds; fails after ten seconds. */
export const until = async (condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A port on which nothing listens. */
export const closedPort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

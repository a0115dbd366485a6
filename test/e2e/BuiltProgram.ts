/** The built program, run as its users run it. */
import { type ChildProcess, spawn } from "node:child_process"
import { createServer } from "node:net"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as Product from "../../scripts/build/Product.ts"
import type { Report } from "../../src/report/Report.ts"
import { writer } from "../fakes/StrictS3.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
/** As users start it, and from wherever a test is. */
const program = Product.program().map((word) => resolve(root, word))
const programOf = (options: RunOptions) =>
  options.preload === undefined
    ? (options.program ?? program)
    : [process.execPath, `--import=${options.preload}`, resolve(root, Product.bundle)]

export interface RunResult {
  /** Null: it died by a signal. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly millis: number
}

export interface RunningProgram {
  readonly child: ChildProcess
  readonly finished: Promise<RunResult>
}

/** Nothing of the machine's own configuration may get in; the login is that of the put-only user; no run before it. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  IBSR_EXPORT_STATE_DIR: emptyDirectory(),
  AWS_ACCESS_KEY_ID: writer.accessKeyId,
  AWS_SECRET_ACCESS_KEY: writer.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: "true"
})

export interface RunOptions {
  /** On top of the put-only user's; undefined takes a variable away. */
  readonly env?: NodeJS.ProcessEnv
  /** What the program is started through, such as `setpriv`. */
  readonly through?: ReadonlyArray<string>
  /** In place of this machine's binary where it was built. */
  readonly program?: ReadonlyArray<string>
  /** A module, by its URL, that changes Node before the program starts. The binary takes none, so the bundle runs. */
  readonly preload?: string
}

/** What stands in an output and must not, whatever a test is about: secrets, and what is made of them. */
export const secretsIn = (output: string, env: NodeJS.ProcessEnv): ReadonlyArray<string> => {
  const given = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"].map(
    (name) => env[name]
  )
  const passwords = ["HTTP_PROXY", "HTTPS_PROXY"].map((name) => URL.parse(env[name] ?? "")?.password)
  // the fakes that issue credentials name them so
  const made = ["secret-of-", "session-of-", "AWS4-HMAC-SHA256", "Signature="]
  return [...given, ...passwords, ...made].filter(
    (secret): secret is string => Boolean(secret) && output.toLowerCase().includes(secret!.toLowerCase())
  )
}

export const start = (args: ReadonlyArray<string>, options: RunOptions = {}): RunningProgram => {
  const [command = "", ...rest] = [...(options.through ?? []), ...programOf(options), ...args]
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
      const told = secretsIn(stdout + stderr, env)
      if (told.length > 0) reject(new Error(`the program has told secrets: ${told.join(", ")}`))
      else resolve({ code, stdout, stderr, millis: Date.now() - startedAt })
    })
  })
  return { child, finished }
}

export const run = (args: ReadonlyArray<string>, options?: RunOptions): Promise<RunResult> =>
  start(args, options).finished

/** `s3` with what every run needs. */
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

export const report = (result: RunResult): Report => JSON.parse(result.stdout) as Report

export const summary = (result: RunResult): string | undefined => result.stdout.trimEnd().split("\n").at(-1)

/** Waits for a condition of a server; fails after ten seconds. */
export const until = async (condition: () => boolean): Promise<void> => {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${condition}`)
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

#!/usr/bin/env node
/** The process: arguments and signals in, exit code out. Nothing else touches `process` for control flow. */
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { fstatSync } from "node:fs"
import process from "node:process"
import { isSea } from "node:sea"
import { setFlagsFromString } from "node:v8"
import { run } from "./cli/Cli.ts"
import * as ExitCode from "./domain/ExitCode.ts"
import * as Journal from "./report/Journal.ts"
import { Stop } from "./services/Stop.ts"
import { makeOutputStream, Stdio } from "./services/Stdio.ts"

const isJournal = (fd: number) => Journal.isStream(process.env["JOURNAL_STREAM"], fstatSync(fd, { bigint: true }))
const stdout = makeOutputStream(isJournal(1), (lines) => process.stdout.write(lines))
const stderr = makeOutputStream(isJournal(2), (lines) => process.stderr.write(lines))
const complain = (text: string) => stderr.writeLine({ text: `ibsr-export: ${text}`, severity: "error" })

// older ones know nothing of proxies, and would pass them by
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 24 || (major === 24 && minor < 5)) {
  complain(`needs Node 24.5 or newer; this is ${process.version}`)
  process.exit(ExitCode.ofError.ConfigError.code)
}

/** Node would exit 1, and say so with a stack trace alone. */
const crash = (cause: unknown) => {
  complain(`internal error: ${cause instanceof Error ? cause.stack : String(cause)}`)
  process.exit(ExitCode.ofError.InternalError.code)
}
process.on("uncaughtException", crash)
process.on("unhandledRejection", crash)

// a full disk behind the log, or a reader who went away, has not stopped the upload
process.stderr.on("error", () => {})
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") complain(`the report could not be written: ${error.message}`)
})

// Left alone, V8 lets its heap grow to several times what is alive, and the host has a better use for that memory. Not
// at once: under another flag V8 takes none of the compiled code that Node's own modules come with. In milliseconds: most
// of those are loaded by then, and no heap has begun to grow.
setTimeout(() => setFlagsFromString("--heap-growing-percent=80"), 60).unref()

const stop = Stop.make()
let signalled = false
/** Nothing is left to do but to be read. */
let over = false
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (signalled || over) process.exit(ExitCode.ofSignal[signal].code)
    signalled = true
    Effect.runFork(stop.request({ _tag: "Signal", signal }))
  })
}

// a run that waits without a timer or a socket must not look finished to Node
const alive = setInterval(() => {}, 2 ** 30)
const ended = Effect.runPromise(
  run({
    args: process.argv.slice(2),
    env: process.env,
    executable: isSea() ? process.execPath : undefined,
    node: { node: process.versions.node, platform: process.platform, arch: process.arch },
    runId: process.env["INVOCATION_ID"] || randomUUID(),
    terminal: process.stderr.isTTY
      ? { write: (text) => process.stderr.write(text), columns: () => process.stderr.columns }
      : undefined
  }).pipe(Effect.provideService(Stop, stop), Effect.provideService(Stdio, { stdout, stderr }))
)

/** When a reader, who may be slow, has taken all that was written, or is gone. */
const taken = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => {
    stream.once("close", resolve)
    stream.write("", () => resolve())
  })
void ended.then(async (code) => {
  over = true
  const all = Promise.all([taken(process.stdout), taken(process.stderr)])
  // who has stopped it does not wait for a reader who never reads
  await (signalled ? Promise.race([all, new Promise((resolve) => setTimeout(resolve, 5000))]) : all)
  clearInterval(alive)
  // errors of the last lines written are told in the next turn
  setImmediate(() => process.exit(code))
})

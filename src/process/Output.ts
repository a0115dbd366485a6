/** Opens stdout and stderr, and delivers their last byte before the process exits. */
import { fstatSync } from "node:fs"
import process from "node:process"
import type { Env } from "../domain/Env.ts"
import * as Journal from "../report/Journal.ts"
import type { Terminal } from "../services/Progress.ts"
import { makeOutputStream } from "../services/Stdio.ts"

export const open = (env: Env) => {
  const [out, err] = [fstatSync(1, { bigint: true }), fstatSync(2, { bigint: true })]
  const reader = ({ isTTY }: NodeJS.WriteStream, file: Journal.FileId) => ({
    isJournal: Journal.isStream(env["JOURNAL_STREAM"], file),
    isTerminal: isTTY,
    hasColors: hasColors(env, isTTY)
  })
  const terminal = isCapable(env, process.stderr) ? progressLine(process.stderr) : undefined
  const stdout = makeOutputStream(reader(process.stdout, out), (lines) => process.stdout.write(lines))
  const stderr = makeOutputStream(reader(process.stderr, err), (lines) => {
    terminal?.clear()
    process.stderr.write(lines)
  })
  const complain = (text: string) => stderr.writeLine({ text: `ibsr-export: ${text}`, severity: "error" })

  // errors are ignored: the upload must not stop because the log's disk is full or its reader has exited
  process.stderr.on("error", () => {})
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") complain(`the report could not be written: ${error.message}`)
  })
  return { stdio: { stdout, stderr, isOneStream: out.dev === err.dev && out.ino === err.ino }, terminal, complain }
}

const isCapable = ({ TERM }: Env, { isTTY }: NodeJS.WriteStream) => isTTY && TERM !== "dumb"

/** Sources: no-color.org, bixense.com/clicolors. */
const hasColors = (env: Env, isTerminal: boolean) => {
  if (env["NO_COLOR"]) return false
  if (env["CLICOLOR_FORCE"] && env["CLICOLOR_FORCE"] !== "0") return true
  return isTerminal && env["TERM"] !== "dumb"
}

/** The progress line shares the terminal with the log. Each line of the log replaces it. */
const progressLine = (stream: NodeJS.WriteStream): Terminal => {
  let isShown = false
  return {
    show: (line) => {
      isShown = true
      stream.write(`\r\u001B[K${line}`)
    },
    clear: () => {
      if (isShown) stream.write("\r\u001B[K")
      isShown = false
    },
    columns: () => stream.columns
  }
}

/** Completes when the reader has read all output, however slowly, or has exited. */
const taken = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => {
    stream.once("close", resolve)
    stream.write("", () => resolve())
  })

/** Completes when all output is read. If `isStopped`, it waits at most 5 s, because the reader may never read. */
export const drain = async (isStopped: boolean): Promise<void> => {
  const all = Promise.all([taken(process.stdout), taken(process.stderr)])
  await (isStopped ? Promise.race([all, new Promise((resolve) => setTimeout(resolve, 5000))]) : all)
  // Node emits the errors of the last lines in the next iteration of the event loop
  await new Promise((resolve) => setImmediate(resolve))
}

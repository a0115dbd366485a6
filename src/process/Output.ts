/** Opens stdout and stderr, and delivers their last byte before the process exits. */
import { fstatSync } from "node:fs"
import process from "node:process"
import type { Env } from "../domain/Env.ts"
import * as Journal from "../report/Journal.ts"
import { makeOutputStream } from "../services/Stdio.ts"

export const open = (env: Env) => {
  const reader = ({ fd, isTTY }: NodeJS.WriteStream & { readonly fd: 1 | 2 }) => ({
    isJournal: Journal.isStream(env["JOURNAL_STREAM"], fstatSync(fd, { bigint: true })),
    isTerminal: isTTY
  })
  const stdout = makeOutputStream(reader(process.stdout), (lines) => process.stdout.write(lines))
  const stderr = makeOutputStream(reader(process.stderr), (lines) => process.stderr.write(lines))
  const complain = (text: string) => stderr.writeLine({ text: `ibsr-export: ${text}`, severity: "error" })

  // the upload must not stop because the log's disk is full or its reader has exited
  process.stderr.on("error", () => {})
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") complain(`the report could not be written: ${error.message}`)
  })
  return { stdio: { stdout, stderr }, complain }
}

/** Completes when the reader has taken all output, however slowly, or has exited. */
const taken = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => {
    stream.once("close", resolve)
    stream.write("", () => resolve())
  })

/** Completes when all output is read. If `isStopped`, it waits at most 5 s, because the reader may never read. */
export const drain = async (isStopped: boolean): Promise<void> => {
  const all = Promise.all([taken(process.stdout), taken(process.stderr)])
  await (isStopped ? Promise.race([all, new Promise((resolve) => setTimeout(resolve, 5000))]) : all)
  // errors of the last lines are emitted in the next iteration of the event loop
  await new Promise((resolve) => setImmediate(resolve))
}

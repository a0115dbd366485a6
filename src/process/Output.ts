/** stdout and stderr, up to the last byte. */
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

  // a log on a full disk, or a reader that has gone, must not stop the upload
  process.stderr.on("error", () => {})
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") complain(`the report could not be written: ${error.message}`)
  })
  return { stdio: { stdout, stderr }, complain }
}

/** Until the reader, however slow, has taken all output, or has gone. */
const taken = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => {
    stream.once("close", resolve)
    stream.write("", () => resolve())
  })

/** Completes when all output is read; if `isStopped`, after 5 s at the latest, because the reader may never read. */
export const drain = async (isStopped: boolean): Promise<void> => {
  const all = Promise.all([taken(process.stdout), taken(process.stderr)])
  await (isStopped ? Promise.race([all, new Promise((resolve) => setTimeout(resolve, 5000))]) : all)
  // errors of the last lines are emitted in the next turn of the event loop
  await new Promise((resolve) => setImmediate(resolve))
}

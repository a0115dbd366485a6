/** Prepares Node: checks its version, handles crashes, limits the heap. */
import process from "node:process"
import { setFlagsFromString } from "node:v8"
import { ConfigError, InternalError } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Ending from "../report/Ending.ts"
import type { OutputStream } from "../services/Stdio.ts"
import * as Exit from "./Exit.ts"

/** `complain` writes an error to stderr. */
export const prepare = (complain: (text: string) => void, stderr: OutputStream): void => {
  const exit = (error: ConfigError | InternalError): never => {
    const row = ExitCode.ofError[error._tag]
    stderr.writeLine({ text: Ending.line(row, Ending.ofError(error)), severity: "error" })
    return Exit.exit(row.code)
  }

  // earlier versions ignore the proxy settings and connect directly
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  if (major < 24 || (major === 24 && minor < 5)) {
    exit(
      new ConfigError({
        detail: `needs Node 24.5 or newer; this is ${process.version}`,
        advice: "install a newer Node, or use the binary, which contains one"
      })
    )
  }

  // Node's own handler prints a bare stack trace and exits 1
  const crash = (cause: unknown) => {
    const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    complain(detail)
    exit(new InternalError({ detail }))
  }
  process.on("uncaughtException", crash)
  process.on("unhandledRejection", crash)

  // By default, V8 lets the heap grow to several times the size of its live data, which wastes the host's memory. Once
  // the flag is set, V8 rejects the precompiled code of Node's own modules. After 60 ms, most of these modules are
  // loaded, and the heap has not grown yet.
  setTimeout(() => setFlagsFromString("--heap-growing-percent=80"), 60).unref()

  // without a timer or a socket, Node would exit while a run is still waiting
  setInterval(() => {}, 2 ** 30)
}

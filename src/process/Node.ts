/** Prepares Node: checks its version, handles crashes, limits the heap. */
import process from "node:process"
import { setFlagsFromString } from "node:v8"
import * as ExitCode from "../domain/ExitCode.ts"

/** `complain` writes a line to stderr. */
export const prepare = (complain: (text: string) => void): void => {
  // earlier versions ignore proxy settings, and connect directly
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  if (major < 24 || (major === 24 && minor < 5)) {
    complain(`needs Node 24.5 or newer; this is ${process.version}`)
    process.exit(ExitCode.ofError.ConfigError.code)
  }

  // Node's own handler prints a bare stack trace and exits 1
  const crash = (cause: unknown) => {
    complain(`internal error: ${cause instanceof Error ? cause.stack : String(cause)}`)
    process.exit(ExitCode.ofError.InternalError.code)
  }
  process.on("uncaughtException", crash)
  process.on("unhandledRejection", crash)

  // By default, V8 lets the heap grow to several times the size of its live data, which wastes the host's memory. Once the
  // flag is set, V8 rejects the compiled code that ships with Node's own modules. After 60 ms, most of these modules are
  // loaded, and the heap has not grown yet.
  setTimeout(() => setFlagsFromString("--heap-growing-percent=80"), 60).unref()

  // without a timer or a socket, Node would exit while a run is still waiting
  setInterval(() => {}, 2 ** 30)
}

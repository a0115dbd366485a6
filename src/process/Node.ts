/** Node as the program needs it: its version, its crashes, its heap. */
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

  // By default V8 lets its heap grow to several times its live data, memory that the host can use better. After 60 ms,
  // because V8 rejects the compiled code that ships with Node's own modules once the flag is set: by then most of these
  // modules are loaded, and the heap has not yet grown.
  setTimeout(() => setFlagsFromString("--heap-growing-percent=80"), 60).unref()

  // without a timer or a socket, Node would exit while a run still waits
  setInterval(() => {}, 2 ** 30)
}

/** Ends the process, even if a system call hangs. */
import { accessSync, constants } from "node:fs"
import process from "node:process"
import { isSea } from "node:sea"
import { reportExit } from "./Supervisor.ts"

/** If this variable is set, the process does nothing but exit with its value as exit code. */
const variable = "_IBSR_EXPORT_EXIT_CODE"

const given = process.env[variable]
if (given !== undefined) process.exit(Number(given))

/**
 * `process.exit` waits for the thread pool, which may be reading from a dead file server. execve(2) does not wait: it
 * ends all threads and starts a program. It starts this program again, because the sandbox of the packaged service
 * allows no other.
 */
export const exit = (code: number): never => {
  reportExit(code)
  if (process.getActiveResourcesInfo().some(isInThreadPool)) {
    try {
      // checked first, because Node aborts the process if execve fails
      accessSync(process.execPath, constants.X_OK)
      const script = isSea() ? [] : [process.argv[1] ?? ""]
      process.execve?.(process.execPath, [process.execPath, ...script], { [variable]: String(code) })
    } catch {
      // exits normally if the executable was removed or the system has no execve
    }
  }
  return process.exit(code)
}

/** Whether a resource is a file system call or a name lookup, which run in the thread pool. */
const isInThreadPool = (resource: string) => resource.startsWith("FSReq") || resource.startsWith("GetAddrInfo")

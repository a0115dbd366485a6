/** Ends the process, whatever hangs. */
import { accessSync, constants } from "node:fs"
import process from "node:process"
import { isSea } from "node:sea"
import { reportExit } from "./Supervisor.ts"

/** Set for a process whose only task is to exit with this code. */
const variable = "_IBSR_EXPORT_EXIT_CODE"

const given = process.env[variable]
if (given !== undefined) process.exit(Number(given))

/**
 * `process.exit` waits for the threads of the thread pool, and so for a read from a dead file server. The kernel ends the
 * threads of a process that it replaces by another program. That program is this one again: the sandbox of the packaged
 * service allows no other.
 */
export const exit = (code: number): never => {
  reportExit(code)
  if (process.getActiveResourcesInfo().some(isInThreadPool)) {
    try {
      // execve would abort the process if it failed
      accessSync(process.execPath, constants.X_OK)
      const script = isSea() ? [] : [process.argv[1] ?? ""]
      process.execve?.(process.execPath, [process.execPath, ...script], { [variable]: String(code) })
    } catch {
      // the executable was removed, or the system has no execve
    }
  }
  return process.exit(code)
}

/** Calls of the file system, and names that are looked up. */
const isInThreadPool = (resource: string) => resource.startsWith("FSReq") || resource.startsWith("GetAddrInfo")

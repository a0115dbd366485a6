/** Ends the process, whatever hangs. */
import { accessSync, constants } from "node:fs"
import process from "node:process"
import { reportExit } from "./Supervisor.ts"

/**
 * `process.exit` waits for the threads of the thread pool, and so for a read from a dead file server. The kernel ends the
 * threads of a process that it replaces by another program.
 */
export const exit = (code: number): never => {
  reportExit(code)
  if (process.getActiveResourcesInfo().some(isInThreadPool)) {
    try {
      // execve would abort the process if it failed, as it does in the sandbox of the packaged service
      accessSync("/bin/sh", constants.X_OK)
      process.execve?.("/bin/sh", ["sh", "-c", `exit ${code}`], {})
    } catch {
      // there is no shell, or it may not be executed
    }
  }
  return process.exit(code)
}

/** Calls of the file system, and names that are looked up. */
const isInThreadPool = (resource: string) => resource.startsWith("FSReq") || resource.startsWith("GetAddrInfo")

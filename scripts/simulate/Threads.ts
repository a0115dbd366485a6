/** Makes file system calls synchronously instead of in the thread pool, so that a seed gives the same run each time. */
import {
  lstatSync,
  opendirSync,
  promises,
  readdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync
} from "node:fs"
import process from "node:process"
import { setImmediate as nextTurn } from "node:timers/promises"

export const answerAtOnce = (): void => {
  Object.assign(promises, {
    lstat: async (...args: Parameters<typeof lstatSync>) => lstatSync(...args),
    stat: async (...args: Parameters<typeof statSync>) => statSync(...args),
    statfs: async (...args: Parameters<typeof statfsSync>) => statfsSync(...args),
    realpath: async (path: string) => realpathSync(path),
    readFile: async (...args: Parameters<typeof readFileSync>) => readFileSync(...args),
    readdir: async (path: string) => readdirSync(path),
    opendir: async (...args: Parameters<typeof opendirSync>) => {
      const directory = opendirSync(...args)
      return Object.assign(directory, { close: async () => directory.closeSync() })
    }
  })
}

/** Whether a resource makes the program wait in real time. */
const isWork = (resource: string) => resource === "Immediate" || resource === "Timeout" || resource.includes("Req")

/** Waits until nothing more can happen at the clock's current time. Returns early if `isDone`. */
export const settle = async (isDone: () => boolean): Promise<void> => {
  do await nextTurn()
  while (!isDone() && process.getActiveResourcesInfo().some(isWork))
}

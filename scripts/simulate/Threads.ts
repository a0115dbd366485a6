/**
 * Answers calls of the file system at once, instead of when a thread gets to it. So a seed gives the same run each time,
 * and a short run needs no threads.
 */
import { lstatSync, opendirSync, promises, readdirSync, statSync } from "node:fs"
import process from "node:process"
import { setImmediate as nextTurn } from "node:timers/promises"

export const answerAtOnce = (): void => {
  Object.assign(promises, {
    lstat: async (...args: Parameters<typeof lstatSync>) => lstatSync(...args),
    stat: async (...args: Parameters<typeof statSync>) => statSync(...args),
    readdir: async (path: string) => readdirSync(path),
    opendir: async (...args: Parameters<typeof opendirSync>) => {
      const directory = opendirSync(...args)
      return Object.assign(directory, { close: async () => directory.closeSync() })
    }
  })
}

/** What a program waits for that is not the clock of the simulation. */
const isWork = (resource: string) => resource === "Immediate" || resource === "Timeout" || resource.includes("Req")

/** Waits until nothing can happen any more before the clock moves. Returns early if `isDone`. */
export const settle = async (isDone: () => boolean): Promise<void> => {
  do await nextTurn()
  while (!isDone() && process.getActiveResourcesInfo().some(isWork))
}

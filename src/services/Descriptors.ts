/** Decides how many file descriptors a run may use, and waits when none is free. */
import { readFileSync } from "node:fs"
import { setTimeout } from "node:timers/promises"
import { ConfigError } from "../domain/Errors.ts"
import { codeOf, detailOf } from "./SystemError.ts"

/** The default limit of Linux, used on systems without /proc. */
const usualLimit = 1024

/** The descriptor limit of this process. Node has already raised it to the hard limit. */
export const limit = (): number => {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? []
    return soft === undefined ? usualLimit : Number(soft)
  } catch {
    return usualLimit
  }
}

/**
 * Descriptors that are reserved for Node, the ledger, stdio, the name service and the traversal. By measurement, they
 * need at most 30.
 */
const reserved = 36

/** How many files may be open at once, and also how many connections: half of the descriptors that are not reserved. */
export const share = (descriptors: number): number => Math.max(2, Math.floor((descriptors - reserved) / 2))

/** Whether an attempt to open something failed because no descriptor was free. */
export const isExhausted = (cause: unknown): boolean => ["EMFILE", "ENFILE"].includes(codeOf(cause) ?? "")

export const advice =
  "raise the limit of open files: LimitNOFILE= in the systemd unit, ulimit -n in a shell; for ENFILE, the sysctl fs.file-max"

export const noneFree = (cause: unknown) =>
  new ConfigError({ detail: `no file descriptor is free: ${detailOf(cause)}`, advice, cause })

/** How long to wait for a free descriptor. Closing any file or connection frees one. */
const patienceMillis = 10_000
const pauseMillis = 50

/** Opens something. If no descriptor is free, it tries again for `patienceMillis`. */
export const patiently = async <A>(open: () => Promise<A>): Promise<A> => {
  const deadline = performance.now() + patienceMillis
  for (;;) {
    try {
      return await open()
    } catch (cause) {
      if (!isExhausted(cause) || performance.now() > deadline) throw cause
      await setTimeout(pauseMillis)
    }
  }
}

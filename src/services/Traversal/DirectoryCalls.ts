/** The system calls that open a directory. */
import { close, closeSync, fstat, fstatSync, open, openSync, type Stats } from "node:fs"
import { promisify } from "node:util"

export interface DirectoryCalls {
  readonly open: (path: string, flags: number) => number | Promise<number>
  readonly stat: (fd: number) => Stats | Promise<Stats>
  readonly close: (fd: number) => void | Promise<void>
}

/** For local file systems: a traversal of many small directories takes half as long. */
export const synchronous: DirectoryCalls = { open: openSync, stat: fstatSync, close: closeSync }

/** In the thread pool, so that a file server that hangs does not hang the program. */
export const asynchronous: DirectoryCalls = {
  open: (path, flags) => promisify(open)(path, flags),
  stat: (fd) => promisify(fstat)(fd),
  close: (fd) => promisify(close)(fd)
}

/** Files that a setting names. Reading a pipe or a device might never end. */
import { constants, type Stats } from "node:fs"
import { open, stat } from "node:fs/promises"

const MiB = 1024 ** 2

/** Device number of /dev/null. Source: null(4). */
const nullDevice = (1 << 8) | 3

/** The file is a pipe, a device, or too large. */
export class NotPlain extends Error {
  override readonly name = "NotPlain"
}

/** Rejects with `NotPlain`, or with the system's error, if another module could not read the file to its end. */
export const check = async (path: string, maxMiB = 1): Promise<void> => refuse(await stat(path), maxMiB)

/** Reads a file. Rejects with `NotPlain` or with the system's error. */
export const read = async (path: string, maxMiB = 1): Promise<Buffer> => {
  // to open a pipe without a writer would otherwise not return
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    refuse(await file.stat(), maxMiB)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** Permits a directory, because the system's error says more about it. */
const refuse = (stats: Stats, maxMiB: number): void => {
  const ends = stats.isFile() || stats.isDirectory() || stats.rdev === nullDevice
  if (!ends || stats.size > maxMiB * MiB) throw new NotPlain(`it is not a regular file of at most ${maxMiB} MiB`)
}

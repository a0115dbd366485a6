/** Refuses links and directories that another user controls, because the program may run as root. */
import { lstatSync, type Stats } from "node:fs"
import process from "node:process"

/** Whether the owner is root or the user that runs the program. */
const isTrusted = ({ uid }: Stats): boolean => uid === 0 || uid === process.geteuid?.()

const worldWritable = 0o002
const sticky = 0o1000

/**
 * Throws if `path` is a symbolic link of another user. The kernel's `fs.protected_symlinks` does the same, but only in
 * sticky directories.
 */
export const refuseForeignLink = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isSymbolicLink() && !isTrusted(found))
    throw new Error(`${path} is a symbolic link that belongs to another user (uid ${found.uid})`)
}

/**
 * Throws if another user may have planted a file in `directory`. In a sticky directory such as /tmp, it refuses only
 * files of other users. In a directory that is not sticky and that everybody may write to, other users can replace
 * files at any time, so root refuses the directory.
 */
export const refuseForeignFiles = (directory: string, names: ReadonlyArray<string>): void => {
  const { mode } = lstatSync(directory)
  if (process.geteuid?.() === 0 && (mode & worldWritable) !== 0 && (mode & sticky) === 0)
    throw new Error(`everybody may replace files in ${directory}: chmod o-w it, or choose another directory`)
  for (const name of names) {
    const path = `${directory}/${name}`
    refuseForeignLink(path)
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found !== undefined && (mode & worldWritable) !== 0 && !isTrusted(found))
      throw new Error(`${path} belongs to another user (uid ${found.uid}), and everybody may write to its directory`)
  }
}

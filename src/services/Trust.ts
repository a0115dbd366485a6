/** Links and directories that a program must not use if it may run as root, because another user controls them. */
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
 * Throws if another user may have planted a file in `directory`. In a sticky directory such as /tmp, only a file of
 * another user is refused. In a directory that everybody may write to and that is not sticky, any file can be replaced
 * at any time, so root refuses the directory.
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

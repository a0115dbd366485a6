/** What a program that may run as root must not follow or use, because somebody else put it there. */
import { lstatSync, type Stats } from "node:fs"
import process from "node:process"

/** Whether its owner is root, or the user that runs the program. */
const isTrusted = ({ uid }: Stats): boolean => uid === 0 || uid === process.geteuid?.()

const worldWritable = 0o002
const sticky = 0o1000

/** Throws if `path` is a symbolic link of another user. As the kernel's `fs.protected_symlinks`, but in every directory. */
export const refuseForeignLink = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isSymbolicLink() && !isTrusted(found))
    throw new Error(`${path} is a symbolic link that belongs to another user (uid ${found.uid})`)
}

/**
 * Throws if another user can have prepared a file in `directory`. Everybody may write to a sticky directory such as /tmp:
 * there, a file of another user is not used. If the directory is not sticky, its files can be replaced at any time: root
 * does not use it at all, because others would gain its rights.
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

/**
 * Ensures that the program reads only files inside the input directory. Anybody who may write there can replace a
 * directory by a symbolic link at any moment, so checking a path proves nothing. Therefore, the open file is checked.
 */
import { fstatSync, lstatSync, readlinkSync, realpathSync } from "node:fs"
import { SourceUnreadable } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/Settings.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"

/** Throws if the open file or directory is not below the input. */
export type Containment = (fd: number, file: SourceFile) => void

/** With `--follow-symlinks`, everything is allowed: the links may lead anywhere. */
export const make = ({ followSymlinks, input }: Pick<Settings, "followSymlinks" | "input">): Containment => {
  if (followSymlinks) return () => {}
  /** The input, with every symbolic link above it resolved. Ends in `/`. */
  let root: string | undefined
  return (fd, { path, relativePath }) => {
    root ??= realpathSync.native(input).replace(/\/?$/, "/")
    const realPath = realPathOf(fd)
    const isInside = realPath === undefined ? isAt(fd, root, relativePath) : `${realPath}/`.startsWith(root)
    if (!isInside) throw outside(path)
  }
}

/**
 * The path of an open file, as the kernel knows it. Undefined without /proc, and if the path is too long for the kernel
 * to report.
 */
const realPathOf = (fd: number) => {
  try {
    return readlinkSync(pathOfDescriptor(fd))
  } catch {
    return undefined
  }
}

export const pathOfDescriptor = (fd: number): string => `/proc/self/fd/${fd}`

/** Whether the path leads to the open file, and has no symbolic link. Throws ENOENT if the path no longer exists. */
const isAt = (fd: number, root: string, relativePath: string) => {
  const opened = fstatSync(fd, { bigint: true })
  const names = relativePath.split("/").filter((name) => name !== "")
  const parents = names.map((_, at) => root + names.slice(0, at).join("/"))
  const now = lstatSync(root + names.join("/"), { bigint: true })
  // the parents are checked last, because one that is a directory now may have been a link when the file was opened
  return now.dev === opened.dev && now.ino === opened.ino && parents.every((parent) => lstatSync(parent).isDirectory())
}

const outside = (path: string) =>
  new SourceUnreadable({
    path,
    detail: "it is outside of --input: a directory was replaced by a symbolic link, or moved away, during the run",
    code: "OUTSIDE",
    advice: "find out who may write below --input; --follow-symlinks reads what links lead to"
  })

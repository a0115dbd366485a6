/** Finds the kinds of a directory's entries. */
import { type Dirent, promises as fs } from "node:fs"
import type { SkipReason } from "../../domain/SourceFile.ts"
import { codeOf } from "../SystemError.ts"

/** A name that is not UTF-8 decodes to a name with this character, and no file can be opened under that name. */
export const isUndecodable = (name: string) => name.includes("\uFFFD")

/** The kind of an entry, or of the target of a link that is followed. */
export const kindOf = async (
  entry: Dirent,
  path: string,
  followSymlinks: boolean
): Promise<"file" | "directory" | "gone" | "undecodable" | SkipReason> => {
  if (entry.isDirectory()) return "directory"
  if (entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice()) return "special"
  if (entry.isSymbolicLink() && !followSymlinks) return "symlink"
  if (entry.isSymbolicLink() && isUndecodable(entry.name)) return "undecodable"
  // for a link to follow, and on a file system that does not report the kinds of its entries
  const stat = await (entry.isSymbolicLink() ? fs.stat(path) : fs.lstat(path)).catch(codeOf)
  if (typeof stat !== "object") return entry.isSymbolicLink() ? "dead-link" : "gone"
  if (stat.isFile()) return "file"
  if (stat.isDirectory()) return "directory"
  return stat.isSymbolicLink() ? "symlink" : "special"
}

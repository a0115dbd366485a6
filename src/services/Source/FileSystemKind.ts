/**
 * Distinguishes local file systems from those that depend on a server or another process, which may stop responding.
 */
import { promises as fs } from "node:fs"
import * as Mount from "../../domain/Mount.ts"

/** The `f_type` of local file systems. Source: statfs(2), and linux/magic.h. */
const local: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0xca451a4e, // bcachefs
  0x3153464a, // JFS
  0x4d44, // FAT
  0x2011bab0 // exFAT
])

/**
 * Asks the kernel once per device, in the thread pool. A file system that is not known to be local counts as remote.
 */
export const make = () => {
  const known = new Map<number, boolean>()
  return async (device: number, path: string): Promise<boolean> => {
    const answer =
      known.get(device) ??
      (await fs.statfs(path).then(
        ({ type }) => !local.has(type),
        () => true
      ))
    known.set(device, answer)
    return answer
  }
}

/** Whether all files below `directory` are local. Ignores symbolic links. */
export const isLocalThroughout = async (directory: string): Promise<boolean> => {
  try {
    const [mountinfo, path] = await Promise.all([fs.readFile("/proc/self/mountinfo", "utf8"), fs.realpath(directory)])
    return Mount.isLocalThroughout(mountinfo, path)
  } catch {
    return false
  }
}

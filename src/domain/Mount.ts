/** The mounts of a Linux system, as /proc/self/mountinfo lists them. Source: proc_pid_mountinfo(5). */

interface Mount {
  readonly point: string
  readonly type: string
}

const parse = (mountinfo: string): ReadonlyArray<Mount> =>
  mountinfo.split("\n").flatMap((line) => {
    const [point, type] = [line.split(" ")[4], line.split(" - ")[1]?.split(" ")[0]]
    return point === undefined || type === undefined ? [] : [{ point: unescape(point), type }]
  })

/** Spaces, tabs, line breaks and backslashes are written as octal escapes. */
const unescape = (text: string) => text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))

const isInside = (path: string, directory: string) =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`)

/** Whether a file system is FUSE. virtiofs is FUSE with a hypervisor as its server. */
const isFuse = (type: string) => type.startsWith("fuse") || type === "virtiofs"

const localTypes: ReadonlySet<string> = new Set(
  "ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs jfs vfat exfat tmpfs ramfs overlay".split(" ")
)

/**
 * Returns the file system type of a directory, and the types of all file systems mounted below it. `directory` is an
 * absolute path. Ignores symbolic links.
 */
const typesAt = (mountinfo: string, directory: string): ReadonlyArray<string> => {
  const mounts = parse(mountinfo)
  const above = mounts.filter(({ point }) => isInside(directory, point))
  // the last of several mounts at the same point covers the others
  const nearest = above.reduce<Mount | undefined>(
    (best, mount) => (best === undefined || mount.point.length >= best.point.length ? mount : best),
    undefined
  )
  const below = mounts.filter(({ point }) => isInside(point, directory))
  return [...(nearest === undefined ? [] : [nearest]), ...below].map(({ type }) => type)
}

/** Whether the directory is on FUSE, or contains a mount of FUSE. */
export const mayInvolveFuse = (mountinfo: string, directory: string): boolean =>
  typesAt(mountinfo, directory).some(isFuse)

/** Whether every file below the directory is on a local file system, which needs no server. */
export const isLocalThroughout = (mountinfo: string, directory: string): boolean => {
  const types = typesAt(mountinfo, directory)
  return types.length > 0 && types.every((type) => localTypes.has(type))
}

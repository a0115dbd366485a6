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

/** Spaces, tabs, line breaks and backslashes are octal. */
const unescape = (text: string) => text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))

const isInside = (path: string, directory: string) =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`)

/** FUSE, and virtiofs, which the same code of the kernel serves. */
const isFuse = ({ type }: Mount) => type.startsWith("fuse") || type === "virtiofs"

/** Whether the directory, an absolute path, is on FUSE, or contains a mount of FUSE. Ignores symbolic links. */
export const mayInvolveFuse = (mountinfo: string, directory: string): boolean => {
  const mounts = parse(mountinfo)
  const above = mounts.filter(({ point }) => isInside(directory, point))
  // the last of several mounts at the same point covers the others
  const nearest = above.reduce<Mount | undefined>(
    (best, mount) => (best === undefined || mount.point.length >= best.point.length ? mount : best),
    undefined
  )
  return (
    (nearest !== undefined && isFuse(nearest)) ||
    mounts.some((mount) => isInside(mount.point, directory) && isFuse(mount))
  )
}

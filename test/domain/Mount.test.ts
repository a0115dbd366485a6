import { describe, expect, it } from "vitest"
import * as Mount from "../../src/domain/Mount.ts"

const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /srv/remote rw shared:2 - fuse.sshfs host:/ rw
31 30 254:1 / /srv/remote/local rw - ext4 /dev/vdb rw
32 22 0:41 / /with\\040space rw - fuseblk /dev/sdc rw
33 22 0:42 / /shared rw - virtiofs shared rw
34 22 0:43 / /covered rw - fuse.sshfs host:/ rw
35 34 0:44 / /covered rw - tmpfs tmpfs rw
`

describe("a directory", () => {
  it.each([
    ["/var/lib/ibsr", false],
    ["/srv/remote", true],
    ["/srv/remote/snapshots", true],
    ["/srv/remotely", false],
    ["/srv/remote/local/snapshots", false],
    ["/with space/snapshots", true],
    ["/shared", true],
    ["/covered/snapshots", false],
    ["/srv", true],
    ["/", true]
  ])("%s is on FUSE, or contains a FUSE mount: %s", (directory, expected) => {
    expect(Mount.mayInvolveFuse(mountinfo, directory)).toBe(expected)
  })

  it("is not on FUSE if the list of mounts is empty", () => {
    expect(Mount.mayInvolveFuse("", "/srv")).toBe(false)
  })

  it.each([
    ["/var/lib/ibsr", true],
    ["/srv/remote/local/snapshots", true],
    ["/covered/snapshots", true],
    ["/nfs/local", true],
    ["/nfs", false],
    ["/nfs/snapshots", false],
    ["/shared", false],
    ["/srv", false],
    ["/", false]
  ])("%s contains only local file systems: %s", (directory, expected) => {
    const nfs = "36 22 0:45 / /nfs rw - nfs4 host:/ rw\n37 36 0:46 / /nfs/local rw - xfs /dev/vdc rw\n"
    expect(Mount.isLocalThroughout(mountinfo + nfs, directory)).toBe(expected)
  })

  it("does not count as local if the list of mounts is empty", () => {
    expect(Mount.isLocalThroughout("", "/srv")).toBe(false)
  })
})

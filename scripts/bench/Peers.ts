/** Which other programs are here, and with which settings each of them is at its best. */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import process from "node:process"
import * as Client from "./Client.ts"

export interface Peer {
  readonly program: string
  readonly path: string
  /** As it says itself. */
  readonly version: string
  /** As it is by itself, and with the settings that suit many small files, or few large ones. */
  readonly small: ReadonlyArray<Client.Client>
  readonly large: ReadonlyArray<Client.Client>
}

const output = (...[program, ...argv]: [string, ...Array<string>]): string => {
  try {
    return execFileSync(program, argv, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  } catch {
    return ""
  }
}

/** What `npm run testbed` has installed comes first. */
const folders = [resolve(import.meta.dirname, "../../.cache/peers/bin"), ...(process.env["PATH"] ?? "").split(":")]

/** All programs of that name; behind pyenv's shims, which take time to look for it, the one they find. */
const all = (name: string): ReadonlyArray<string> => [
  ...new Set(
    folders
      .map((folder) => join(folder, name))
      .filter((path) => existsSync(path))
      .map((path) => (path.includes("/shims/") ? output("pyenv", "which", name).trim() : path))
      .filter((path) => path !== "")
  )
]

type Found = Peer | { readonly missing: string }

const one = (
  name: string,
  versionFlag: string,
  peer: (path: string) => Omit<Peer, "program" | "path" | "version">
): Found => {
  const path = all(name)[0]
  if (path === undefined) return { missing: name }
  const version = /\d+(\.\d+)+/.exec(output(path, versionFlag))?.[0] ?? "?"
  return { program: name, path, version, ...peer(path) }
}

const s5cmd = one("s5cmd", "version", (path) => ({
  small: [
    Client.s5cmd(path, "s5cmd"),
    Client.s5cmd(path, "s5cmd --numworkers 64", ["--numworkers", "64"]),
    Client.s5cmd(path, "s5cmd --numworkers 32", ["--numworkers", "32"])
  ],
  large: [
    Client.s5cmd(path, "s5cmd"),
    Client.s5cmd(path, "s5cmd --numworkers 8", ["--numworkers", "8"]),
    Client.s5cmd(path, "s5cmd --numworkers 4", ["--numworkers", "4"])
  ]
}))

const rclone = one("rclone", "version", (path) => {
  const lean = ["--s3-no-check-bucket", "--s3-no-head", "--no-check-dest", "--no-traverse"]
  return {
    small: [
      Client.rclone(path, "rclone"),
      Client.rclone(path, "rclone --transfers 64 …", ["--transfers", "64", ...lean])
    ],
    large: [
      Client.rclone(path, "rclone"),
      // its MD5 of a whole file, before the first part is sent, is a pass of its own
      Client.rclone(path, "rclone --s3-disable-checksum …", ["--s3-disable-checksum", "--transfers", "8", ...lean])
    ]
  }
})

/** Versions 1 and 2 are two programs: one is on its way out, the other starts more slowly. */
const awsPrograms = all("aws").map((path) => ({ path, version: /aws-cli\/(\S+)/.exec(output(path, "--version"))?.[1] }))

const aws = (major: "1" | "2"): Found => {
  const program = `aws ${major}`
  const found = awsPrograms.find(({ version }) => version?.startsWith(`${major}.`))
  if (found?.version === undefined) return { missing: program }
  const clients = (most: number) => [
    Client.aws(found.path, program, program),
    Client.aws(found.path, program, `${program}, max_concurrent_requests ${most}`, [
      `max_concurrent_requests = ${most}`
    ])
  ]
  return { program, path: found.path, version: found.version, small: clients(64), large: clients(4) }
}

/** What nobody can beat: it reads and sends, and neither signs nor checks nor remembers. */
const curl = one("curl", "--version", (path) => ({
  small: [Client.curl(path, "curl --parallel-max 64", 64)],
  large: [Client.curl(path, "curl --parallel-max 4", 4)]
}))

const found: ReadonlyArray<Found> = [curl, s5cmd, rclone, aws("2"), aws("1")]

export const here: ReadonlyArray<Peer> = found.filter((each) => "program" in each)
export const missing: ReadonlyArray<string> = found.filter((each) => "missing" in each).map((each) => each.missing)

/** Which other programs are here, and with which settings each of them is at its best. */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import process from "node:process"
import * as Client from "./Client.ts"

interface Settings {
  /** As it is by itself comes first; then with what suits many small files, or few large ones. */
  readonly small: ReadonlyArray<Client.Client>
  readonly large: ReadonlyArray<Client.Client>
}

export interface Peer extends Settings {
  readonly program: string
  readonly path: string
  /** As it says itself. */
  readonly version: string
}

interface Known {
  readonly file: string
  /** What it is asked for its version with, and how that is found in the answer. */
  readonly flag: string
  readonly version: RegExp
  readonly settings: (path: string) => Settings
}

const s5cmd: Known = {
  file: "s5cmd",
  flag: "version",
  version: /v([\d.]+)/,
  settings: (path) => {
    const workers = (count: string) => Client.s5cmd(path, `s5cmd --numworkers ${count}`, ["--numworkers", count])
    return {
      small: [Client.s5cmd(path, "s5cmd"), workers("64"), workers("32")],
      large: [Client.s5cmd(path, "s5cmd"), workers("8"), workers("4")]
    }
  }
}

const rclone: Known = {
  file: "rclone",
  flag: "version",
  version: /rclone v([\d.]+)/,
  settings: (path) => {
    // no request that is not an upload, except for one
    const lean = ["--s3-no-check-bucket", "--s3-no-head", "--no-check-dest", "--no-traverse"]
    const many = ["--transfers", "64", ...lean]
    // the MD5 of a whole file, before its first part is sent, is a pass of its own
    const few = ["--s3-disable-checksum", "--transfers", "8", ...lean]
    return {
      small: [Client.rclone(path, "rclone"), Client.rclone(path, "rclone --transfers 64 …", many)],
      large: [Client.rclone(path, "rclone"), Client.rclone(path, "rclone --s3-disable-checksum …", few)]
    }
  }
}

/** Versions 1 and 2 are two programs: one is on its way out, the other starts more slowly. */
const aws = (program: "aws 1" | "aws 2"): Known => ({
  file: "aws",
  flag: "--version",
  version: program === "aws 1" ? /aws-cli\/(1\.[\d.]+)/ : /aws-cli\/(2\.[\d.]+)/,
  settings: (path) => {
    const atOnce = (count: number) =>
      Client.aws(path, program, `${program}, max_concurrent_requests ${count}`, [`max_concurrent_requests = ${count}`])
    const asItIs = Client.aws(path, program, program)
    return { small: [asItIs, atOnce(64)], large: [asItIs, atOnce(4)] }
  }
})

/** What nobody can beat: it reads and sends, and neither signs nor checks nor remembers. */
const curl: Known = {
  file: "curl",
  flag: "--version",
  version: /curl ([\d.]+)/,
  settings: (path) => ({
    small: [Client.curl(path, "curl --parallel-max 64", 64)],
    large: [Client.curl(path, "curl --parallel-max 4", 4)]
  })
}

const known: Readonly<Record<string, Known>> = { curl, s5cmd, rclone, "aws 2": aws("aws 2"), "aws 1": aws("aws 1") }

export const names: ReadonlyArray<string> = Object.keys(known)

const output = (program: string, ...argv: ReadonlyArray<string>): string => {
  try {
    return execFileSync(program, argv, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  } catch {
    return ""
  }
}

/** What `npm run testbed` has installed comes first. */
const folders = [resolve(import.meta.dirname, "../../.cache/peers/bin"), ...(process.env["PATH"] ?? "").split(":")]

/** All programs of that name; behind a shim of pyenv's, which takes time to look for it, the one that it finds. */
const all = (file: string): ReadonlyArray<string> =>
  folders
    .map((folder) => join(folder, file))
    .filter((path) => existsSync(path))
    .map((path) => (path.includes("/shims/") ? output("pyenv", "which", file).trim() : path))

/** That peer, if it is here. */
export const find = (program: string): Peer | undefined => {
  const { file, flag, settings, version } = known[program]!
  for (const path of all(file)) {
    const found = version.exec(output(path, flag))?.[1]
    if (found !== undefined) return { program, path, version: found, ...settings(path) }
  }
  return undefined
}

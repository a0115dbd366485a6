/** The other programs that are installed, and the best settings of each. */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import process from "node:process"
import * as Client from "./Client.ts"

interface Settings {
  /** The defaults first, then settings for many small files or for few large ones. */
  readonly small: ReadonlyArray<Client.Client>
  readonly large: ReadonlyArray<Client.Client>
}

export interface Peer extends Settings {
  readonly program: string
  readonly path: string
  /** The version that it prints. */
  readonly version: string
}

interface Definition {
  readonly file: string
  /** Prints its version, which `version` extracts from the output. */
  readonly flag: string
  readonly version: RegExp
  readonly settings: (path: string) => Settings
}

const s5cmd: Definition = {
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

const rclone: Definition = {
  file: "rclone",
  flag: "version",
  version: /rclone v([\d.]+)/,
  settings: (path) => {
    // with these flags, all requests but one are uploads
    const lean = ["--s3-no-check-bucket", "--s3-no-head", "--no-check-dest", "--no-traverse"]
    const many = ["--transfers", "64", ...lean]
    // otherwise it reads the whole file to compute an MD5 before it sends the first part
    const few = ["--s3-disable-checksum", "--transfers", "8", ...lean]
    return {
      small: [Client.rclone(path, "rclone"), Client.rclone(path, "rclone --transfers 64 …", many)],
      large: [Client.rclone(path, "rclone"), Client.rclone(path, "rclone --s3-disable-checksum …", few)]
    }
  }
}

/** Versions 1 and 2 are separate programs: one is being phased out, the other starts more slowly. */
const aws = (program: "aws 1" | "aws 2"): Definition => ({
  file: "aws",
  flag: "--version",
  version: program === "aws 1" ? /aws-cli\/(1\.[\d.]+)/ : /aws-cli\/(2\.[\d.]+)/,
  settings: (path) => {
    const withConcurrency = (count: number) =>
      Client.aws(path, program, `${program}, max_concurrent_requests ${count}`, [`max_concurrent_requests = ${count}`])
    const defaults = Client.aws(path, program, program)
    return { small: [defaults, withConcurrency(64)], large: [defaults, withConcurrency(4)] }
  }
})

/** The baseline: it only reads and sends, without signing, checking or remembering anything. */
const curl: Definition = {
  file: "curl",
  flag: "--version",
  version: /curl ([\d.]+)/,
  settings: (path) => ({
    small: [Client.curl(path, "curl --parallel-max 64", 64)],
    large: [Client.curl(path, "curl --parallel-max 4", 4)]
  })
}

const definitions: Readonly<Record<string, Definition>> = {
  curl,
  s5cmd,
  rclone,
  "aws 2": aws("aws 2"),
  "aws 1": aws("aws 1")
}

export const names: ReadonlyArray<string> = Object.keys(definitions)

const output = (program: string, ...argv: ReadonlyArray<string>): string => {
  try {
    return execFileSync(program, argv, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  } catch {
    return ""
  }
}

/** The programs that `npm run testbed` installed come first. */
const folders = [resolve(import.meta.dirname, "../../.cache/peers/bin"), ...(process.env["PATH"] ?? "").split(":")]

/** The paths of all programs of that name. Resolves pyenv's shims, whose lookup would add to the measured time. */
const pathsOf = (file: string): ReadonlyArray<string> =>
  folders
    .map((folder) => join(folder, file))
    .filter((path) => existsSync(path))
    .map((path) => (path.includes("/shims/") ? output("pyenv", "which", file).trim() : path))

/** Finds a peer, if it is installed. */
export const find = (program: string): Peer | undefined => {
  const { file, flag, settings, version } = definitions[program]!
  for (const path of pathsOf(file)) {
    const found = version.exec(output(path, flag))?.[1]
    if (found !== undefined) return { program, path, version: found, ...settings(path) }
  }
  return undefined
}

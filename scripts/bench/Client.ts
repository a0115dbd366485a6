/** The clients that are compared: programs with their settings, all of which perform the same task. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Product from "../build/Product.ts"
import type { Command } from "./Cost.ts"
import type { Load } from "./Load.ts"

/** The upload of all files of a folder. */
export interface UploadTask {
  readonly load: Load
  readonly endpoint: string
  /** The path of the certificate to trust for the endpoint. */
  readonly authority: string
  /** An empty folder for this task only. */
  readonly scratch: string
}

export interface Client {
  /** The title of a table row: the program and its settings. */
  readonly name: string
  readonly program: string
  /** A `baseline` does less than the task, so no client can be faster. */
  readonly kind: "ours" | "peer" | "baseline"
  readonly command: (task: UploadTask) => Command
}

export const bucket = "bench"

/** The whole environment of every client, so that the settings of this machine have no influence. */
const envOf = ({ authority, endpoint, scratch }: UploadTask): Record<string, string> => ({
  PATH: "/usr/local/bin:/usr/bin:/bin",
  HOME: scratch,
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
  // each program reads a different one of these variables; SSL_CERT_FILE also changes the connections of programs in Go
  ...(endpoint.startsWith("https:") ? { SSL_CERT_FILE: authority, CURL_CA_BUNDLE: authority } : {})
})

const awsEnv = (task: UploadTask) => ({ ...envOf(task), AWS_CA_BUNDLE: task.authority })

/** The built program. Without flags, it runs with its defaults. */
export const ours = (name: string, flags: ReadonlyArray<string> = [], program = Product.program()): Client => ({
  name,
  program: "ibsr-export",
  kind: "ours",
  command: (task) => {
    const target = ["--bucket", bucket, "--endpoint", task.endpoint]
    const input = ["--input", task.load.folder, "--state-dir", join(task.scratch, "state")]
    return { argv: [...program, "s3", ...input, ...target, ...flags], env: awsEnv(task) }
  }
})

/** The built program and, if given, another build of it, by its path. */
export const builds = (other: string | undefined): ReadonlyArray<Client> => [
  ours("ibsr-export"),
  ...(other === undefined ? [] : [ours(`ibsr-export, ${other}`, [], [other])])
]

export const s5cmd = (path: string, name: string, global: ReadonlyArray<string> = []): Client => ({
  name,
  program: "s5cmd",
  kind: "peer",
  command: (task) => {
    const copy = ["cp", `${task.load.folder}/`, `s3://${bucket}/s5cmd/`]
    return { argv: [path, "--endpoint-url", task.endpoint, ...global, ...copy], env: envOf(task) }
  }
})

export const rclone = (path: string, name: string, flags: ReadonlyArray<string> = []): Client => ({
  name,
  program: "rclone",
  kind: "peer",
  command: (task) => {
    const copy = ["copy", task.load.folder, `:s3:${bucket}/rclone`, "--config", ""]
    const store = ["--s3-provider", "Other", "--s3-region", "us-east-1", "--s3-endpoint", task.endpoint]
    return { argv: [path, ...copy, ...store, "--s3-env-auth", ...flags], env: envOf(task) }
  }
})

/** `settings`: lines for the section `s3` of its configuration file, because no flag has these settings. */
export const aws = (path: string, program: string, name: string, settings: ReadonlyArray<string> = []): Client => ({
  name,
  program,
  kind: "peer",
  command: (task) => {
    const config = join(task.scratch, "config")
    const section = settings.length === 0 ? [] : ["s3 =", ...settings.map((each) => `  ${each}`)]
    writeFileSync(config, ["[default]", ...section, ""].join("\n"))
    const copy = ["s3", "cp", "--recursive", task.load.folder, `s3://${bucket}/aws/`]
    const argv = [path, ...copy, "--only-show-errors", "--endpoint-url", task.endpoint]
    return { argv, env: { ...awsEnv(task), AWS_CONFIG_FILE: config } }
  }
})

/** The cheapest possible HTTP upload: signs nothing and checks only the status of the response. */
export const curl = (path: string, name: string, parallel: number): Client => ({
  name,
  program: "curl",
  kind: "baseline",
  command: (task) => {
    const config = join(task.scratch, "transfers")
    const { endpoint, load } = task
    const transfers = load.files.flatMap((file) => [
      `url = "${endpoint}/${bucket}/curl/${file}"`,
      `upload-file = "${join(load.folder, file)}"`,
      `output = "/dev/null"`
    ])
    writeFileSync(config, transfers.join("\n"))
    const flags = ["--silent", "--fail", "--parallel", "--parallel-max", String(parallel), "--config", config]
    return { argv: [path, ...flags], env: envOf(task) }
  }
})

/** Creates a scratch folder below `folder`. */
export const scratchIn = (folder: string): string => {
  mkdirSync(folder, { recursive: true })
  return mkdtempSync(join(folder, "task-"))
}

/** Who uploads: programs with their settings, each of which does the same errand. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Product from "../build/Product.ts"
import type { Command } from "./Cost.ts"
import type { Load } from "./Load.ts"

/** To upload all files of a folder. */
export interface Errand {
  readonly load: Load
  readonly endpoint: string
  /** File of the certificate that the endpoint is trusted by. */
  readonly authority: string
  /** An empty folder that is this errand's own. */
  readonly scratch: string
}

export interface Client {
  /** Of a table's row: the program and its settings. */
  readonly name: string
  readonly program: string
  /** `floor`: it does less than what is asked, so that nobody can beat it. */
  readonly kind: "ours" | "peer" | "floor"
  readonly command: (errand: Errand) => Command
}

export const bucket = "bench"

/** What all of them get, and nothing else: what the machine is set to is not to be measured. */
const envOf = ({ authority, endpoint, scratch }: Errand): Record<string, string> => ({
  PATH: "/usr/local/bin:/usr/bin:/bin",
  HOME: scratch,
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  AWS_REGION: "us-east-1",
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
  // each program reads one of these, and those in Go change their connections if they read the first
  ...(endpoint.startsWith("https:") ? { SSL_CERT_FILE: authority, CURL_CA_BUNDLE: authority } : {})
})

const awsEnv = (errand: Errand) => ({ ...envOf(errand), AWS_CA_BUNDLE: errand.authority })

/** The built program; without flags, as it is by itself. */
export const ours = (name: string, flags: ReadonlyArray<string> = [], program = Product.program()): Client => ({
  name,
  program: "ibsr-export",
  kind: "ours",
  command: (errand) => {
    const target = ["--bucket", bucket, "--endpoint", errand.endpoint]
    const input = ["--input", errand.load.folder, "--state-dir", join(errand.scratch, "state")]
    return { argv: [...program, "s3", ...input, ...target, ...flags], env: awsEnv(errand) }
  }
})

export const s5cmd = (path: string, name: string, global: ReadonlyArray<string> = []): Client => ({
  name,
  program: "s5cmd",
  kind: "peer",
  command: (errand) => {
    const copy = ["cp", `${errand.load.folder}/`, `s3://${bucket}/s5cmd/`]
    return { argv: [path, "--endpoint-url", errand.endpoint, ...global, ...copy], env: envOf(errand) }
  }
})

export const rclone = (path: string, name: string, flags: ReadonlyArray<string> = []): Client => ({
  name,
  program: "rclone",
  kind: "peer",
  command: (errand) => {
    const copy = ["copy", errand.load.folder, `:s3:${bucket}/rclone`, "--config", ""]
    const store = ["--s3-provider", "Other", "--s3-region", "us-east-1", "--s3-endpoint", errand.endpoint]
    return { argv: [path, ...copy, ...store, "--s3-env-auth", ...flags], env: envOf(errand) }
  }
})

/** `settings` are lines of the section `s3` of its configuration, which is the only place for them. */
export const aws = (path: string, program: string, name: string, settings: ReadonlyArray<string> = []): Client => ({
  name,
  program,
  kind: "peer",
  command: (errand) => {
    const config = join(errand.scratch, "config")
    const section = settings.length === 0 ? [] : ["s3 =", ...settings.map((each) => `  ${each}`)]
    writeFileSync(config, ["[default]", ...section, ""].join("\n"))
    const copy = ["s3", "cp", "--recursive", errand.load.folder, `s3://${bucket}/aws/`]
    const argv = [path, ...copy, "--only-show-errors", "--endpoint-url", errand.endpoint]
    return { argv, env: { ...awsEnv(errand), AWS_CONFIG_FILE: config } }
  }
})

/** It signs nothing, and looks at no answer but its status: what is left is HTTP, as cheap as it gets. */
export const curl = (path: string, name: string, parallel: number): Client => ({
  name,
  program: "curl",
  kind: "floor",
  command: (errand) => {
    const config = join(errand.scratch, "transfers")
    const { endpoint, load } = errand
    const transfers = load.files.flatMap((file) => [
      `url = "${endpoint}/${bucket}/curl/${file}"`,
      `upload-file = "${join(load.folder, file)}"`,
      `output = "/dev/null"`
    ])
    writeFileSync(config, transfers.join("\n"))
    const flags = ["--silent", "--fail", "--parallel", "--parallel-max", String(parallel), "--config", config]
    return { argv: [path, ...flags], env: envOf(errand) }
  }
})

/** A new scratch folder below that. */
export const scratchIn = (folder: string): string => {
  mkdirSync(folder, { recursive: true })
  return mkdtempSync(join(folder, "errand-"))
}

/** Faults of the host: its files, directories, settings and credentials. */
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { StrictS3, writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { emptyDirectory, tree } from "../../fixtures/Tree.ts"
import { s3, start, until } from "../BuiltProgram.ts"
import { withConfig, withoutKeys as noKeys } from "../CredentialSources.ts"
import { type LastLinesCase, oneFile, onStore, type Prepared, type Use } from "./LastLinesCase.ts"

const { IBSR_EXPORT_VERBOSE: _, ...withoutKeys } = noKeys
const quietly = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ ...env, IBSR_EXPORT_VERBOSE: undefined })

const keys = `aws_access_key_id = ${writer.accessKeyId}\naws_secret_access_key = ${writer.secretAccessKey}\n`
const isRoot = process.getuid?.() === 0
const canDropRights = isRoot && existsSync("/usr/bin/setpriv")

/** The id of a user who owns no files. */
const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

/** Gives all users access to a directory. */
const opened = (path: string) => {
  chmodSync(path, 0o755)
  return path
}

const stateOf = (path: string) => ({ IBSR_EXPORT_STATE_DIR: path })

/** Mounts a file system of this kind over a directory for the duration of a run. */
const mounted = (options: string, at: string) => [
  "unshare",
  "--mount",
  "sh",
  "-c",
  `mount -t tmpfs -o ${options} tmpfs ${at} && exec "$@"`,
  "sh"
]

const canMount = (() => {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

const withMount = (options: string) => async (use: Use) => {
  const stateDir = emptyDirectory()
  return onStore({ env: stateOf(stateDir), commandPrefix: mounted(options, stateDir) })(use)
}

const asUserWithout = (what: "input" | "file" | "state" | "keys") => async (use: Use) => {
  const [input, state] = [oneFile(), emptyDirectory()]
  for (const path of [input, state]) chmodSync(path, 0o777)
  const home = tree({ ".aws/credentials": `[default]\n${keys}` })
  for (const path of [home, join(home, ".aws")]) opened(path)
  if (what === "input") chmodSync(input, 0o700)
  if (what === "file") chmodSync(join(input, "snapshot_2026112214.jsonl"), 0o600)
  if (what === "state") chmodSync(state, 0o755)
  if (what === "keys") chmodSync(join(home, ".aws/credentials"), 0o600)
  const env = what === "keys" ? { ...withoutKeys, HOME: home } : {}
  return onStore({ input, env: { ...env, ...stateOf(state) }, commandPrefix: asNobody })(use)
}

const locked = async (use: Use): Promise<Prepared> => {
  const store = use(await StrictS3.start())
  store.fault = () => ({ kind: "hang" })
  const prepared = { args: s3(oneFile(), store.endpoint, "--region=us-east-1"), env: stateOf(emptyDirectory()) }
  const { child, finished } = start(prepared.args, prepared)
  use({ stop: () => (child.kill("SIGKILL"), finished) })
  await until(() => store.inFlight > 0)
  return prepared
}

const failingProcess = () => {
  const helper = join(tree({ "get-key": "#!/bin/sh\necho 'vault: permission denied' >&2\nexit 7\n" }), "get-key")
  chmodSync(helper, 0o700)
  return quietly(withConfig(`[default]\ncredential_process = ${helper}\n`))
}

const inProfile = (files: Readonly<Record<string, string>>, ...flags: ReadonlyArray<string>) =>
  onStore({ env: { ...withoutKeys, HOME: tree(files) }, flags })

export const hostFaults: ReadonlyArray<LastLinesCase> = [
  {
    when: "the input may not be read",
    exit: 52,
    cause: /EACCES|permission denied/i,
    remedy: /right to read/i,
    isPossible: canDropRights,
    prepare: asUserWithout("input")
  },
  {
    when: "a file may not be read",
    exit: 41,
    cause: /snapshot_2026112214\.jsonl.*(EACCES|permission denied)/i,
    remedy: /allow the user/i,
    isPossible: canDropRights,
    prepare: asUserWithout("file")
  },
  {
    when: "the input is missing",
    exit: 52,
    cause: /\/nonexistent\/snapshots.*(ENOENT|does not exist|no such)/i,
    remedy: /--input/i,
    prepare: onStore({ input: "/nonexistent/snapshots" })
  },
  {
    when: "the patterns select nothing",
    exit: 42,
    cause: /no file was selected/i,
    remedy: /--include/i,
    prepare: onStore({ flags: ["--include=*.json", "--fail-if-empty"] })
  },
  {
    when: "the state directory belongs to another user",
    exit: 51,
    cause: /EACCES|permission denied/i,
    remedy: /--state-dir.*(chown|owner|write)/i,
    isPossible: canDropRights,
    prepare: asUserWithout("state")
  },
  {
    when: "the state directory is on a read-only file system",
    exit: 51,
    cause: /EROFS|read-only/i,
    remedy: /read-only|ReadWritePaths/i,
    isPossible: canMount,
    prepare: withMount("ro")
  },
  {
    when: "the state directory's disk is full",
    exit: 51,
    cause: /ENOSPC|SQLITE_FULL|full/i,
    remedy: /free (some )?space/i,
    isPossible: canMount,
    prepare: withMount("size=8k")
  },
  { when: "another run holds the ledger", exit: 50, cause: /another run/, remedy: /--lock-wait/, prepare: locked },
  {
    when: "the file of the keys is missing",
    exit: 61,
    cause: /\/etc\/nowhere\/keys.*AWS_SHARED_CREDENTIALS_FILE/i,
    remedy: /AWS_SHARED_CREDENTIALS_FILE/i,
    prepare: onStore({ env: { ...withoutKeys, AWS_SHARED_CREDENTIALS_FILE: "/etc/nowhere/keys" } })
  },
  {
    when: "no source has credentials",
    exit: 20,
    cause: /no credentials/i,
    remedy: /AWS_ACCESS_KEY_ID/i,
    prepare: onStore({ env: withoutKeys })
  },
  {
    when: "the key has no secret",
    exit: 20,
    cause: /AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not/i,
    remedy: /set AWS_SECRET_ACCESS_KEY/i,
    prepare: onStore({ env: { AWS_SECRET_ACCESS_KEY: undefined } })
  },
  {
    when: "the credentials file may not be read",
    exit: 61,
    cause: /\.aws\/credentials.*EACCES/i,
    remedy: /readable/i,
    isPossible: canDropRights,
    prepare: asUserWithout("keys")
  },
  {
    when: "the credential_process fails",
    exit: 20,
    cause: /exited with 7: vault: permission denied/i,
    remedy: /credential_process/i,
    prepare: async (use) => onStore({ env: failingProcess() })(use)
  },
  {
    when: "a section of the config file lacks the word profile",
    exit: 61,
    cause: /\[export\]/i,
    remedy: /write \[profile export\]/i,
    prepare: inProfile({ ".aws/config": `[export]\n${keys}` }, "--profile=export")
  },
  {
    when: "the profile is misspelt",
    exit: 61,
    cause: /'exprot' is in no AWS configuration file/i,
    remedy: /--profile/i,
    prepare: inProfile({ ".aws/credentials": `[export]\n${keys}` }, "--profile=exprot")
  },
  {
    when: "the region is in quotes",
    exit: 61,
    cause: /line 2/i,
    remedy: /remove the quotes/i,
    prepare: inProfile({ ".aws/config": `[default]\nregion = "us-east-1"\n`, ".aws/credentials": `[default]\n${keys}` })
  }
]

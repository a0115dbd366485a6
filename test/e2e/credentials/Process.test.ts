/** What happens to a credential_process that fails, hangs, or leaves processes behind. */
import { chmodSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { describe, expect, it } from "vitest"
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { tree } from "../../fixtures/Tree.ts"
import { run, s3, start, until } from "../BuiltProgram.ts"
import { tinyFiles, withConfig } from "../CredentialSources.ts"
import { startStore } from "../Store.ts"

const credentials = JSON.stringify({
  Version: 1,
  AccessKeyId: writer.accessKeyId,
  SecretAccessKey: writer.secretAccessKey
})

/** A command whose script may name a directory of its own as `$DIR`. */
const helper = (script: string) => {
  const directory = tree({ helper: `#!/bin/sh\nDIR=$(dirname "$0")\n${script}\n` })
  const file = join(directory, "helper")
  chmodSync(file, 0o700)
  return { directory, env: withConfig(`[default]\nregion = us-east-1\ncredential_process = ${file}\n`) }
}

const isAlive = (pidFile: string) => {
  try {
    return process.kill(Number(readFileSync(pidFile, "utf8")), 0)
  } catch {
    return false
  }
}

const args = async (...flags: ReadonlyArray<string>) => s3(tinyFiles(1), (await startStore()).endpoint, ...flags)

const hangs = 'echo $$ > "$DIR/pid"; sleep 300 & echo $! > "$DIR/child"; wait'

describe("a credential_process that hangs", () => {
  it("is killed with its children when the run gives up", async () => {
    const { directory, env } = helper(hangs)
    const { code } = await run(await args("--timeout=1s", "--max-retries=0"), { env })
    expect(code).toBe(30)
    await until(() => !["pid", "child"].some((name) => isAlive(join(directory, name))))
  })

  it.each([
    ["a signal", ["SIGTERM"], 143],
    ["two signals", ["SIGINT", "SIGINT"], 130]
  ] as const)("is killed with its children after %s", async (_, signals, expected) => {
    const { directory, env } = helper(hangs)
    const { child, finished } = start(await args("--grace=0s"), { env })
    await until(() => existsSync(join(directory, "child")) && isAlive(join(directory, "child")))
    for (const signal of signals) child.kill(signal)
    expect((await finished).code).toBe(expected)
    await until(() => !["pid", "child"].some((name) => isAlive(join(directory, name))))
  })
})

describe("a credential_process that succeeds", () => {
  it("leaves no child behind, not even one that keeps its output open", async () => {
    const { directory, env } = helper(`sleep 300 & echo $! > "$DIR/child"; echo '${credentials}'`)
    const { code, stdout } = await run(await args(), { env })
    expect(code, stdout).toBe(0)
    await until(() => !isAlive(join(directory, "child")))
  })
})

describe("a credential_process that fails", () => {
  it.each([
    ["exits", "echo first >&2; echo 'vault: permission denied' >&2; exit 7", "exited with 7: vault: permission denied"],
    ["does not exist", 'rm "$0"; exec "$0"', "exited with 127"],
    ["never stops printing", "yes", "was killed by SIGKILL"]
  ])("is reported with its exit status and its last line when it %s", async (_, script, message) => {
    const { code, stdout } = await run(await args(), { env: helper(script).env })
    expect([code, stdout]).toEqual([20, expect.stringContaining(`credential_process ${message}`)])
  })
})

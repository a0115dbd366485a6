/** `status`, as an administrator uses it. */
import { chmodSync, cpSync, existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Status } from "../../src/report/Status.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { ending, run, type RunOptions, s3, start, until } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const isRoot = process.getuid?.() === 0

/** A ledger after a successful run, and a failed run on a mistyped bucket. */
const ledgerWithMistake = async () => {
  const store = await startStore()
  const stateDir = emptyDirectory()
  const input = tree({ "a.jsonl": "1\n", "d/b.jsonl": "2\n" })
  const args = s3(input, store.endpoint, "--state-dir", stateDir)
  expect((await run(args)).code).toBe(0)
  const mistyped = args.map((word) => (word === "--bucket=snapshots" ? "--bucket=snapshosts" : word))
  expect((await run(mistyped)).code).toBe(23)
  return { args, store, stateDir, url: (bucket: string) => `s3://${bucket}/ibsr/host/snapshots` }
}

const status = (stateDir: string, ...flags: ReadonlyArray<string>) => run(["status", "--state-dir", stateDir, ...flags])
const targetsIn = async (stateDir: string) =>
  (JSON.parse((await status(stateDir, "--output=json")).stdout) as Status).targets

describe("status", () => {
  it("shows the cause of the last failure, the newest file and ages", async () => {
    const { stateDir } = await ledgerWithMistake()
    const { stdout } = await status(stateDir)
    expect(stdout).toMatch(/^ledger \/.*ledger\.db\n/)
    expect(stdout).toMatch(/last run {6}\S+Z \(\d+ s ago\), exit 23 \(bucket\): .*NoSuchBucket/)
    expect(stdout).toMatch(/newest file {3}\S+Z \(60 min ago\): (a|d\/b)\.jsonl/)
    const [good, bad] = await targetsIn(stateDir)
    expect(good).toMatchObject({ lastFailure: null, lastRun: { exitCode: 0, cause: null } })
    expect(bad).toMatchObject({ lastFailure: { exitCode: 23, cause: expect.stringContaining("NoSuchBucket") } })
  })

  it("forgets a mistyped target, and keeps the others", async () => {
    const { args, stateDir, store, url } = await ledgerWithMistake()
    const unknown = await status(stateDir, "--forget", url("snapshot"))
    expect([unknown.code, ending(unknown)]).toEqual([
      60,
      expect.stringContaining(`${url("snapshosts")} at ${store.endpoint}`)
    ])
    const [before] = await targetsIn(stateDir)
    const forgotten = await status(stateDir, "--forget", `${url("snapshosts")} at ${store.endpoint}`)
    expect([forgotten.code, forgotten.stdout]).toEqual([
      0,
      `forgot ${url("snapshosts")} at ${store.endpoint} with 2 files; its objects stay in the bucket\n`
    ])
    expect(await targetsIn(stateDir)).toEqual([{ ...before, mostRecent: true }])
    const requests = store.requests.length
    expect((await run(args)).code).toBe(0)
    expect(store.requests.length).toBe(requests)

    expect((await status(stateDir, "--forget", url("snapshots"))).code).toBe(0)
    expect(await targetsIn(stateDir)).toEqual([])
    expect((await run(args)).code).toBe(0)
    expect(store.requests.length).toBe(requests + 2)
  })

  it("forgets nothing during a run or without a ledger", async () => {
    const store = await startStore({ latencyMs: 2000 })
    const stateDir = emptyDirectory()
    const { finished } = start(s3(tree({ "a.jsonl": "1\n" }), store.endpoint, "--state-dir", stateDir))
    await until(() => store.inFlight > 0)
    expect((await status(stateDir, "--forget", "s3://snapshots/ibsr/host/snapshots")).code).toBe(50)
    expect((await finished).code).toBe(0)
    const missing = join(emptyDirectory(), "missing")
    expect((await status(missing, "--forget", "s3://b/p")).code).toBe(51)
    expect(existsSync(missing)).toBe(false)
  })

  it.skipIf(!isRoot || !existsSync("/usr/bin/setpriv"))("says how to read another user's ledger", async () => {
    const { stateDir } = await ledgerWithMistake()
    chmodSync(stateDir, 0o700)
    const commandPrefix = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    const denied = await run(["status", "--state-dir", stateDir], { commandPrefix })
    expect(denied.code).toBe(51)
    expect(ending(denied)).toContain(`sudo ibsr-export status --state-dir ${stateDir}`)
  })

  it.skipIf(!isRoot || !existsSync("/usr/bin/unshare"))("finds the ledger of the packaged service", async () => {
    const { stateDir } = await ledgerWithMistake()
    const services = emptyDirectory()
    mkdirSync(join(services, "ibsr-export"))
    cpSync(stateDir, join(services, "ibsr-export"), { recursive: true })
    const mount = 'mount --bind "$0" /var/lib && exec "$@"'
    const options: RunOptions = {
      commandPrefix: ["/usr/bin/unshare", "--mount", "sh", "-c", mount, services],
      env: { IBSR_EXPORT_STATE_DIR: undefined, HOME: emptyDirectory() }
    }
    const found = await run(["status"], options)
    expect(found.code, found.stderr).toBe(0)
    expect(found.stdout).toMatch(/^ledger \/var\/lib\/ibsr-export\/ledger\.db\n/)

    // another user has a different ledger, or none
    chmodSync(services, 0o755)
    const other = [...options.commandPrefix!, "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    const missing = await run(["status"], {
      ...options,
      commandPrefix: other,
      env: { ...options.env, HOME: "/nonexistent" }
    })
    expect(missing.code).toBe(51)
    expect(ending(missing)).toContain("sudo ibsr-export status")
  })
})

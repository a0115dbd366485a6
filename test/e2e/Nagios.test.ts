import { appendFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { run, s3 } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

/** A host that runs uploads and checks. */
const host = () => {
  const env = { IBSR_EXPORT_STATE_DIR: emptyDirectory() }
  const input = tree({ "a.jsonl": "1\n" })
  return {
    input,
    upload: (endpoint: string) => run(s3(input, endpoint, "--max-retries=0"), { env }),
    check: (...flags: ReadonlyArray<string>) => run(["status", "--output=nagios", ...flags], { env })
  }
}

describe("status --output nagios", () => {
  it("prints one line and exits 0 after a successful run, and exits 1 or 2 when the run was too long ago", async () => {
    const store = await startStore()
    const { check, upload } = host()
    await upload(store.endpoint)
    const good = await check()
    expect(good).toMatchObject({ code: 0, stderr: "" })
    expect(good.stdout).toMatch(
      /^IBSR-EXPORT OK - http:\S+: last success \S+ s ago, [^|]+ \| age=\d+s;7200;21600;0 .*\n$/
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await check("--warning=1ms")).code).toBe(1)
    const late = await check("--warning=1ms", "--critical=1ms")
    expect(late.code).toBe(2)
    expect(late.stdout).toMatch(/^IBSR-EXPORT CRITICAL - /)
  })

  it("exits 2 when no run has ever succeeded, and exits 1 when only the last run failed", async () => {
    const store = await startStore()
    store.fault = () => ({ kind: "answer", status: 503, code: "SlowDown" })
    const { check, input, upload } = host()
    expect((await upload(store.endpoint)).code).toBe(32)
    expect((await check()).code).toBe(2)
    store.fault = undefined
    expect((await upload(store.endpoint)).code).toBe(0)
    expect((await check()).code).toBe(0)
    store.fault = () => ({ kind: "answer", status: 503, code: "SlowDown" })
    appendFileSync(join(input, "a.jsonl"), "2\n")
    expect((await upload(store.endpoint)).code).toBe(32)
    const failed = await check()
    expect(failed.code).toBe(1)
    expect(failed.stdout).toContain(", last run exit 32 (unavailable), 1 waiting, 0 lost | ")
  })

  it("checks only the targets that --bucket and --prefix name", async () => {
    const store = await startStore()
    const { check, upload } = host()
    await upload(store.endpoint)
    expect((await check("--bucket=snapshots", "--prefix=/ibsr/host/snapshots/")).code).toBe(0)
    expect((await check("--bucket=other")).code).toBe(3)
  })

  it("exits 3 and says so on stdout when there is no ledger", async () => {
    const unknown = await host().check()
    expect(unknown).toMatchObject({ code: 3, stderr: "" })
    expect(unknown.stdout).toMatch(/^IBSR-EXPORT UNKNOWN - \/.*ledger\.db: there is no ledger here[^\n]*\n$/)
  })

  it("refuses a --warning that is longer than --critical", async () => {
    const refused = await host().check("--warning=3h", "--critical=2h")
    expect(refused.code).toBe(60)
    expect(refused.stderr).toContain("--warning must not be longer than --critical")
  })
})

/** Names of the host in the prefix. */
import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import { describe, expect, it } from "vitest"
import { emptyDirectory } from "../fixtures/Tree.ts"
import { closedPort, run } from "./BuiltProgram.ts"
import { oneFile, onInstance, startMetadata } from "./CredentialSources.ts"
import { startStore } from "./Store.ts"

const s3 = (prefix: string, ...rest: ReadonlyArray<string>) => [
  "s3",
  `--input=${oneFile()}`,
  "--bucket=snapshots",
  `--prefix=${prefix}`,
  ...rest
]

describe("a prefix with placeholders", () => {
  it("is filled in before --dry-run prints the keys", async () => {
    const result = await run(s3("ibsr/{hostname}/{machine-id}", "--dry-run"))
    expect(result.code, result.stderr).toBe(0)
    const machineId = readFileSync("/etc/machine-id", "utf8").trim()
    expect(result.stdout).toContain(`-> s3://snapshots/ibsr/${hostname()}/${machineId}/a.jsonl `)
  })

  it("is filled in for a run and for status", async () => {
    const store = await startStore()
    const metadata = await startMetadata({})
    const env = {
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.url,
      IBSR_EXPORT_STATE_DIR: emptyDirectory()
    }
    const result = await run(s3("ibsr/{instance-id}", `--endpoint=${store.endpoint}`), { env })
    expect(result.code, result.stdout).toBe(0)
    expect(store.keys()).toEqual([`ibsr/${metadata.instanceId}/a.jsonl`])
    const status = await run(["status", "--prefix=ibsr/{instance-id}"], { env })
    expect(status.stdout).toContain(`s3://snapshots/ibsr/${metadata.instanceId} at `)
  })

  it("is kept unchanged by units", async () => {
    const result = await run(["units", "--program=/bin/true", "--prefix=ibsr/{hostname}/{instance-id}"])
    expect(result.stdout).toContain(`"--prefix=ibsr/{hostname}/{instance-id}"`)
  })

  it("makes the run exit 61 before it starts if the host has no metadata service", async () => {
    const env = onInstance({ url: `http://127.0.0.1:${await closedPort()}` })
    const result = await run(s3("ibsr/{instance-id}"), { env })
    expect([result.code, result.stdout]).toEqual([61, ""])
    expect(result.stderr).toContain("ECONNREFUSED")
    expect(result.stderr).toContain("Use {hostname} or {machine-id}")
  })
})

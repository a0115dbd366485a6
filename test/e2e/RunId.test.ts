import { describe, expect, it } from "vitest"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { report, run, s3 } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

/** What the report and the ledger call a run. */
const named = async (invocation: string | undefined) => {
  const store = await startStore()
  const env = { INVOCATION_ID: invocation, IBSR_EXPORT_STATE_DIR: emptyDirectory() }
  const { id } = report(await run(s3(tree({ "a.jsonl": "1\n" }), store.endpoint, "--output=json"), { env })).run
  const status = JSON.parse((await run(["status", "--output=json"], { env })).stdout)
  return [id, status.targets[0].lastRun.id]
}

describe("a run", () => {
  it("is called in report and ledger as systemd calls it", async () => {
    expect(await named("0f1e2d3c4b5a69788796a5b4c3d2e1f0")).toEqual([
      "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
      "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    ])
  })

  it.each([undefined, ""])("has a name of its own where systemd gave none: %j", async (invocation) => {
    const [id, remembered] = await named(invocation)
    expect(id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(remembered).toBe(id)
  })
})

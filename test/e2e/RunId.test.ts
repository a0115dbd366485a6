import { describe, expect, it } from "vitest"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { report, run, s3 } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

/** The ID of a run in its report and in the ledger. */
const runIds = async (invocationId: string | undefined) => {
  const store = await startStore()
  const env = { INVOCATION_ID: invocationId, IBSR_EXPORT_STATE_DIR: emptyDirectory() }
  const { id } = report(await run(s3(tree({ "a.jsonl": "1\n" }), store.endpoint, "--output=json"), { env })).run
  const status = JSON.parse((await run(["status", "--output=json"], { env })).stdout)
  return [id, status.targets[0].lastRun.id]
}

describe("the ID of a run", () => {
  it("is systemd's invocation ID in the report and in the ledger", async () => {
    expect(await runIds("0f1e2d3c4b5a69788796a5b4c3d2e1f0")).toEqual([
      "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
      "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    ])
  })

  it.each([undefined, ""])("is a new UUID without systemd: %j", async (invocationId) => {
    const [id, recorded] = await runIds(invocationId)
    expect(id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(recorded).toBe(id)
  })
})

/** systemd retries a failed run, alerts once, and starts any number of successful runs. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import type { StrictS3 } from "../../../scripts/strict-s3/StrictS3.ts"
import { until } from "../BuiltProgram.ts"
import { Host, hostAvailable } from "./Host.ts"
import { countAlerts, countRuns } from "./Journal.ts"

// the retries of the oldest and the newest supported version differ most: see RestartMode= in systemd.service(5)
const systemds: ReadonlyArray<readonly [name: string, root: string | undefined]> = [
  ["this machine", undefined],
  ...Object.entries(inject("otherSystemds")).map(([suite, root]) => [`Debian ${suite}`, root] as const)
]

describe.skipIf(!hostAvailable).each(systemds)("the start limit under the systemd of %s", (_, root) => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open(root)
  })
  afterAll(() => host.close())

  const overloaded: StrictS3["fault"] = () => ({ kind: "answer", status: 503, code: "SlowDown" })

  it("does not count successful runs: after four of them, systemd still retries a failed run and alerts once", async () => {
    const store = await host.prepare()
    for (let start = 0; start < 4; start++) {
      const { journal, started } = await host.upload()
      expect([started.code, countRuns(journal), countAlerts(journal)]).toEqual([0, 1, 0])
    }
    host.writeSnapshot("snapshot_2026112215.jsonl", "{}\n")
    store.fault = overloaded
    const { journal, ...service } = await host.upload()
    expect(service).toMatchObject({ ExecMainStatus: "32", ActiveState: "failed" })
    expect([countRuns(journal), countAlerts(journal)]).toEqual([3, 1])
  })

  it("does not count earlier runs when a failed run finally succeeds", async () => {
    const store = await host.prepare()
    for (const name of ["snapshot_2026112214.jsonl", "snapshot_2026112215.jsonl"]) {
      host.writeSnapshot(name, "{}\n")
      const before = store.requests.length
      store.fault = (request) => (store.requests.length <= before + 2 ? overloaded(request) : undefined)
      const { journal, ...service } = await host.upload()
      expect(service).toMatchObject({ Result: "success", ActiveState: "inactive" })
      expect([countRuns(journal), countAlerts(journal)]).toEqual([3, 0])
    }
  })

  it("does not count runs that were stopped", async () => {
    const store = await host.prepare()
    store.fault = () => ({ kind: "delay", ms: 500 })
    const since = await host.journalCursor()
    for (let start = 0; start < 4; start++) {
      host.writeSnapshot(`snapshot_202611221${start}.jsonl`, "{}\n")
      await host.systemctl("start", "--no-block", "ibsr-upload.service")
      await until(() => store.inFlight > 0)
      await host.systemctl("stop", "ibsr-upload.service")
      expect(await host.whenIdle()).toMatchObject({ Result: "success", ExecMainStatus: "143" })
    }
    expect(countAlerts(await host.journalSince(since))).toBe(0)
  })

  it("does not delay the alert for a failure that is not retried", async () => {
    await host.prepare()
    for (let start = 0; start < 4; start++) await host.upload()
    host.configure({ IBSR_EXPORT_BUCKET: "other" })
    const { journal, ...service } = await host.upload()
    expect(service).toMatchObject({ Result: "exit-code", ExecMainStatus: "23", ActiveState: "failed" })
    expect([countRuns(journal), countAlerts(journal)]).toEqual([1, 1])
  })
})

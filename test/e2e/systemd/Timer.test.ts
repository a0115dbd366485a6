/** When the timer starts runs, and how it prevents two at the same time. */
import { utimesSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { until } from "../BuiltProgram.ts"
import { Host, hostAvailable } from "./Host.ts"
import { countAlerts, countRuns } from "./Journal.ts"

const timer = "ibsr-upload.timer"
/** The file whose time tells systemd when a persistent timer last elapsed. */
const stamp = "/var/lib/systemd/timers/stamp-ibsr-upload.timer"

describe.skipIf(!hostAvailable)("the timer", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  /** Restarts the package's timer with another schedule. */
  const schedule = async (calendar: string): Promise<void> => {
    await host.systemctl("stop", timer)
    host.dropIn(
      timer,
      "schedule",
      "[Timer]",
      "OnCalendar=",
      `OnCalendar=${calendar}`,
      "RandomizedDelaySec=0",
      "AccuracySec=1ms"
    )
    await host.systemctl("daemon-reload")
    await host.systemctl("start", timer)
  }
  const missAnHour = () => {
    const before = new Date(Date.now() - 3_700_000)
    utimesSync(join(host.container.root, stamp), before, before)
  }
  const never = () => schedule("2099-01-01")
  afterEach(never)

  it("starts a run each time it elapses", async () => {
    const store = await host.prepare()
    const since = await host.journalCursor()
    await schedule("*:*:0/2")
    await until(() => store.keys().length === 1)
    host.writeSnapshot("snapshot_2026112215.jsonl", "{}\n")
    await until(() => store.keys().length === 2)
    await never()
    await host.whenIdle()
    const journal = await host.journalSince(since)
    expect(countRuns(journal)).toBeGreaterThanOrEqual(2)
    expect(countAlerts(journal)).toBe(0)
  })

  it("does not start a second run while the first is active", async () => {
    const store = await host.prepare()
    store.fault = () => ({ kind: "delay", ms: 4000 })
    const since = await host.journalCursor()
    await schedule("*:*:*")
    await until(() => store.inFlight > 0)
    const first = (await host.properties("InvocationID"))["InvocationID"]
    // the timer elapses at least twice
    await sleep(2500)
    expect(await host.properties("InvocationID", "ActiveState")).toEqual({
      InvocationID: first,
      ActiveState: "activating"
    })
    await never()
    await until(() => store.keys().length === 1)
    await host.systemctl("stop", "ibsr-upload.service")
    expect(store.requests).toHaveLength(1)
    expect(countAlerts(await host.journalSince(since))).toBe(0)
  })

  it("catches up on a missed hour when it starts", async () => {
    const store = await host.prepare()
    // the timer elapses hourly, but not in this minute
    await schedule(`*:${(new Date().getMinutes() + 30) % 60}:00`)
    await sleep(500)
    expect(store.requests).toHaveLength(0)
    await host.systemctl("stop", timer)
    missAnHour()
    await host.systemctl("start", timer)
    await until(() => store.keys().length === 1)
  })

  it("catches up on a missed hour at the next boot, when the network is up", async () => {
    await host.prepare()
    host.dropIn("ibsr-upload.service", "restart-delay", "[Service]", "RestartSec=2s")
    await schedule("hourly")
    await host.systemctl("enable", timer)
    missAnHour()
    await host.container.shutDown()
    await host.container.boot()
    await host.when(({ ExecMainStatus, SubState }) => ExecMainStatus === "30" && SubState === "auto-restart")
    const store = await host.startStore()
    expect(await host.whenIdle()).toMatchObject({ Result: "success" })
    expect(store.keys()).toEqual(["host/snapshot_2026112214.jsonl"])
    await host.systemctl("disable", timer)
  })
})

describe.skipIf(!hostAvailable)("two runs on one ledger", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  it("exclude each other: a manual run exits 50 while the service is active", async () => {
    const store = await host.prepare()
    store.fault = () => ({ kind: "delay", ms: 1500 })
    const service = host.upload()
    await until(() => store.inFlight === 1)
    const manual = await host.runManually()
    expect(manual.code, manual.stderr).toBe(50)
    expect(await service).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(store.requests).toHaveLength(1)
  })

  it("exclude each other: the service exits 50 during a manual run, and uploads after it", async () => {
    const store = await host.prepare()
    host.dropIn("ibsr-upload.service", "restart-delay", "[Service]", "RestartSec=2s")
    await host.systemctl("daemon-reload")
    await host.upload()
    host.writeSnapshot("snapshot_2026112215.jsonl", "{}\n")
    store.fault = () => ({ kind: "delay", ms: 1500 })
    const manual = host.runManually()
    await until(() => store.inFlight === 1)
    const service = host.upload()
    await host.when(({ ExecMainStatus, SubState }) => ExecMainStatus === "50" && SubState === "auto-restart")
    host.writeSnapshot("snapshot_2026112216.jsonl", "{}\n")
    expect((await manual).code).toBe(0)
    const { journal, ...result } = await service
    expect(result).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(countAlerts(journal)).toBe(0)
    expect(store.requests.map(({ key }) => key)).toEqual([
      "host/snapshot_2026112214.jsonl",
      "host/snapshot_2026112215.jsonl",
      "host/snapshot_2026112216.jsonl"
    ])
  })
})

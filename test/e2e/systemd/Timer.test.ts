/** When runs begin, and that two never work at once. */
import { utimesSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { until } from "../BuiltProgram.ts"
import { Host, possible } from "./Host.ts"
import { alerts, runs } from "./Journal.ts"

const timer = "ibsr-upload.timer"
/** What systemd remembers of a timer that makes up for what it has missed. */
const stamp = "/var/lib/systemd/timers/stamp-ibsr-upload.timer"

describe.skipIf(!possible)("the timer", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  /** The package's timer, but for when it elapses. */
  const every = async (calendar: string): Promise<void> => {
    await host.systemctl("stop", timer)
    host.dropIn(
      timer,
      "far",
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
    utimesSync(join(host.box.root, stamp), before, before)
  }
  const never = () => every("2099-01-01")
  afterEach(never)

  it("starts a run each time that it elapses", async () => {
    const store = await host.begin()
    const since = await host.now()
    await every("*:*:0/2")
    await until(() => store.keys().length === 1)
    host.snapshot("snapshot_2026112215.jsonl", "{}\n")
    await until(() => store.keys().length === 2)
    await never()
    await host.settled()
    const told = await host.told(since)
    expect(runs(told)).toBeGreaterThanOrEqual(2)
    expect(alerts(told)).toBe(0)
  })

  it("starts no second run while one is at work", async () => {
    const store = await host.begin()
    store.fault = () => ({ kind: "delay", ms: 4000 })
    const since = await host.now()
    await every("*:*:*")
    await until(() => store.inFlight > 0)
    const first = (await host.properties("InvocationID"))["InvocationID"]
    // it elapses two times at least
    await sleep(2500)
    expect(await host.properties("InvocationID", "ActiveState")).toEqual({
      InvocationID: first,
      ActiveState: "activating"
    })
    await never()
    await until(() => store.keys().length === 1)
    await host.systemctl("stop", "ibsr-upload.service")
    expect(store.requests).toHaveLength(1)
    expect(alerts(await host.told(since))).toBe(0)
  })

  it("makes up for an hour that was missed, when it is started", async () => {
    const store = await host.begin()
    // every hour, and not just now
    await every(`*:${(new Date().getMinutes() + 30) % 60}:00`)
    await sleep(500)
    expect(store.requests).toHaveLength(0)
    await host.systemctl("stop", timer)
    missAnHour()
    await host.systemctl("start", timer)
    await until(() => store.keys().length === 1)
  })

  it("makes up for it at the next boot, as soon as the network is there", async () => {
    await host.begin()
    host.dropIn("ibsr-upload.service", "soon", "[Service]", "RestartSec=2s")
    await every("hourly")
    await host.systemctl("enable", timer)
    missAnHour()
    await host.box.shutDown()
    await host.box.boot()
    await host.when(({ ExecMainStatus, SubState }) => ExecMainStatus === "30" && SubState === "auto-restart")
    const store = await host.store()
    expect(await host.settled()).toMatchObject({ Result: "success" })
    expect(store.keys()).toEqual(["host/snapshot_2026112214.jsonl"])
    await host.systemctl("disable", timer)
  })
})

describe.skipIf(!possible)("two runs on one ledger", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  it("are kept apart: what is started by hand meanwhile ends with 50", async () => {
    const store = await host.begin()
    store.fault = () => ({ kind: "delay", ms: 1500 })
    const service = host.upload()
    await until(() => store.inFlight === 1)
    const second = await host.runByHand()
    expect(second.code, second.stderr).toBe(50)
    expect(await service).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(store.requests).toHaveLength(1)
  })

  it("are kept apart: the service ends with 50, and does its work when the first is over", async () => {
    const store = await host.begin()
    host.dropIn("ibsr-upload.service", "soon", "[Service]", "RestartSec=2s")
    await host.systemctl("daemon-reload")
    await host.upload()
    host.snapshot("snapshot_2026112215.jsonl", "{}\n")
    store.fault = () => ({ kind: "delay", ms: 1500 })
    const first = host.runByHand()
    await until(() => store.inFlight === 1)
    const service = host.upload()
    await host.when(({ ExecMainStatus, SubState }) => ExecMainStatus === "50" && SubState === "auto-restart")
    host.snapshot("snapshot_2026112216.jsonl", "{}\n")
    expect((await first).code).toBe(0)
    const { told, ...result } = await service
    expect(result).toMatchObject({ Result: "success", ExecMainStatus: "0", NRestarts: "1" })
    expect(alerts(told)).toBe(0)
    expect(store.requests.map(({ key }) => key)).toEqual([
      "host/snapshot_2026112214.jsonl",
      "host/snapshot_2026112215.jsonl",
      "host/snapshot_2026112216.jsonl"
    ])
  })
})

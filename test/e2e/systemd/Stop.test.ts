/** A run that systemd stops. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { StrictS3 } from "../../fakes/StrictS3.ts"
import { until } from "../BuiltProgram.ts"
import { Host, possible } from "./Host.ts"
import { alerts, by } from "./Journal.ts"

const names = Array.from({ length: 12 }, (_, hour) => `snapshot_20261122${String(hour).padStart(2, "0")}.jsonl`)
const contents = Object.fromEntries(names.map((name) => [`host/${name}`, `{"of":"${name}"}\n`]))

const stored = (...stores: ReadonlyArray<StrictS3>) =>
  Object.fromEntries(stores.flatMap((store) => store.keys().map((key) => [key, String(store.object(key)?.body)])))

describe.skipIf(!possible)("in the middle of a run", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  /** A run that has stored some of the files, has some in flight, and some before it. */
  const midway = async () => {
    const store = await host.begin({ latencyMs: 500 })
    await host.box.exec("find", "/var/lib/ibsr/snapshots", "-type", "f", "-delete")
    for (const [key, text] of Object.entries(contents)) host.snapshot(key.slice("host/".length), text)
    host.configure({ IBSR_EXPORT_CONCURRENCY: "2" })
    const since = await host.now()
    await host.systemctl("start", "--no-block", "ibsr-upload.service")
    await until(() => store.keys().length >= 2 && store.inFlight === 2)
    return { store, since }
  }

  it("`systemctl stop` ends it with 143, which is a success and alerts nobody, and the next run does the rest", async () => {
    const { since, store } = await midway()
    await host.systemctl("stop", "ibsr-upload.service")
    const service = await host.settled()
    expect(service).toMatchObject({ Result: "success", ExecMainStatus: "143", NRestarts: "0", ActiveState: "inactive" })
    const told = await host.told(since)
    expect(alerts(told)).toBe(0)
    expect(by("ibsr-export", told).at(-1)?.message).toContain("143")
    // what was in flight has arrived
    const first = store.keys().length
    expect(first).toBe(store.requests.length)
    expect(first).toBeLessThan(names.length)

    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(stored(store)).toEqual(contents)
    // nothing was sent twice
    expect(store.requests).toHaveLength(names.length)
  })

  it("a shutdown ends it so, too, and what it knows survives", async () => {
    const { since, store } = await midway()
    await host.box.shutDown()
    const first = store.keys().length
    expect(first).toBe(store.requests.length)
    expect(first).toBeLessThan(names.length)

    await host.box.boot()
    const told = await host.told(since)
    expect(by("ibsr-export", told).at(-1)?.message).toContain("143")
    expect(alerts(told)).toBe(0)
    const afterBoot = await host.store()
    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(stored(store, afterBoot)).toEqual(contents)
    expect(afterBoot.requests).toHaveLength(names.length - first)
  })

  it("a run that does not end in time is killed, and the next one does the rest", async () => {
    const { store } = await midway()
    host.dropIn("ibsr-upload.service", "impatient", "[Service]", "TimeoutStopSec=200ms")
    await host.systemctl("daemon-reload")
    store.fault = () => ({ kind: "hang" })
    const inHand = store.requests.length
    await until(() => store.requests.length > inHand + 1)
    await host.systemctl("stop", "ibsr-upload.service")
    expect(await host.settled()).toMatchObject({ Result: "timeout", ExecMainStatus: "9" })
    store.fault = undefined
    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(stored(store)).toEqual(contents)
  })
})

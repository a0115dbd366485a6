/** Runs that systemd stops. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { StrictS3 } from "../../../scripts/strict-s3/StrictS3.ts"
import { until } from "../BuiltProgram.ts"
import { Host, hostAvailable } from "./Host.ts"
import { countAlerts, countRuns, entriesOf } from "./Journal.ts"

const names = Array.from({ length: 12 }, (_, hour) => `snapshot_20261122${String(hour).padStart(2, "0")}.jsonl`)
const contents = Object.fromEntries(names.map((name) => [`host/${name}`, `{"of":"${name}"}\n`]))

const stored = (...stores: ReadonlyArray<StrictS3>) =>
  Object.fromEntries(stores.flatMap((store) => store.keys().map((key) => [key, String(store.object(key)?.body)])))

describe.skipIf(!hostAvailable)("during a run", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  /** Starts a run, and waits until it has stored some files, has some in flight, and has some left. */
  const startRun = async () => {
    const store = await host.prepare({ latencyMs: 500 })
    await host.container.exec("find", "/var/lib/ibsr/snapshots", "-type", "f", "-delete")
    for (const [key, text] of Object.entries(contents)) host.writeSnapshot(key.slice("host/".length), text)
    host.configure({ IBSR_EXPORT_CONCURRENCY: "2" })
    const since = await host.journalCursor()
    await host.systemctl("start", "--no-block", "ibsr-upload.service")
    await until(() => store.keys().length >= 2 && store.inFlight === 2)
    return { store, since }
  }

  it("`systemctl stop` ends it with 143 as a success without an alert, and the next run uploads the rest", async () => {
    const { since, store } = await startRun()
    await host.systemctl("stop", "ibsr-upload.service")
    const service = await host.whenIdle()
    expect(service).toMatchObject({ Result: "success", ExecMainStatus: "143", ActiveState: "inactive" })
    const journal = await host.journalSince(since)
    expect([countRuns(journal), countAlerts(journal)]).toEqual([1, 0])
    expect(entriesOf("ibsr-export", journal).at(-1)?.message).toContain("143")
    // the requests in flight have finished
    const storedByFirst = store.keys().length
    expect(storedByFirst).toBe(store.requests.length)
    expect(storedByFirst).toBeLessThan(names.length)

    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(stored(store)).toEqual(contents)
    // nothing was sent twice
    expect(store.requests).toHaveLength(names.length)
  })

  it("a shutdown ends it with 143, and its ledger survives", async () => {
    const { since, store } = await startRun()
    await host.container.shutDown()
    const storedByFirst = store.keys().length
    expect(storedByFirst).toBe(store.requests.length)
    expect(storedByFirst).toBeLessThan(names.length)

    await host.container.boot()
    const journal = await host.journalSince(since)
    expect(entriesOf("ibsr-export", journal).at(-1)?.message).toContain("143")
    expect(countAlerts(journal)).toBe(0)
    const afterBoot = await host.startStore()
    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(stored(store, afterBoot)).toEqual(contents)
    expect(afterBoot.requests).toHaveLength(names.length - storedByFirst)
  })

  it("systemd kills a run that does not stop in time, and the next run uploads the rest", async () => {
    const { store } = await startRun()
    host.dropIn("ibsr-upload.service", "short-stop", "[Service]", "TimeoutStopSec=200ms")
    await host.systemctl("daemon-reload")
    store.fault = () => ({ kind: "hang" })
    const requestsBefore = store.requests.length
    await until(() => store.requests.length > requestsBefore + 1)
    await host.systemctl("stop", "ibsr-upload.service")
    expect(await host.whenIdle()).toMatchObject({ Result: "timeout", ExecMainStatus: "9" })
    store.fault = undefined
    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(stored(store)).toEqual(contents)
  })
})

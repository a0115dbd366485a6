/** How the Debian package treats the timer and an active run on a host with systemd. */
import { join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { StrictS3, StrictS3Options } from "../../../scripts/strict-s3/StrictS3.ts"
import { appendTo, bumpVersion, remakeDeb } from "../../fixtures/Deb.ts"
import { until } from "../BuiltProgram.ts"
import { Host, hostAvailable } from "./Host.ts"
import { debPath } from "./Install.ts"
import { countAlerts, countRuns, entriesOf } from "./Journal.ts"

const timer = "ibsr-upload.timer"
/** The first file is the one of every prepared host. */
const names = Array.from({ length: 6 }, (_, hour) => `snapshot_20261122${14 + hour}.jsonl`)

describe.skipIf(!hostAvailable)("the package", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
    // removes the schedule of Host.open, with which the timer never elapses: these tests need the package's own
    await host.container.exec("rm", "-r", `/etc/systemd/system/${timer}.d`)
  })
  afterAll(() => host.close())

  // restores the state directly after an installation
  beforeEach(async () => {
    await host.systemctl("disable", "--now", timer).catch(() => {})
    await dpkg("--install", debPath)
  })

  const state = async (unit: string) => {
    const { stdout } = await host.container.exec(
      "systemctl",
      "show",
      unit,
      "--property=ActiveState,UnitFileState,LoadState"
    )
    return Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split("="))
    ) as Record<string, string>
  }

  const dpkg = async (...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await host.container.exec("dpkg", ...args)
    expect(code, stdout + stderr).toBe(0)
  }

  /** Starts a run over several files, and waits for its first requests. */
  const startRun = async (options: StrictS3Options, fault?: StrictS3["fault"]): Promise<StrictS3> => {
    const store = await host.prepare(options)
    store.fault = fault
    for (const name of names) host.writeSnapshot(name, `{"of":"${name}"}\n`)
    host.configure({ IBSR_EXPORT_CONCURRENCY: "2", IBSR_EXPORT_MAX_RETRIES: "100" })
    await host.systemctl("start", "--no-block", "ibsr-upload.service")
    await until(() => store.requests.length >= 2)
    return store
  }

  it("does not start or enable the timer; one command does both", async () => {
    expect(await state(timer)).toEqual({ LoadState: "loaded", ActiveState: "inactive", UnitFileState: "disabled" })
    expect(await state("ibsr-upload.service")).toMatchObject({ LoadState: "loaded", ActiveState: "inactive" })
    await host.systemctl("enable", "--now", timer)
    expect(await state(timer)).toMatchObject({ ActiveState: "active", UnitFileState: "enabled" })
  })

  it("lets a run continue when it is upgraded, and gives the timer its new schedule", async () => {
    await host.systemctl("enable", "--now", timer)
    const since = await host.journalCursor()
    // the run cannot end until the fault is gone
    const store = await startRun({}, () => ({ kind: "answer", status: 503, code: "ServiceUnavailable" }))
    const { MainPID: pid } = await host.properties("MainPID")
    const next = "/root/next.deb"
    remakeDeb(
      join(host.container.root, debPath),
      join(host.container.root, next),
      bumpVersion,
      appendTo(
        `usr/lib/systemd/system/${timer}`,
        "[Timer]\nOnCalendar=\nOnCalendar=*-12-31 04:05:06 UTC\nRandomizedDelaySec=0\n"
      )
    )
    await dpkg("--install", next)
    expect((await host.properties("MainPID"))["MainPID"]).toBe(pid)
    store.fault = undefined

    expect(await host.whenIdle()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(countRuns(await host.journalSince(since))).toBe(1)
    expect(store.keys()).toHaveLength(names.length)
    expect(await state(timer)).toMatchObject({ ActiveState: "active", UnitFileState: "enabled" })
    const { stdout } = await host.container.exec("systemctl", "list-timers", "--no-legend", timer)
    expect(stdout).toMatch(/^\w+ \d+-12-31 04:05:06 UTC /)
    // the next run uses the new program
    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
  })

  it("stops a run cleanly when it is removed, and leaves no timer", async () => {
    await host.systemctl("enable", "--now", timer)
    const store = await startRun({ latencyMs: 1000 })
    const since = await host.journalCursor()
    await dpkg("--remove", "ibsr-export")
    // the requests in flight have finished
    expect(store.inFlight).toBe(0)
    expect(store.keys()).toHaveLength(store.requests.length)
    expect(store.keys().length).toBeLessThan(names.length)
    const journal = await host.journalSince(since)
    expect(countAlerts(journal)).toBe(0)
    expect(entriesOf("ibsr-export", journal).at(-1)?.message).toContain("143")
    expect(await state(timer)).toMatchObject({ LoadState: "not-found", ActiveState: "inactive" })
    expect((await host.container.exec("find", "/etc/systemd/system", "-name", "ibsr-*.timer")).stdout).toBe("")

    // after a reinstallation, the service uploads the rest
    await dpkg("--install", debPath)
    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(store.requests).toHaveLength(names.length)
  })

  it("leaves no failed unit behind when it is removed", async () => {
    await host.prepare()
    host.configure({ IBSR_EXPORT_BUCKET: "" })
    expect(await host.upload()).toMatchObject({ Result: "exit-code", ExecMainStatus: "60" })
    await dpkg("--remove", "ibsr-export")
    expect(await host.systemctl("list-units", "--all", "--no-legend", "--plain", "ibsr-upload.*")).toBe("")
  })
})

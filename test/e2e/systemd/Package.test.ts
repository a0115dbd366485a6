/** The Debian package where systemd runs: what becomes of the timer, and of a run that is at work. */
import { join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { StrictS3, StrictS3Options } from "../../fakes/StrictS3.ts"
import { appendTo, bumpVersion, remakeDeb } from "../../fixtures/Deb.ts"
import { until } from "../BuiltProgram.ts"
import { Host, possible } from "./Host.ts"
import { deb } from "./Install.ts"
import { alerts, by } from "./Journal.ts"

const timer = "ibsr-upload.timer"
/** The first is that of every host that begins. */
const names = Array.from({ length: 6 }, (_, hour) => `snapshot_20261122${14 + hour}.jsonl`)

describe.skipIf(!possible)("the package", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
    // the far timer is for tests in which nothing must start by itself
    await host.box.exec("rm", "-r", `/etc/systemd/system/${timer}.d`)
  })
  afterAll(() => host.close())

  // as it is when it has just been installed, whatever a test has made of it
  beforeEach(async () => {
    await host.systemctl("disable", "--now", timer).catch(() => {})
    await dpkg("--install", deb)
  })

  const state = async (unit: string) => {
    const { stdout } = await host.box.exec("systemctl", "show", unit, "--property=ActiveState,UnitFileState,LoadState")
    return Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split("="))
    ) as Record<string, string>
  }

  const dpkg = async (...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await host.box.exec("dpkg", ...args)
    expect(code, stdout + stderr).toBe(0)
  }

  /** A run over some files that has just begun. */
  const running = async (options: StrictS3Options, fault?: StrictS3["fault"]): Promise<StrictS3> => {
    const store = await host.begin(options)
    store.fault = fault
    for (const name of names) host.snapshot(name, `{"of":"${name}"}\n`)
    host.configure({ IBSR_EXPORT_CONCURRENCY: "2", IBSR_EXPORT_MAX_RETRIES: "100" })
    await host.systemctl("start", "--no-block", "ibsr-upload.service")
    await until(() => store.requests.length >= 2)
    return store
  }

  it("starts and enables nothing by itself, and one command does both", async () => {
    expect(await state(timer)).toEqual({ LoadState: "loaded", ActiveState: "inactive", UnitFileState: "disabled" })
    expect(await state("ibsr-upload.service")).toMatchObject({ LoadState: "loaded", ActiveState: "inactive" })
    await host.systemctl("enable", "--now", timer)
    expect(await state(timer)).toMatchObject({ ActiveState: "active", UnitFileState: "enabled" })
  })

  it("leaves a run alone when it is upgraded, and the timer goes on by the new unit", async () => {
    await host.systemctl("enable", "--now", timer)
    // it cannot end before it is permitted to
    const store = await running({}, () => ({ kind: "answer", status: 503, code: "ServiceUnavailable" }))
    const { MainPID: before } = await host.properties("MainPID")
    const next = "/root/next.deb"
    remakeDeb(
      join(host.box.root, deb),
      join(host.box.root, next),
      bumpVersion,
      appendTo(
        `usr/lib/systemd/system/${timer}`,
        "[Timer]\nOnCalendar=\nOnCalendar=*-12-31 04:05:06 UTC\nRandomizedDelaySec=0\n"
      )
    )
    await dpkg("--install", next)
    expect((await host.properties("MainPID"))["MainPID"]).toBe(before)
    store.fault = undefined

    expect(await host.settled()).toMatchObject({ Result: "success", ExecMainStatus: "0", NRestarts: "0" })
    expect(store.keys()).toHaveLength(names.length)
    expect(await state(timer)).toMatchObject({ ActiveState: "active", UnitFileState: "enabled" })
    const { stdout } = await host.box.exec("systemctl", "list-timers", "--no-legend", timer)
    expect(stdout).toMatch(/^\w+ \d+-12-31 04:05:06 UTC /)
    // and the new program does the next run
    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
  })

  it("stops a run in good order when it is removed, and nothing more is started", async () => {
    await host.systemctl("enable", "--now", timer)
    const store = await running({ latencyMs: 1000 })
    const since = await host.now()
    await dpkg("--remove", "ibsr-export")
    // what was in flight has arrived
    expect(store.inFlight).toBe(0)
    expect(store.keys()).toHaveLength(store.requests.length)
    expect(store.keys().length).toBeLessThan(names.length)
    const told = await host.told(since)
    expect(alerts(told)).toBe(0)
    expect(by("ibsr-export", told).at(-1)?.message).toContain("143")
    expect(await state(timer)).toMatchObject({ LoadState: "not-found", ActiveState: "inactive" })
    expect((await host.box.exec("find", "/etc/systemd/system", "-name", "ibsr-*.timer")).stdout).toBe("")

    // back again, it does the rest
    await dpkg("--install", deb)
    expect(await host.upload()).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(store.requests).toHaveLength(names.length)
  })

  it("leaves no failed unit behind when it is removed", async () => {
    await host.begin()
    host.configure({ IBSR_EXPORT_BUCKET: "" })
    expect(await host.upload()).toMatchObject({ Result: "exit-code", ExecMainStatus: "60" })
    await dpkg("--remove", "ibsr-export")
    expect(await host.systemctl("list-units", "--all", "--no-legend", "--plain", "ibsr-upload.*")).toBe("")
  })
})

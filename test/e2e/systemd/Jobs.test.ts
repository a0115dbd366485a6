/** Two jobs on one host, with units of their own. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { type StrictS3, writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { until } from "../BuiltProgram.ts"
import { Host, hostAvailable } from "./Host.ts"
import { entriesOf } from "./Journal.ts"

const units = "/etc/systemd/system"
const runDirectory = { snapshots: "ibsr-20261122-141500Z", "snapshots-payload": "ibsr-payload-20261122-141500Z" }
type Input = keyof typeof runDirectory

describe.skipIf(!hostAvailable)("two jobs on one host", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
    // each job has its own dynamic user, and the users must not see each other's ledger
    await generate("snapshots")
    await generate("snapshots-payload", "--name=payload")
    await host.systemctl("daemon-reload")
    // a unit that a timer refers to keeps its result
    for (const name of ["ibsr-upload", "ibsr-upload-payload"]) {
      host.dropIn(`${name}.timer`, "schedule", "[Timer]", "OnCalendar=", "OnCalendar=2099-01-01")
      host.dropIn(`${name}.service`, "restart-delay", "[Service]", "RestartSec=50ms")
    }
    await host.systemctl("daemon-reload")
    await host.systemctl("restart", "ibsr-upload.timer", "ibsr-upload-payload.timer")
  })
  afterAll(() => host.close())

  const generate = async (input: Input, ...flags: ReadonlyArray<string>) => {
    const s3 = [`--input=/var/lib/ibsr/${input}`, "--bucket=snapshots", `--prefix=host/${input}`]
    const { code, stderr } = await host.container.exec("ibsr-export", "units", ...s3, ...flags, "--to", units)
    expect(code, stderr).toBe(0)
  }

  /** Starts a store, and gives both inputs one more snapshot. */
  const prepare = async (hour: number): Promise<StrictS3> => {
    const store = await host.startStore()
    for (const [input, directory] of Object.entries(runDirectory)) {
      const path = join(host.container.root, "var/lib/ibsr", input, directory)
      mkdirSync(path, { recursive: true })
      writeFileSync(join(path, `snapshot_20261122${hour}.jsonl`), `{"of":"${input}"}\n`)
    }
    configure("export.env")
    configure("export-payload.env")
    return store
  }

  const configure = (name: string, endpoint = "http://127.0.0.1:9000") => {
    const variables = {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: writer.accessKeyId,
      AWS_SECRET_ACCESS_KEY: writer.secretAccessKey,
      IBSR_EXPORT_MAX_RETRIES: "0"
    }
    const lines = Object.entries(variables).map(([variable, value]) => `${variable}=${value}\n`)
    host.write(`/etc/ibsr-export/${name}`, lines.join(""), 0o600)
  }

  const show = async (unit: string) => {
    const properties = "--property=Result,ExecMainStatus,ActiveState"
    return (await host.systemctl("show", unit, properties)).trim().split("\n").toSorted()
  }
  const succeeded = ["ActiveState=inactive", "ExecMainStatus=0", "Result=success"]

  /** Without a name, that of the ledger which the program finds. */
  const status = async (state?: string) => {
    const flags = state === undefined ? [] : [`--state-dir=/var/lib/${state}`]
    const { code, stderr, stdout } = await host.container.exec("ibsr-export", "status", "--output=json", ...flags)
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as {
      readonly ledger: string
      readonly nextRun: string | null
      readonly targets: ReadonlyArray<{ readonly input: string; readonly prefix: string }>
    }
  }

  it("run at the same time, each with its own prefix and ledger", async () => {
    const store = await prepare(14)
    store.fault = () => ({ kind: "delay", ms: 1000 })
    const started = host.systemctl("start", "ibsr-upload.service", "ibsr-upload-payload.service")
    await until(() => store.inFlight === 2)
    await started
    for (const unit of ["ibsr-upload.service", "ibsr-upload-payload.service"])
      expect(await show(unit)).toEqual(succeeded)
    expect(store.keys().toSorted()).toEqual([
      "host/snapshots-payload/ibsr-payload-20261122-141500Z/snapshot_2026112214.jsonl",
      "host/snapshots/ibsr-20261122-141500Z/snapshot_2026112214.jsonl"
    ])
    for (const [state, input] of [
      ["ibsr-export", "snapshots"],
      ["ibsr-export-payload", "snapshots-payload"]
    ] as const) {
      const { nextRun, targets } = await status(state)
      expect(targets).toMatchObject([{ input: `/var/lib/ibsr/${input}`, prefix: `host/${input}` }])
      expect(nextRun).toMatch(/^2099-01-01T/)
    }
    expect(await status()).toMatchObject({
      ledger: "/var/lib/ibsr-export/ledger.db",
      targets: [{ prefix: "host/snapshots" }]
    })
  })

  it("fail and alert independently", async () => {
    const store = await prepare(15)
    configure("export-payload.env", "http://127.0.0.1:1")
    const since = await host.journalCursor()
    await host.systemctl("start", "--no-block", "ibsr-upload.service", "ibsr-upload-payload.service")
    await vi.waitUntil(async () => (await show("ibsr-upload-payload.service")).includes("ActiveState=failed"), {
      timeout: 10_000
    })
    await host.whenIdle()
    expect(await show("ibsr-upload.service")).toEqual(succeeded)
    expect(store.keys()).toContain("host/snapshots/ibsr-20261122-141500Z/snapshot_2026112215.jsonl")
    const alerts = entriesOf("ibsr-alert", await host.journalSince(since))
    expect(alerts.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^ibsr-upload-payload\.service has failed: /)
    ])
    // after one job has failed, the other still starts
    for (let start = 0; start < 4; start++) await host.systemctl("start", "ibsr-upload.service")
  })

  it("are stopped one by one", async () => {
    const store = await prepare(16)
    await host.systemctl("reset-failed")
    store.fault = () => ({ kind: "delay", ms: 1000 })
    const started = host.systemctl("start", "ibsr-upload.service")
    await host.systemctl("start", "--no-block", "ibsr-upload-payload.service")
    await until(() => store.inFlight >= 2)
    await host.systemctl("stop", "ibsr-upload-payload.service")
    await started
    expect(await show("ibsr-upload.service")).toEqual(succeeded)
    expect(await show("ibsr-upload-payload.service")).toContain("ExecMainStatus=143")
  })

  it("can be regenerated without changing each other", async () => {
    const read = async (unit: string) => (await host.container.exec("cat", `${units}/${unit}`)).stdout
    const before = await read("ibsr-upload.service")
    await generate("snapshots-payload", "--name=payload", "--force")
    expect(await read("ibsr-upload-payload.service")).toContain("  --force\n")
    expect(await read("ibsr-upload.service")).toBe(before)
    const refused = await host.container.exec(
      "ibsr-export",
      "units",
      "--input=/var/lib/ibsr/snapshots-payload",
      "--bucket=snapshots",
      "--prefix=host/snapshots-payload",
      "--to",
      units
    )
    expect(refused.code).toBe(60)
    expect(refused.stderr).toContain("belongs to another job (--input=/var/lib/ibsr/snapshots --bucket=snapshots")
    expect(await read("ibsr-upload.service")).toBe(before)
  })

  it("have timers at different times", async () => {
    for (const name of ["ibsr-upload", "ibsr-upload-payload"]) {
      await host.container.exec("rm", "-r", `${units}/${name}.timer.d`)
    }
    await host.systemctl("daemon-reload")
    await host.systemctl("enable", "ibsr-upload.timer", "ibsr-upload-payload.timer")
    await host.systemctl("restart", "ibsr-upload.timer", "ibsr-upload-payload.timer")
    const { stdout } = await host.container.exec("systemctl", "list-timers", "--no-legend", "ibsr-upload*")
    const times = stdout.trim().split("\n")
    expect(times).toHaveLength(2)
    expect(new Set(times.map((line) => / \d\d:(\d\d:\d\d) /.exec(line)?.[1])).size).toBe(2)
  })
})

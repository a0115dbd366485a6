/** A host that was set up by hand for the former program: its command, units and crontab start this program. */
import { copyFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest"
import * as Product from "../../../scripts/build/Product.ts"
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { makeDeb } from "../../fixtures/Deb.ts"
import { startHourSoon } from "../../fixtures/systemd/LocalHour.ts"
import { SystemdContainer } from "../../fixtures/systemd/SystemdContainer.ts"
import { until } from "../BuiltProgram.ts"
import { startStore } from "../Store.ts"
import { hostAvailable } from "./Host.ts"
import { debPath } from "./Install.ts"

const program = "/usr/local/bin/ibsr-export"
const command = [
  `${program} s3`,
  "--input /var/lib/ibsr/snapshots",
  "--bucket customer-bucket",
  "--prefix ibsr/host-17/snapshots"
]
const service = [
  "[Unit]",
  "Description=Upload of the snapshots, set up by hand",
  "After=network-online.target",
  "Wants=network-online.target",
  "",
  "[Service]",
  "Type=oneshot",
  "User=root",
  `ExecStart=${command.join(" \\\n  ")}`,
  ""
].join("\n")
const timer =
  "[Timer]\nOnCalendar=hourly\nPersistent=true\nRandomizedDelaySec=300\n\n[Install]\nWantedBy=timers.target\n"
const log = "/var/log/ibsr-upload.log"
const crontab = `0 * * * * ${command.join(" ")} >> ${log} 2>&1\n`

const runDirectory = "ibsr-20261122-141500Z"

describe.skipIf(!hostAvailable)("on a host that was set up for the former program", () => {
  let container: SystemdContainer
  beforeAll(async () => {
    container = await SystemdContainer.open()
    mkdirSync(join(container.root, dirname(program)), { recursive: true })
    copyFileSync(Product.program()[0]!, join(container.root, program))
    write("/etc/systemd/system/ibsr-upload.service", service)
    write("/etc/systemd/system/ibsr-upload.timer", timer)
    write("/root/.aws/config", "[default]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:9000\n")
    const { accessKeyId, secretAccessKey } = writer
    const keys = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
    write("/root/.aws/credentials", keys)
    makeDeb(join(container.root, debPath))
  }, 120_000)
  afterAll(() => container.close())

  const write = (path: string, text: string) => {
    mkdirSync(join(container.root, dirname(path)), { recursive: true })
    writeFileSync(join(container.root, path), text)
  }
  const sh = async (script: string) => {
    const { code, stderr, stdout } = await container.exec("sh", "-ec", script)
    expect(code, `${script}: ${stdout}${stderr}`).toBe(0)
    return stdout
  }
  /** Starts an empty store, and adds a snapshot of this hour. */
  const prepare = async (hour: number) => {
    const path = `/var/lib/ibsr/snapshots/${runDirectory}/snapshot_20261122${hour}.jsonl`
    write(path, '{"a":1}\n')
    const listener = await container.listen("127.0.0.1", 9000)
    const store = await startStore({ buckets: ["customer-bucket"], listener })
    return { store, key: `ibsr/host-17/snapshots/${runDirectory}/snapshot_20261122${hour}.jsonl` }
  }

  it("the command uploads when root types it", async () => {
    const { key, store } = await prepare(14)
    expect(await sh(command.join(" \\\n  "))).toMatch(/ uploaded 1 /)
    expect(store.keys()).toEqual([key])
  })

  it("the service uploads", async () => {
    const { key, store } = await prepare(15)
    await sh("systemctl daemon-reload; systemctl start ibsr-upload.service")
    expect(store.keys()).toEqual([key])
    expect(await sh("systemctl show ibsr-upload.service --property=Result")).toBe("Result=success\n")
  })

  /** The time at which the timer elapses next, in milliseconds since 1970. */
  const nextElapse = async () => {
    const name = "org.freedesktop.systemd1"
    const unit = "/org/freedesktop/systemd1/unit/ibsr_2dupload_2etimer"
    const answer = await sh(`busctl get-property ${name} ${unit} ${name}.Timer NextElapseUSecRealtime`)
    return Number(answer.split(" ")[1]) / 1000
  }

  /** Restarts the timer until its random delay, which may be up to five minutes, is short enough. */
  const startTimer = async (isDone: () => boolean, isEarly: (at: number) => boolean) => {
    // systemd counts the starts of a unit, and refuses the sixth within ten seconds
    do await sh("systemctl reset-failed ibsr-upload.timer; systemctl restart ibsr-upload.timer")
    while (!isDone() && !isEarly(await nextElapse()))
    // systemd may delay a timer by another minute
    await vi.waitUntil(isDone, { timeout: 120_000, interval: 100 })
    await sh("while systemctl is-active --quiet ibsr-upload.service; do sleep 0.1; done")
  }

  it("the timer starts the service when an hour starts, and after a missed hour", { timeout: 400_000 }, async () => {
    const { store } = await prepare(16)
    const uploaded = (count: number) => () => store.keys().length === count
    await sh("systemctl enable ibsr-upload.timer; systemctl start ibsr-upload.timer; systemctl stop ibsr-upload.timer")
    const before = new Date(Date.now() - 3 * 3_600_000)
    utimesSync(join(container.root, "var/lib/systemd/timers/stamp-ibsr-upload.timer"), before, before)
    await startTimer(uploaded(1), (at) => at < Date.now() + 3000)

    await sh("systemctl stop ibsr-upload.timer")
    const hour = await startHourSoon(container, 30_000)
    write(`/var/lib/ibsr/snapshots/${runDirectory}/snapshot_2026112218.jsonl`, "{}\n")
    await startTimer(uploaded(2), (at) => at >= hour && at < hour + 15_000)
    expect(Date.now()).toBeGreaterThan(hour)
    expect(await sh("systemctl show ibsr-upload.service --property=Result")).toBe("Result=success\n")
    await sh("systemctl disable --now ibsr-upload.timer")
  })

  it.skipIf(!inject("cron"))(
    "the crontab uploads when an hour starts, and each line of its log has a date",
    { timeout: 200_000 },
    async () => {
      const { key, store } = await prepare(17)
      const hour = await startHourSoon(container, 5000)
      await sh(`systemctl stop cron; crontab - <<'END'\n${crontab}END\nsystemctl start cron`)
      await vi.waitUntil(() => store.keys().includes(key), { timeout: 120_000, interval: 100 })
      expect(Date.now()).toBeGreaterThan(hour)
      const text = () => readFileSync(join(container.root, log), "utf8")
      await until(() => text().includes("uploaded"))
      expect(text()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ uploaded 1 .*\n$/)
    }
  )

  it(
    "the package warns about files that take precedence over it, and about jobs that would upload twice",
    { timeout: 180_000 },
    async () => {
      write("/etc/cron.d/upload", crontab.replace(program, `root ${program}`))
      write("/etc/systemd/system/old-upload.service", service)
      const { code, stderr } = await container.exec("dpkg", "--install", debPath)
      expect(code, stderr).toBe(0)
      const warned = stderr.split("\n").filter((text) => text.startsWith("ibsr-export: warning: "))
      expect(warned.map((text) => text.split(" ")[2])).toEqual([
        "/etc/systemd/system/ibsr-upload.service",
        "/etc/systemd/system/ibsr-upload.timer",
        program,
        "/etc/systemd/system/old-upload.service",
        "/etc/cron.d/upload",
        ...(inject("cron") ? ["/var/spool/cron/crontabs/root"] : [])
      ])
      expect(stderr).toContain("run systemctl disable --now old-upload.timer")

      // the same steps as in docs/former-tool.md
      await sh(`rm /etc/systemd/system/ibsr-upload.* /etc/systemd/system/old-upload.service ${program} -r
rm /etc/cron.d/upload; crontab -r || true; systemctl daemon-reload; systemctl reenable ibsr-upload.timer`)
      const again = await container.exec("dpkg", "--install", debPath)
      expect(again.stderr).not.toContain("warning")
      const links = await sh("readlink -f /etc/systemd/system/timers.target.wants/ibsr-upload.timer")
      expect(links).toBe("/usr/lib/systemd/system/ibsr-upload.timer\n")
    }
  )
})

/** The README's steps for the installation and for monitoring, executed. */
import { createServer } from "node:http"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Metadata } from "../../fakes/Metadata.ts"
import type { Identity } from "../../../scripts/strict-s3/StrictS3.ts"
import { makeAuthority } from "../../fixtures/Certificates.ts"
import { makeDeb } from "../../fixtures/Deb.ts"
import { SystemdContainer } from "../../fixtures/systemd/SystemdContainer.ts"
import { until } from "../BuiltProgram.ts"
import { startStore } from "../Store.ts"
import { Host, hostAvailable } from "./Host.ts"
import * as Readme from "./Readme.ts"

describe.skipIf(!hostAvailable)("the README's installation", () => {
  let container: SystemdContainer
  beforeAll(async () => {
    container = await SystemdContainer.open()
  })
  afterAll(() => container.close())

  it("needs only a package, two lines, and a command on an instance with a role", async () => {
    const bucket = "customer-bucket"
    const domain = "s3.eu-central-1.amazonaws.com"
    const authority = await makeAuthority()
    // the environment of an EC2 instance: Amazon's host name with its certificate, and the role
    writeFileSync(join(container.root, "etc/hosts"), `127.0.0.1 localhost ${bucket}.${domain}\n`)
    writeFileSync(join(container.root, "etc/ssl/amazon.pem"), authority.cert)
    await container.exec("systemctl", "set-environment", "AWS_CA_BUNDLE=/etc/ssl/amazon.pem")
    const identities: Identity[] = []
    const store = await startStore({
      listener: await container.listen("127.0.0.1", 443),
      tls: await authority.issue(`${bucket}.${domain}`),
      buckets: [bucket],
      region: "eu-central-1",
      domain,
      identities
    })
    const metadata = await Metadata.start({ identities, listener: await container.listen("169.254.169.254", 80) })
    await container.exec("mkdir", "-p", "/var/lib/ibsr/snapshots")
    writeFileSync(join(container.root, "var/lib/ibsr/snapshots/snapshot_2026112214.jsonl"), '{"a":1}\n')
    makeDeb(join(container.root, "root/ibsr-export_0_amd64.deb"))

    const edit = (path: string) => {
      const configuration = readFileSync(join(container.root, path), "utf8")
      const edited = configuration
        .replace(/^IBSR_EXPORT_BUCKET=$/m, `IBSR_EXPORT_BUCKET=${bucket}`)
        .replace(/^AWS_REGION=$/m, "AWS_REGION=eu-central-1")
      expect(edited.split("\n").filter((line) => !configuration.split("\n").includes(line))).toHaveLength(2)
      writeFileSync(join(container.root, path), edited)
    }
    const [install = "", editing = "", ...rest] = Readme.commands("apt install ")
    expect(rest).toHaveLength(1)
    for (const command of [install, ...rest, "systemctl start ibsr-upload"]) {
      const { code, stderr, stdout } = await container.exec("sh", "-c", `cd /root && ${command}`)
      expect(code, `${command}: ${stdout}${stderr}`).toBe(0)
      if (command === install) edit(editing.replace("editor ", ""))
    }
    await metadata.stop()
    expect(store.keys()).toEqual(["ibsr/testhost/snapshots/snapshot_2026112214.jsonl"])
    expect((await container.exec("systemctl", "is-enabled", "ibsr-upload.timer")).stdout).toBe("enabled\n")
    const { stdout: next } = await container.exec("systemctl", "list-timers", "--no-legend", "ibsr-upload.timer")
    expect(next).toMatch(/ left /)
  })
})

describe.skipIf(!hostAvailable)("the README's recipe", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  const folder = "/etc/systemd/system/ibsr-upload.service.d"

  it.skipIf(!existsSync("/usr/bin/curl"))(
    "for a dead man's switch sends the exit code of each attempt, and nothing for a stopped run",
    async () => {
      const store = await host.prepare()
      const pings: Array<string> = []
      const deadMansSwitch = createServer(({ url = "" }, response) => {
        pings.push(url)
        response.end()
      }).listen(await host.container.listen("127.0.0.1", 8000))
      const recipe = Readme.file(`${folder}/ping.conf`).replace("https://hc-ping.com/<uuid>", "http://127.0.0.1:8000")
      host.write(`${folder}/ping.conf`, `${recipe}\n`)
      await host.systemctl("daemon-reload")

      await host.upload()
      host.configure({ IBSR_EXPORT_BUCKET: "missing" })
      await host.upload()
      host.configure({})
      host.writeSnapshot("snapshot_2026112215.jsonl", "{}\n")
      store.fault = () => ({ kind: "delay", ms: 1000 })
      await host.systemctl("start", "--no-block", "ibsr-upload.service")
      await until(() => store.inFlight === 1)
      await host.systemctl("stop", "ibsr-upload.service")
      expect(await host.whenIdle()).toMatchObject({ ExecMainStatus: "143" })
      host.writeSnapshot("snapshot_2026112216.jsonl", "{}\n")
      await host.systemctl("start", "--no-block", "ibsr-upload.service")
      await until(() => store.inFlight === 1)
      await host.systemctl("kill", "--signal=KILL", "ibsr-upload.service")
      await host.whenIdle()
      deadMansSwitch.close()
      expect(pings).toEqual(["/0", "/23", "/fail", "/0"])
    }
  )

  it("for Prometheus writes a file that node_exporter can read, even after a failed run", async () => {
    const store = await host.prepare()
    await host.installDropIn("10-metrics")
    await host.systemctl("daemon-reload")
    for (const command of ["mkdir -p /var/lib/prometheus/node-exporter", ...Readme.commands("chgrp ibsr-export ")])
      expect(await host.container.exec("sh", "-c", command)).toMatchObject({ code: 0 })
    const exitCode = async () => {
      const path = "/var/lib/prometheus/node-exporter/ibsr-export.prom"
      const { stdout } = await host.container.exec("runuser", "-u", "nobody", "--", "cat", path)
      return /^ibsr_export_last_run_exit_code\{.*\} (\d+)$/m.exec(stdout)?.[1]
    }
    await host.upload()
    expect(await exitCode()).toBe("0")
    host.writeSnapshot("snapshot_2026112215.jsonl", "{}\n")
    store.fault = () => ({ kind: "answer", status: 403, code: "AccessDenied" })
    await host.upload()
    expect(await exitCode()).toBe("22")
  })
})

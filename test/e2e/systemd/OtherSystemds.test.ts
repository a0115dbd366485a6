/** The service under older and newer versions of systemd than this machine's. */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { Host, hostAvailable } from "./Host.ts"
import { countAlerts, countRuns } from "./Journal.ts"

const roots = Object.entries(inject("otherSystemds"))

describe.skipIf(!hostAvailable).each(roots)("the service under the systemd of Debian %s", (suite, root) => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open(root)
  })
  afterAll(() => host.close())

  it("uploads, and alerts once after a failure", async () => {
    const store = await host.prepare()
    const { journal, ...service } = await host.upload()
    expect(service).toMatchObject({ Result: "success" })
    expect(countRuns(journal)).toBe(1)
    expect(store.keys()).toHaveLength(1)
    host.configure({ IBSR_EXPORT_BUCKET: "missing" })
    const failed = await host.upload()
    expect(failed).toMatchObject({ Result: "exit-code", ExecMainStatus: "23", NRestarts: "0" })
    expect(countAlerts(failed.journal)).toBe(1)
  })

  it("reads static keys from a file that only root may read", async () => {
    const store = await host.prepare()
    host.configure({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined })
    await host.installDropIn("10-static-keys")
    await host.systemctl("daemon-reload")
    const { accessKeyId, secretAccessKey } = writer
    const keys = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
    host.write("/etc/ibsr-export/aws-credentials", keys, 0o600)
    expect(await host.upload()).toMatchObject({ Result: "success" })
    expect(store.keys()).toHaveLength(1)
  })

  it("knows all keys of the units, except for newer keys", async () => {
    const { stderr } = await host.container.exec(
      "systemd-analyze",
      "verify",
      "ibsr-upload.service",
      "ibsr-upload.timer"
    )
    const complaints = stderr.split("\n").filter(Boolean)
    const unknown = complaints.map((line) => /Unknown key name '(\w+)' in section/.exec(line)?.[1] ?? line)
    expect(unknown).toEqual(suite === "bullseye" ? ["RestartMode", "NoExecPaths", "ExecPaths"] : [])
  })
})

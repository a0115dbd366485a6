/** The crontab line of `units --cron` in a real cron. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { until } from "../BuiltProgram.ts"
import { Host, hostAvailable, snapshots } from "./Host.ts"

const mails = "/var/mails"
/** The credentials are in a file, because cron puts the variables of a crontab into the head of its mails. */
const credentials = "/etc/ibsr-export/cron-credentials"

describe.skipIf(!hostAvailable || !inject("cron"))("under a real cron", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
    await host.container.exec("install", "-d", "-m", "1777", mails)
    host.write("/usr/sbin/sendmail", `#!/bin/sh\ncat >${mails}/$$.part && mv ${mails}/$$.part ${mails}/$$\n`, 0o755)
    host.write("/etc/crontab", "")
    const { accessKeyId, secretAccessKey } = writer
    const keys = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
    host.write(credentials, keys, 0o600)
    await host.container.exec("chown", "ibsr-export", credentials)
    await host.container.exec("find", "/etc/cron.d", "-type", "f", "-delete")
  })
  afterAll(() => host.close())

  const readMails = () =>
    readdirSync(join(host.container.root, mails))
      .filter((name) => !name.endsWith(".part"))
      .map((name) => readFileSync(join(host.container.root, mails, name), "utf8"))

  /** The crontab for a store: variables and the output of `units --cron`. */
  const crontab = async (endpoint: string, bucket: string, ...flags: ReadonlyArray<string>) => {
    const s3 = [`--input=${snapshots}`, `--bucket=${bucket}`, "--prefix=host", `--endpoint=${endpoint}`, ...flags]
    const { code, stderr, stdout } = await host.container.exec(
      "ibsr-export",
      "units",
      "--cron",
      "--user=ibsr-export",
      ...s3
    )
    expect(code, stderr).toBe(0)
    return `MAILTO=admin@example.com\nAWS_SHARED_CREDENTIALS_FILE=${credentials}\n${stdout}`
  }

  /** Waits until only the cron daemon is left; every job and every mail has a cron process of its own. */
  const idle = async () => {
    while ((await host.container.exec("pgrep", "--exact", "--count", "cron")).stdout !== "1\n") await sleep(50)
  }

  /** Runs the lines of crontabs once, when cron starts, instead of hourly. */
  const runOnce = async (crontabs: Record<string, string>) => {
    const since = await host.journalCursor()
    for (const [name, text] of Object.entries(crontabs)) {
      const once = text.replace(/^\d+ \* \* \* \* /m, "@reboot ")
      expect(once).not.toBe(text)
      host.write(`/etc/cron.d/${name}`, once)
    }
    await host.container.exec("rm", "-f", "/run/crond.reboot", "/var/run/crond.reboot")
    await host.systemctl("restart", "cron")
    return since
  }

  it("a successful run prints nothing, and cron mails the output of a failed run", async () => {
    const store = await host.prepare({ latencyMs: 1000 })
    const { endpoint } = store
    for (const name of ["good", "bad"]) {
      await host.container.exec("install", "-d", "-m", "0700", "-o", "ibsr-export", `/var/lib/${name}`)
    }
    const since = await runOnce({
      good: await crontab(endpoint, "snapshots", "--state-dir=/var/lib/good", "--tag=load=100% of it"),
      bad: await crontab(endpoint, "missing", "--state-dir=/var/lib/bad")
    })
    await until(() => store.keys().length === 1 && readMails().length > 0)
    await idle()
    expect(store.object("host/snapshot_2026112214.jsonl")?.headers["x-amz-tagging"]).toBe("load=100%25%20of%20it")
    expect(readMails()).toHaveLength(1)
    const [mail = ""] = readMails()
    const [head, body = ""] = mail.split("\n\n")
    expect(head).toContain("To: admin@example.com\n")
    expect(head).toMatch(/^Subject: .*ibsr-export s3 .*--bucket=missing /m)
    expect(mail).not.toContain(writer.secretAccessKey)
    const lines = body.trimEnd().split("\n")
    expect(lines[0]).toMatch(/^bucket \[23\]: .* \(404 NoSuchBucket\)$/)
    expect(lines.at(-2)).toMatch(/^20\S+Z failed 1 of 1 in /)
    expect(lines.at(-1)).toMatch(/^exit 23 bucket: /)
    // the mail has one failure with its hint and file, before the counts
    expect(lines.slice(1, -2).map((text) => text.trim().split(/\W/)[0])).toEqual(["hint", "snapshot_2026112214"])
    const complaints = (await host.journalSince(since)).filter(
      ({ identifier, priority }) => identifier === "cron" && priority < 5
    )
    expect(complaints).toEqual([])
  })
})

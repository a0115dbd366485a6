/** The line that `units --cron` prints, under a real cron. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { writer } from "../../fakes/StrictS3.ts"
import { until } from "../BuiltProgram.ts"
import { Host, possible, snapshots } from "./Host.ts"

const mails = "/var/mails"
/** Not in a variable of the line: cron puts those into the mail's head. */
const credentials = "/etc/ibsr-export/cron-credentials"

describe.skipIf(!possible || !inject("cron"))("under a real cron", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
    await host.box.exec("install", "-d", "-m", "1777", mails)
    host.write("/usr/sbin/sendmail", `#!/bin/sh\ncat >${mails}/$$.part && mv ${mails}/$$.part ${mails}/$$\n`, 0o755)
    host.write("/etc/crontab", "")
    const { accessKeyId, secretAccessKey } = writer
    const keys = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
    host.write(credentials, keys, 0o600)
    await host.box.exec("chown", "ibsr-export", credentials)
    await host.box.exec("find", "/etc/cron.d", "-type", "f", "-delete")
  })
  afterAll(() => host.close())

  const mailed = () =>
    readdirSync(join(host.box.root, mails))
      .filter((name) => !name.endsWith(".part"))
      .map((name) => readFileSync(join(host.box.root, mails, name), "utf8"))

  /** What `units --cron` prints, for this store, with its variables. */
  const line = async (endpoint: string, bucket: string, ...flags: ReadonlyArray<string>) => {
    const s3 = [`--input=${snapshots}`, `--bucket=${bucket}`, "--prefix=host", `--endpoint=${endpoint}`, ...flags]
    const { code, stderr, stdout } = await host.box.exec("ibsr-export", "units", "--cron", "--user=ibsr-export", ...s3)
    expect(code, stderr).toBe(0)
    return `MAILTO=admin@example.com\nAWS_SHARED_CREDENTIALS_FILE=${credentials}\n${stdout}`
  }

  /** Waits until cron has no job any more, nor a mail to send: each has a cron of its own that looks after it. */
  const idle = async () => {
    while ((await host.box.exec("pgrep", "--exact", "--count", "cron")).stdout !== "1\n") await sleep(50)
  }

  /** The lines as they are printed, but for when: once, when cron starts, as nobody waits for a test to be the hour. */
  const runs = async (lines: Record<string, string>) => {
    const since = await host.now()
    for (const [name, text] of Object.entries(lines)) {
      const once = text.replace(/^\d+ \* \* \* \* /m, "@reboot ")
      expect(once).not.toBe(text)
      host.write(`/etc/cron.d/${name}`, once)
    }
    await host.box.exec("rm", "-f", "/run/crond.reboot", "/var/run/crond.reboot")
    await host.systemctl("restart", "cron")
    return since
  }

  it("the line is silent while all goes well, and mails what went wrong", async () => {
    const store = await host.begin({ latencyMs: 1000 })
    const { endpoint } = store
    for (const name of ["good", "bad"]) {
      await host.box.exec("install", "-d", "-m", "0700", "-o", "ibsr-export", `/var/lib/${name}`)
    }
    const since = await runs({
      good: await line(endpoint, "snapshots", "--state-dir=/var/lib/good", "--tag=load=100% of it"),
      bad: await line(endpoint, "missing", "--state-dir=/var/lib/bad")
    })
    await until(() => store.keys().length === 1 && mailed().length > 0)
    await idle()
    expect(store.object("host/snapshot_2026112214.jsonl")?.headers["x-amz-tagging"]).toBe("load=100%25%20of%20it")
    expect(mailed()).toHaveLength(1)
    const [mail = ""] = mailed()
    const [head, body = ""] = mail.split("\n\n")
    expect(head).toContain("To: admin@example.com\n")
    expect(head).toMatch(/^Subject: .*ibsr-export s3 .*--bucket=missing /m)
    expect(mail).not.toContain(writer.secretAccessKey)
    const lines = body.trimEnd().split("\n")
    expect(lines[0]).toMatch(/^bucket: .* \(404 NoSuchBucket\)$/)
    expect(lines.at(-1)).toMatch(/^uploaded 0 .* failed 1 in .*: bucket \(exit 23\)$/)
    // one failure, its hint and its file, one summary, and what follows from it
    expect(lines.slice(1, -1).map((text) => text.trim().split(/\W/)[0])).toEqual([
      "hint",
      "snapshot_2026112214",
      "warning"
    ])
    const complaints = (await host.told(since)).filter(
      ({ identifier, priority }) => identifier === "cron" && priority < 5
    )
    expect(complaints).toEqual([])
  })
})

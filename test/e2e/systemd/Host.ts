/** A host with the package on it, a collector's snapshots, and a store within reach. */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, inject } from "vitest"
import { type StrictS3, type StrictS3Options, writer } from "../../fakes/StrictS3.ts"
import { SystemdContainer, type CommandResult } from "../../fixtures/systemd/SystemdContainer.ts"
import { startStore } from "../Store.ts"
import { install } from "./Install.ts"
import { type Entry, entries } from "./Journal.ts"

/** Whether there can be such a host here: its tests are skipped where not. */
export const possible: boolean = inject("systemd") && inject("dpkg")

export const snapshots = "/var/lib/ibsr/snapshots"
const configuration = "/etc/ibsr-export/export.env"
const state = "/var/lib/ibsr-export"
/** Always the same: to the ledger, a store at another port is another store. */
const port = 9000

/** What systemd says of the service. */
export interface Service {
  /** Such as `success`, `exit-code`. */
  readonly Result: string
  /** The exit code of the last run. */
  readonly ExecMainStatus: string
  /** How often it was started again by itself. */
  readonly NRestarts: string
  readonly ActiveState: string
  readonly SubState: string
}

export class Host {
  readonly box: SystemdContainer
  #scheme = ""

  private constructor(box: SystemdContainer) {
    this.box = box
  }

  /** Booted, installed, its timer at work, though not in this century. */
  static async open(): Promise<Host> {
    const host = new Host(await SystemdContainer.open())
    try {
      await install(host.box)
      // a service that has ended, and that nothing refers to, is forgotten with what it came to
      host.dropIn("ibsr-upload.timer", "far", "[Timer]", "OnCalendar=", "OnCalendar=2099-01-01")
      await host.systemctl("start", "ibsr-upload.timer")
    } catch (error) {
      await host.close()
      throw error
    }
    return host
  }

  close(): Promise<void> {
    return this.box.close()
  }

  /** A fresh store for one test, and a host that has uploaded nothing and has one snapshot. */
  async begin(options: StrictS3Options = {}): Promise<StrictS3> {
    await this.box.exec("systemctl", "stop", "ibsr-upload.service")
    await this.box.exec("systemctl", "reset-failed")
    for (const path of [snapshots, state, "/etc/systemd/system/ibsr-upload.service.d"]) {
      rmSync(join(this.box.root, path), { recursive: true, force: true })
    }
    this.snapshot("snapshot_2026112214.jsonl", '{"a":1}\n')
    const store = await this.store(options)
    this.#scheme = options.tls === undefined ? "http" : "https"
    this.configure({})
    // two minutes are a long time for a test
    this.dropIn("ibsr-upload.service", "soon", "[Service]", "RestartSec=50ms")
    await this.systemctl("daemon-reload")
    return store
  }

  /** A store without objects, where the one before it was. */
  async store(options: StrictS3Options = {}): Promise<StrictS3> {
    return startStore({ ...options, listener: await this.box.listen("127.0.0.1", port) })
  }

  /** Writes a file of the box. */
  write(path: string, text: string | Buffer, mode = 0o644): void {
    const there = join(this.box.root, path)
    mkdirSync(dirname(there), { recursive: true })
    writeFileSync(there, text, { mode })
  }

  /** Writes a snapshot that is final. */
  snapshot(name: string, text: string | Buffer): void {
    this.write(`${snapshots}/${name}`, text)
    const anHourAgo = new Date(Date.now() - 3_600_000)
    utimesSync(join(this.box.root, snapshots, name), anHourAgo, anHourAgo)
  }

  /** What an administrator edits, on top of what every upload needs; undefined takes a line away. */
  configure(lines: Record<string, string | undefined>): void {
    const all = {
      IBSR_EXPORT_INPUT: snapshots,
      IBSR_EXPORT_BUCKET: "snapshots",
      IBSR_EXPORT_PREFIX: "host",
      IBSR_EXPORT_MAX_RETRIES: "0",
      AWS_ENDPOINT_URL_S3: `${this.#scheme}://127.0.0.1:${port}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: writer.accessKeyId,
      AWS_SECRET_ACCESS_KEY: writer.secretAccessKey,
      ...lines
    }
    const given = Object.entries(all).filter(([, value]) => value !== undefined)
    this.write(configuration, given.map(([name, value]) => `${name}=${value}\n`).join(""), 0o600)
  }

  /** A change of a unit, from when it is next loaded. */
  dropIn(unit: string, name: string, ...lines: ReadonlyArray<string>): void {
    this.write(`/etc/systemd/system/${unit}.d/${name}.conf`, `${lines.join("\n")}\n`)
  }

  /** One of the changes that the package has as examples, from when the unit is next loaded. */
  async example(name: string): Promise<void> {
    const from = `/usr/share/doc/ibsr-export/examples/${name}.conf`
    const to = "/etc/systemd/system/ibsr-upload.service.d"
    expect(await this.box.exec("install", "-D", "-m", "644", "-t", to, from)).toMatchObject({ code: 0 })
  }

  async systemctl(...args: ReadonlyArray<string>): Promise<string> {
    const { code, stderr, stdout } = await this.box.exec("systemctl", ...args)
    expect(code, `systemctl ${args.join(" ")}: ${stderr}`).toBe(0)
    return stdout
  }

  /** Starts the service, and waits until neither it nor systemd has more to do for it. */
  async upload(): Promise<Service & { readonly started: CommandResult; readonly told: ReadonlyArray<Entry> }> {
    const since = await this.now()
    const started = await this.box.exec("systemctl", "start", "ibsr-upload.service")
    return { ...(await this.settled()), started, told: await this.told(since) }
  }

  /** A run that somebody starts by hand, on the service's ledger. */
  runByHand(): Promise<CommandResult> {
    const script = `set -a; . ${configuration}; exec runuser -u ibsr-export -- ibsr-export s3 --state-dir=${state}`
    return this.box.exec("sh", "-c", script)
  }

  /** What systemd says of the service when it is neither at work nor waiting for another try. */
  async settled(): Promise<Service> {
    return this.when(({ ActiveState }) => ActiveState === "failed" || ActiveState === "inactive")
  }

  /** What systemd says of the service as soon as that holds. */
  async when(holds: (service: Service) => boolean): Promise<Service> {
    const deadline = Date.now() + 20_000
    for (;;) {
      const service = await this.show()
      if (holds(service)) return service
      if (Date.now() > deadline) throw new Error(`waited in vain: ${JSON.stringify(service)}`)
      await sleep(20)
    }
  }

  async show(): Promise<Service> {
    return (await this.properties("Result", "ExecMainStatus", "NRestarts", "ActiveState", "SubState")) as never
  }

  async properties(...names: ReadonlyArray<string>): Promise<Record<string, string>> {
    const text = await this.systemctl("show", "ibsr-upload.service", ...names.map((name) => `--property=${name}`))
    return Object.fromEntries(
      text
        .trim()
        .split("\n")
        .map((line) => line.split(/=(.*)/s).slice(0, 2))
    )
  }

  /** A moment in the journal. */
  async now(): Promise<string> {
    await this.box.exec("journalctl", "--sync")
    const { stdout } = await this.box.exec("journalctl", "--show-cursor", "-n1", "-q", "-o", "cat")
    return /^-- cursor: (.*)$/m.exec(stdout)?.[1] ?? ""
  }

  /** All that was written to the journal after a moment, once all that was to be started has ended. */
  async told(since: string): Promise<ReadonlyArray<Entry>> {
    while ((await this.systemctl("list-jobs", "--no-legend")) !== "") await sleep(20)
    await this.box.exec("journalctl", "--sync")
    const { stdout } = await this.box.exec("journalctl", "--after-cursor", since, "-o", "json", "-q", "--all")
    return entries(stdout)
  }
}

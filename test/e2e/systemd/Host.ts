/** A host with the Debian package, snapshots of a collector, and a store that it can reach. */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, inject } from "vitest"
import { type StrictS3, type StrictS3Options, writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { type CommandResult, SystemdContainer } from "../../fixtures/systemd/SystemdContainer.ts"
import { startStore } from "../Store.ts"
import { installPackage } from "./Install.ts"
import { type JournalEntry, parseEntries } from "./Journal.ts"

/** Whether this machine can start such a host; otherwise its tests are skipped. */
export const hostAvailable: boolean = inject("systemd") && inject("dpkg")

export const snapshots = "/var/lib/ibsr/snapshots"
const configuration = "/etc/ibsr-export/export.env"
const state = "/var/lib/ibsr-export"
/** A fixed port, because a store at another port is a different one to the ledger. */
const port = 9000

/** The state of the service, from `systemctl show`. */
export interface Service {
  /** Such as `success`, `exit-code`. */
  readonly Result: string
  /** The exit code of the last run. */
  readonly ExecMainStatus: string
  /** How often systemd has restarted it. */
  readonly NRestarts: string
  readonly ActiveState: string
  readonly SubState: string
}

export class Host {
  readonly container: SystemdContainer
  #scheme = ""

  private constructor(container: SystemdContainer) {
    this.container = container
  }

  /**
   * Boots a host, installs the package, and starts a timer that does not elapse in this century. The host is a copy of the
   * root file system `root`, by default this machine's.
   */
  static async open(root?: string): Promise<Host> {
    const host = new Host(await SystemdContainer.open(root))
    try {
      await installPackage(host.container)
      // systemd forgets the result of a stopped service unless an active unit, here the timer, refers to it
      host.dropIn("ibsr-upload.timer", "schedule", "[Timer]", "OnCalendar=", "OnCalendar=2099-01-01")
      await host.systemctl("start", "ibsr-upload.timer")
    } catch (error) {
      await host.close()
      throw error
    }
    return host
  }

  close(): Promise<void> {
    return this.container.close()
  }

  /** Starts a store for one test, and resets the host to one snapshot and no uploads. */
  async prepare(options: StrictS3Options = {}): Promise<StrictS3> {
    await this.container.exec("systemctl", "stop", "ibsr-upload.service")
    await this.container.exec("systemctl", "reset-failed")
    for (const path of [snapshots, state, "/etc/systemd/system/ibsr-upload.service.d"]) {
      rmSync(join(this.container.root, path), { recursive: true, force: true })
    }
    this.writeSnapshot("snapshot_2026112214.jsonl", '{"a":1}\n')
    const store = await this.startStore(options)
    this.#scheme = options.tls === undefined ? "http" : "https"
    this.configure({})
    // shortens the pause of two minutes between two attempts
    this.dropIn("ibsr-upload.service", "restart-delay", "[Service]", "RestartSec=50ms")
    await this.systemctl("daemon-reload")
    return store
  }

  /** Starts an empty store at the usual port. */
  async startStore(options: StrictS3Options = {}): Promise<StrictS3> {
    return startStore({ ...options, listener: await this.container.listen("127.0.0.1", port) })
  }

  /** Writes a file in the container. */
  write(path: string, text: string | Buffer, mode = 0o644): void {
    const hostPath = join(this.container.root, path)
    mkdirSync(dirname(hostPath), { recursive: true })
    writeFileSync(hostPath, text, { mode })
  }

  /** Writes a final snapshot file. */
  writeSnapshot(name: string, text: string | Buffer): void {
    this.write(`${snapshots}/${name}`, text)
    const anHourAgo = new Date(Date.now() - 3_600_000)
    utimesSync(join(this.container.root, snapshots, name), anHourAgo, anHourAgo)
  }

  /** Writes the configuration: the lines that every upload needs, and these; undefined removes a line. */
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
    const defined = Object.entries(all).filter(([, value]) => value !== undefined)
    this.write(configuration, defined.map(([name, value]) => `${name}=${value}\n`).join(""), 0o600)
  }

  /** Writes a drop-in for a unit. `systemctl daemon-reload` applies it. */
  dropIn(unit: string, name: string, ...lines: ReadonlyArray<string>): void {
    this.write(`/etc/systemd/system/${unit}.d/${name}.conf`, `${lines.join("\n")}\n`)
  }

  /** Installs one of the package's example drop-ins for the service. `systemctl daemon-reload` applies it. */
  async installDropIn(name: string): Promise<void> {
    const from = `/usr/share/doc/ibsr-export/examples/${name}.conf`
    const to = "/etc/systemd/system/ibsr-upload.service.d"
    expect(await this.container.exec("install", "-D", "-m", "644", "-t", to, from)).toMatchObject({ code: 0 })
  }

  async systemctl(...args: ReadonlyArray<string>): Promise<string> {
    const { code, stderr, stdout } = await this.container.exec("systemctl", ...args)
    expect(code, `systemctl ${args.join(" ")}: ${stderr}`).toBe(0)
    return stdout
  }

  /** Starts the service, and waits for its last restart and for the alerts. */
  async upload(): Promise<
    Service & { readonly started: CommandResult; readonly journal: ReadonlyArray<JournalEntry> }
  > {
    const since = await this.journalCursor()
    const started = await this.container.exec("systemctl", "start", "ibsr-upload.service")
    return { ...(await this.whenIdle()), started, journal: await this.journalSince(since) }
  }

  /** Runs the program on the service's ledger, but outside of the service. */
  runManually(): Promise<CommandResult> {
    const script = `set -a; . ${configuration}; exec runuser -u ibsr-export -- ibsr-export s3 --state-dir=${state}`
    return this.container.exec("sh", "-c", script)
  }

  /** Waits until the service neither runs nor awaits a restart. */
  async whenIdle(): Promise<Service> {
    return this.when(({ ActiveState }) => ActiveState === "failed" || ActiveState === "inactive")
  }

  /** Waits until the state of the service meets the condition. */
  async when(holds: (service: Service) => boolean): Promise<Service> {
    const deadline = Date.now() + 20_000
    for (;;) {
      const service = await this.show()
      if (holds(service)) return service
      if (Date.now() > deadline) throw new Error(`timed out waiting for the service: ${JSON.stringify(service)}`)
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

  /** The current end of the journal. */
  async journalCursor(): Promise<string> {
    await this.container.exec("journalctl", "--sync")
    const { stdout } = await this.container.exec("journalctl", "--show-cursor", "-n1", "-q", "-o", "cat")
    return /^-- cursor: (.*)$/m.exec(stdout)?.[1] ?? ""
  }

  /** Waits for all jobs of systemd, and reads the journal after a cursor. */
  async journalSince(cursor: string): Promise<ReadonlyArray<JournalEntry>> {
    while ((await this.systemctl("list-jobs", "--no-legend")) !== "") await sleep(20)
    await this.container.exec("journalctl", "--sync")
    const { stdout } = await this.container.exec("journalctl", "--after-cursor", cursor, "-o", "json", "-q", "--all")
    return parseEntries(stdout)
  }
}

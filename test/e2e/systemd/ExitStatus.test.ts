/** What systemd makes of each row of the table of exit codes. */
import { chmodSync, copyFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Product from "../../../scripts/build/Product.ts"
import * as ExitCode from "../../../src/domain/ExitCode.ts"
import { type StrictS3, type StrictS3Options, writer } from "../../fakes/StrictS3.ts"
import { until } from "../BuiltProgram.ts"
import { Host, possible, snapshots } from "./Host.ts"
import { alerts, runs } from "./Journal.ts"

interface Row {
  readonly code: number
  readonly why: string
  readonly store?: StrictS3Options
  readonly env?: Record<string, string | undefined>
  readonly fault?: StrictS3["fault"]
  /** What else it takes. */
  readonly prepare?: (host: Host, store: StrictS3) => void | Promise<void>
}

/** A build that runs in Node, which the binary does not let itself be changed by, and breaks. */
const crash = (host: Host): void => {
  const { root } = host.box
  copyFileSync(process.execPath, join(root, "usr/local/bin/node"))
  copyFileSync(fileURLToPath(new URL(`../../../${Product.bundle}`, import.meta.url)), join(root, "opt/ibsr-export.cjs"))
  host.write("/opt/crash.mjs", 'setTimeout(() => { throw new Error("a bug somewhere") }, 300)')
  host.dropIn(
    "ibsr-upload.service",
    "crash",
    "[Service]",
    "ExecPaths=/usr/local/bin/node",
    "ExecStart=",
    "ExecStart=/usr/local/bin/node --import=/opt/crash.mjs /opt/ibsr-export.cjs s3"
  )
}

const rows: ReadonlyArray<Row> = [
  {
    code: 10,
    why: "the store refuses for a reason of its own",
    env: { IBSR_EXPORT_STORAGE_CLASS: "MARBLE" }
  },
  {
    code: 11,
    why: "an object exists",
    env: { IBSR_EXPORT_NO_OVERWRITE: "true" },
    prepare: async (host) => {
      expect(await host.upload()).toMatchObject({ ExecMainStatus: "0" })
      await host.box.exec("rm", "-r", "/var/lib/ibsr-export")
    }
  },
  {
    code: 12,
    why: "files fail for different reasons",
    fault: ({ key }) =>
      key?.endsWith("15.jsonl") === true
        ? { kind: "answer", status: 503, code: "SlowDown" }
        : { kind: "answer", status: 400, code: "InvalidStorageClass" },
    prepare: (host) => host.snapshot("snapshot_2026112215.jsonl", "{}\n")
  },
  {
    code: 20,
    why: "there are no credentials",
    env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_EC2_METADATA_DISABLED: "true" }
  },
  { code: 21, why: "the secret is wrong", env: { AWS_SECRET_ACCESS_KEY: "wrong" } },
  {
    code: 22,
    why: "writing is not allowed",
    store: { identities: [{ ...writer, permissions: { prefix: "other/", abort: true } }] }
  },
  { code: 23, why: "there is no such bucket", env: { IBSR_EXPORT_BUCKET: "other" } },
  { code: 30, why: "nobody listens", env: { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" } },
  {
    code: 31,
    why: "the store does not speak TLS",
    prepare: (host, { endpoint }) => host.configure({ AWS_ENDPOINT_URL_S3: endpoint.replace("http:", "https:") })
  },
  { code: 32, why: "the store is overloaded", fault: () => ({ kind: "answer", status: 503, code: "SlowDown" }) },
  {
    code: 33,
    why: "the deadline passes",
    env: { IBSR_EXPORT_DEADLINE: "300ms" },
    fault: () => ({ kind: "delay", ms: 20_000 })
  },
  { code: 40, why: "the store has stored something else", fault: () => ({ kind: "wrong-checksum" }) },
  {
    code: 41,
    why: "only root may read a snapshot",
    prepare: ({ box }) => chmodSync(join(box.root, snapshots, "snapshot_2026112214.jsonl"), 0o600)
  },
  { code: 42, why: "nothing is selected", env: { IBSR_EXPORT_INCLUDE: "*.pcap", IBSR_EXPORT_FAIL_IF_EMPTY: "true" } },
  { code: 51, why: "the ledger would be where nothing can be written", env: { IBSR_EXPORT_STATE_DIR: "/usr/state" } },
  { code: 52, why: "the input is missing", env: { IBSR_EXPORT_INPUT: "/var/lib/ibsr/missing" } },
  { code: 60, why: "a variable has a bad value", env: { IBSR_EXPORT_TIMEOUT: "soon" } },
  { code: 61, why: "the profile does not exist", env: { AWS_PROFILE: "nobody" } },
  { code: 70, why: "the program has a defect", store: { latencyMs: 5000 }, prepare: crash }
]

const retried = new Set(ExitCode.table.filter(({ retrySoon }) => retrySoon).map(({ code }) => code))

describe.skipIf(!possible)("under systemd", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  const begin = async ({ env = {}, fault, prepare, store: options }: Row): Promise<StrictS3> => {
    const store = await host.begin(options)
    host.configure(env)
    await prepare?.(host, store)
    if (prepare !== undefined && Object.keys(env).length > 0) host.configure(env)
    await host.systemctl("daemon-reload")
    store.fault = fault
    return store
  }

  it("a run that stores everything is a success, and nobody is alerted", async () => {
    const store = await host.begin()
    const { told, ...service } = await host.upload()
    expect(service).toMatchObject({ Result: "success", ExecMainStatus: "0", NRestarts: "0", ActiveState: "inactive" })
    expect(alerts(told)).toBe(0)
    expect(store.keys()).toEqual(["host/snapshot_2026112214.jsonl"])
  })

  it.each(rows.map((row) => ({ ...row, starts: retried.has(row.code) ? 3 : 1 })))(
    "exit $code ($why) is started $starts times, and then alerts once",
    async ({ starts, ...row }) => {
      await begin(row)
      const { told, ...service } = await host.upload()
      expect(service, told.map(({ message }) => message).join("\n")).toMatchObject({
        Result: "exit-code",
        ExecMainStatus: String(row.code),
        ActiveState: "failed"
      })
      expect(runs(told)).toBe(starts)
      expect(alerts(told)).toBe(1)
    }
  )

  it("a failure that passes is over at the second try, and nobody is alerted", async () => {
    const store = await host.begin()
    store.fault = () => (store.requests.length === 1 ? { kind: "answer", status: 503, code: "SlowDown" } : undefined)
    const { told, ...service } = await host.upload()
    expect(service).toMatchObject({ Result: "success", ExecMainStatus: "0", NRestarts: "1", ActiveState: "inactive" })
    expect(alerts(told)).toBe(0)
    expect(store.keys()).toEqual(["host/snapshot_2026112214.jsonl"])
  })

  it.each([
    ["SIGHUP", 129],
    ["SIGINT", 130]
  ] as const)("a run that somebody ended by %s (%i) is made up for at once", async (signal, code) => {
    const store = await host.begin({ latencyMs: 1000 })
    host.snapshot("snapshot_2026112215.jsonl", "{}\n")
    host.configure({ IBSR_EXPORT_CONCURRENCY: "1" })
    const run = host.upload()
    await until(() => store.inFlight === 1)
    await host.systemctl("kill", `--signal=${signal}`, "--kill-whom=main", "ibsr-upload.service")
    await host.when(({ ExecMainStatus }) => ExecMainStatus === String(code))
    const { told, ...service } = await run
    expect(service).toMatchObject({ Result: "success", ExecMainStatus: "0", NRestarts: "1" })
    expect(alerts(told)).toBe(0)
    expect(store.keys()).toHaveLength(2)
  })

  it("has met every code but that of a second run, and of a stop, which have tests of their own", () => {
    const met = [0, ...rows.map(({ code }) => code), 129, 130, 50, 143]
    expect(met.toSorted((a, b) => a - b)).toEqual(ExitCode.table.map(({ code }) => code))
  })
})

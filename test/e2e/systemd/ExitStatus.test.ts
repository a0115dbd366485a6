/** How systemd treats each exit code of the table. */
import { chmodSync, copyFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Product from "../../../scripts/build/Product.ts"
import * as ExitCode from "../../../src/domain/ExitCode.ts"
import { type StrictS3, type StrictS3Options, writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { until } from "../BuiltProgram.ts"
import { Host, hostAvailable, snapshots } from "./Host.ts"
import { countAlerts, countRuns } from "./Journal.ts"

interface ExitCase {
  readonly code: number
  readonly when: string
  readonly store?: StrictS3Options
  readonly env?: Record<string, string | undefined>
  readonly fault?: StrictS3["fault"]
  /** Further preparations. */
  readonly prepare?: (host: Host, store: StrictS3) => void | Promise<void>
}

/** Makes the service run the bundle with a preloaded module that throws. The binary ignores preloaded modules. */
const crash = (host: Host): void => {
  const { root } = host.container
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

const cases: ReadonlyArray<ExitCase> = [
  {
    code: 10,
    when: "the store rejects a request",
    env: { IBSR_EXPORT_STORAGE_CLASS: "MARBLE" }
  },
  {
    code: 11,
    when: "an object exists",
    env: { IBSR_EXPORT_NO_OVERWRITE: "true" },
    prepare: async (host) => {
      expect(await host.upload()).toMatchObject({ ExecMainStatus: "0" })
      await host.container.exec("rm", "-r", "/var/lib/ibsr-export")
    }
  },
  {
    code: 12,
    when: "files fail for different reasons",
    fault: ({ key }) =>
      key?.endsWith("15.jsonl") === true
        ? { kind: "answer", status: 503, code: "SlowDown" }
        : { kind: "answer", status: 400, code: "InvalidStorageClass" },
    prepare: (host) => host.writeSnapshot("snapshot_2026112215.jsonl", "{}\n")
  },
  {
    code: 20,
    when: "no source has credentials",
    env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_EC2_METADATA_DISABLED: "true" }
  },
  { code: 21, when: "the secret is wrong", env: { AWS_SECRET_ACCESS_KEY: "wrong" } },
  {
    code: 22,
    when: "PutObject is denied",
    store: { identities: [{ ...writer, permissions: { prefix: "other/", abort: true } }] }
  },
  { code: 23, when: "the bucket does not exist", env: { IBSR_EXPORT_BUCKET: "other" } },
  { code: 30, when: "nothing listens at the endpoint", env: { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" } },
  {
    code: 31,
    when: "the store does not speak TLS",
    prepare: (host, { endpoint }) => host.configure({ AWS_ENDPOINT_URL_S3: endpoint.replace("http:", "https:") })
  },
  { code: 32, when: "the store is overloaded", fault: () => ({ kind: "answer", status: 503, code: "SlowDown" }) },
  {
    code: 33,
    when: "the deadline passes",
    env: { IBSR_EXPORT_DEADLINE: "300ms" },
    fault: () => ({ kind: "delay", ms: 20_000 })
  },
  { code: 40, when: "the store reports other content", fault: () => ({ kind: "wrong-checksum" }) },
  {
    code: 41,
    when: "only root may read a snapshot",
    prepare: ({ container }) => chmodSync(join(container.root, snapshots, "snapshot_2026112214.jsonl"), 0o600)
  },
  { code: 42, when: "no file is selected", env: { IBSR_EXPORT_INCLUDE: "*.pcap", IBSR_EXPORT_FAIL_IF_EMPTY: "true" } },
  { code: 45, when: "no snapshot has changed lately", env: { IBSR_EXPORT_STALE_AFTER: "1ms" } },
  { code: 51, when: "the state directory is not writable", env: { IBSR_EXPORT_STATE_DIR: "/usr/state" } },
  { code: 52, when: "the input is missing", env: { IBSR_EXPORT_INPUT: "/var/lib/ibsr/missing" } },
  { code: 60, when: "a variable has a bad value", env: { IBSR_EXPORT_TIMEOUT: "soon" } },
  { code: 61, when: "the profile does not exist", env: { AWS_PROFILE: "nobody" } },
  { code: 70, when: "the program has a defect", store: { latencyMs: 5000 }, prepare: crash }
]

const retriedCodes = new Set(ExitCode.table.filter(({ retrySoon }) => retrySoon).map(({ code }) => code))

describe.skipIf(!hostAvailable)("under systemd", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  const prepareCase = async ({ env = {}, fault, prepare, store: options }: ExitCase): Promise<StrictS3> => {
    const store = await host.prepare(options)
    host.configure(env)
    await prepare?.(host, store)
    if (prepare !== undefined && Object.keys(env).length > 0) host.configure(env)
    await host.systemctl("daemon-reload")
    store.fault = fault
    return store
  }

  it("a run that stores everything succeeds without an alert", async () => {
    const store = await host.prepare()
    const { journal, ...service } = await host.upload()
    expect(service).toMatchObject({ Result: "success", ExecMainStatus: "0", ActiveState: "inactive" })
    expect(countRuns(journal)).toBe(1)
    expect(countAlerts(journal)).toBe(0)
    expect(store.keys()).toEqual(["host/snapshot_2026112214.jsonl"])
  })

  it.each(cases.map((exitCase) => ({ ...exitCase, starts: retriedCodes.has(exitCase.code) ? 3 : 1 })))(
    "a service that exits $code because $when alerts once after the last attempt; attempts: $starts",
    async ({ starts, ...exitCase }) => {
      await prepareCase(exitCase)
      const { journal, ...service } = await host.upload()
      expect(service, journal.map(({ message }) => message).join("\n")).toMatchObject({
        Result: "exit-code",
        ExecMainStatus: String(exitCase.code),
        ActiveState: "failed"
      })
      expect(countRuns(journal)).toBe(starts)
      expect(countAlerts(journal)).toBe(1)
    }
  )

  it("a run that fails once succeeds after a restart, without an alert", async () => {
    const store = await host.prepare()
    store.fault = () => (store.requests.length === 1 ? { kind: "answer", status: 503, code: "SlowDown" } : undefined)
    const { journal, ...service } = await host.upload()
    expect(service).toMatchObject({ Result: "success", ExecMainStatus: "0", ActiveState: "inactive" })
    expect(countRuns(journal)).toBe(2)
    expect(countAlerts(journal)).toBe(0)
    expect(store.keys()).toEqual(["host/snapshot_2026112214.jsonl"])
  })

  it.each([
    ["SIGHUP", 129],
    ["SIGINT", 130]
  ] as const)("a run that ends by %s (exit %i) is restarted", async (signal, code) => {
    const store = await host.prepare({ latencyMs: 1000 })
    host.writeSnapshot("snapshot_2026112215.jsonl", "{}\n")
    host.configure({ IBSR_EXPORT_CONCURRENCY: "1" })
    const run = host.upload()
    await until(() => store.inFlight === 1)
    await host.systemctl("kill", `--signal=${signal}`, "--kill-whom=main", "ibsr-upload.service")
    await host.when(({ ExecMainStatus }) => ExecMainStatus === String(code))
    const { journal, ...service } = await run
    expect(service).toMatchObject({ Result: "success", ExecMainStatus: "0" })
    expect(countRuns(journal)).toBe(2)
    expect(countAlerts(journal)).toBe(0)
    expect(store.keys()).toHaveLength(2)
  })

  it("every exit code has a test; other files test a second run (50), a stop (143) and verify (43, 44)", () => {
    const tested = [0, ...cases.map(({ code }) => code), 129, 130, 43, 44, 50, 143]
    expect(tested.toSorted((a, b) => a - b)).toEqual(ExitCode.table.map(({ code }) => code))
  })
})

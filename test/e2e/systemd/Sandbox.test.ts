/** The hardened service has access to everything that an upload needs, and to nothing else. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { Metadata } from "../../fakes/Metadata.ts"
import { type Identity, writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { makeAuthority } from "../../fixtures/Certificates.ts"
import { until } from "../BuiltProgram.ts"
import { Host, hostAvailable, snapshots } from "./Host.ts"
import { countRuns } from "./Journal.ts"

const MiB = 1024 ** 2
const withoutKeys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }

describe.skipIf(!hostAvailable)("the hardened service", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  it("runs with low priority, resource limits and no capabilities", async () => {
    const store = await host.prepare({ latencyMs: 1000 })
    const run = host.upload()
    await until(() => store.inFlight === 1)
    expect(
      await host.properties("Nice", "CPUWeight", "IOWeight", "MemoryHigh", "MemoryMax", "TasksMax", "OOMScoreAdjust")
    ).toEqual({
      Nice: "10",
      CPUWeight: "20",
      IOWeight: "20",
      MemoryHigh: String(384 * MiB),
      MemoryMax: String(512 * MiB),
      TasksMax: "64",
      OOMScoreAdjust: "500"
    })
    const { MainPID: pid = "" } = await host.properties("MainPID")
    const { stdout: process } = await host.container.exec("ps", "-o", "user=,nice=", "-p", pid)
    expect(process.trim().split(/\s+/)).toEqual(["ibsr-ex+", "10"])
    const { stdout: status } = await host.container.exec("cat", `/proc/${pid}/status`)
    for (const line of ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]) {
      expect(status).toContain(`${line}\n`)
    }
    expect(await run).toMatchObject({ Result: "success" })
  })

  it("has an exposure level of at most 1.5 in systemd-analyze", async () => {
    const { stdout } = await host.container.exec("systemd-analyze", "security", "--no-pager", "ibsr-upload.service")
    const [, exposure] = /Overall exposure level for ibsr-upload.service: ([\d.]+)/.exec(stdout) ?? []
    expect(Number(exposure)).toBeGreaterThan(0)
    expect(Number(exposure)).toBeLessThanOrEqual(1.5)
  })

  it("keeps its ledger and WAL file in a private state directory", async () => {
    const store = await host.prepare({ latencyMs: 1000 })
    const run = host.upload()
    await until(() => store.inFlight === 1)
    const { stdout } = await host.container.exec("find", "/var/lib/ibsr-export/", "-printf", "%f %u %m\n")
    const found = stdout.trim().split("\n")
    expect(found).toContain("ibsr-export/ ibsr-export 700")
    expect(found).toContain("ledger.db ibsr-export 600")
    expect(found).toContain("ledger.db-wal ibsr-export 600")
    expect(await run).toMatchObject({ Result: "success" })
  })

  it("reads snapshots that the collector's group may read", async () => {
    const store = await host.prepare()
    await host.container.exec("chown", "-R", "root:ibsr", snapshots)
    await host.container.exec("chmod", "-R", "u=rwX,g=rX,o=", snapshots)
    expect(await host.upload()).toMatchObject({ Result: "success" })
    expect(store.keys()).toHaveLength(1)
  })

  it("reads snapshots that only root may read, with a drop-in", async () => {
    const store = await host.prepare()
    await host.container.exec("chmod", "-R", "u=rwX,g=,o=", snapshots)
    expect(await host.upload()).toMatchObject({ Result: "exit-code", ExecMainStatus: "52" })
    await host.installDropIn("10-root-only-snapshots")
    await host.systemctl("daemon-reload")
    expect(await host.upload()).toMatchObject({ Result: "success" })
    expect(store.keys()).toHaveLength(1)
  })

  it("uploads a large file in parts over TLS to a store with a certificate from a private authority", async () => {
    const authority = await makeAuthority()
    const store = await host.prepare({ tls: await authority.issue("127.0.0.1") })
    host.write("/etc/ssl/private-authority.pem", authority.cert)
    host.configure({ AWS_CA_BUNDLE: "/etc/ssl/private-authority.pem" })
    const large = Buffer.alloc(100 * MiB, `${"x".repeat(63)}\n`)
    host.writeSnapshot("snapshot_2026112215.jsonl", large)
    const { journal, ...service } = await host.upload()
    expect(service).toMatchObject({ Result: "success" })
    expect(countRuns(journal)).toBe(1)
    expect(store.object("host/snapshot_2026112215.jsonl")?.size).toBe(large.length)
  })

  it("uses the instance's role from the link-local metadata address", async () => {
    const identities: Identity[] = []
    const store = await host.prepare({ identities })
    const listener = await host.container.listen("169.254.169.254", 80)
    const metadata = await Metadata.start({ identities, listener })
    try {
      host.configure(withoutKeys)
      expect(await host.upload()).toMatchObject({ Result: "success" })
    } finally {
      await metadata.stop()
    }
    expect(store.requests.map(({ identity }) => identity)).toEqual(metadata.issuer.issued)
    expect(metadata.versionOne).toEqual([])
  })

  describe("with static keys", () => {
    const credentials = "/etc/ibsr-export/aws-credentials"
    const withKeys = async () => {
      const store = await host.prepare()
      host.configure(withoutKeys)
      await host.installDropIn("10-static-keys")
      await host.systemctl("daemon-reload")
      return store
    }
    afterEach(() => host.container.exec("rm", "-rf", credentials))

    it("reads the keys from a file that only root may read", async () => {
      const store = await withKeys()
      const { accessKeyId, secretAccessKey } = writer
      const keys = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
      host.write(credentials, keys, 0o600)
      expect(await host.upload()).toMatchObject({ Result: "success" })
      expect(store.keys()).toHaveLength(1)
    })

    it("fails without a retry when the file is missing", async () => {
      const store = await withKeys()
      expect(await host.upload()).toMatchObject({ Result: "exit-code", ExecMainStatus: "243", NRestarts: "0" })
      expect(store.requests).toEqual([])
    })
  })

  it("runs as a dynamic user, with the units that `units` prints", async () => {
    const store = await host.prepare()
    await host.container.exec(
      "ibsr-export",
      "units",
      `--input=${snapshots}`,
      "--tag=a=100% $HOME",
      "--to=/etc/systemd/system"
    )
    await host.systemctl("daemon-reload")
    try {
      expect(await host.upload()).toMatchObject({ Result: "success" })
    } finally {
      await host.container.exec("rm", "/etc/systemd/system/ibsr-upload.service")
    }
    expect(store.object("host/snapshot_2026112214.jsonl")?.headers["x-amz-tagging"]).toBe("a=100%25%20%24HOME")
    expect((await host.container.exec("test", "-e", "/var/lib/private/ibsr-export/ledger.db")).code).toBe(0)
  })
})

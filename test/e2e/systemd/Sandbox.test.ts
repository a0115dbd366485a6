/** The hardened service reaches all that an upload needs, and not more. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { Metadata } from "../../fakes/Metadata.ts"
import { type Identity, writer } from "../../fakes/StrictS3.ts"
import { makeAuthority } from "../../fixtures/Certificates.ts"
import { until } from "../BuiltProgram.ts"
import { Host, possible, snapshots } from "./Host.ts"

const MiB = 1024 ** 2
const keyless = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }

describe.skipIf(!possible)("the hardened service", () => {
  let host: Host
  beforeAll(async () => {
    host = await Host.open()
  })
  afterAll(() => host.close())

  it("is a good neighbour, and may nothing", async () => {
    const store = await host.begin({ latencyMs: 1000 })
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
    const { stdout: process } = await host.box.exec("ps", "-o", "user=,nice=", "-p", pid)
    expect(process.trim().split(/\s+/)).toEqual(["ibsr-ex+", "10"])
    const { stdout: status } = await host.box.exec("cat", `/proc/${pid}/status`)
    for (const line of ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]) {
      expect(status).toContain(`${line}\n`)
    }
    expect(await run).toMatchObject({ Result: "success" })
  })

  it("is hardly exposed, as systemd sees it", async () => {
    const { stdout } = await host.box.exec("systemd-analyze", "security", "--no-pager", "ibsr-upload.service")
    const [, exposure] = /Overall exposure level for ibsr-upload.service: ([\d.]+)/.exec(stdout) ?? []
    expect(Number(exposure)).toBeGreaterThan(0)
    expect(Number(exposure)).toBeLessThanOrEqual(1.5)
  })

  it("keeps its ledger in a state directory of its own, with its log beside it", async () => {
    const store = await host.begin({ latencyMs: 1000 })
    const run = host.upload()
    await until(() => store.inFlight === 1)
    const { stdout } = await host.box.exec("find", "/var/lib/ibsr-export/", "-printf", "%f %u %m\n")
    const found = stdout.trim().split("\n")
    expect(found).toContain("ibsr-export/ ibsr-export 700")
    expect(found).toContain("ledger.db ibsr-export 600")
    expect(found).toContain("ledger.db-wal ibsr-export 600")
    expect(await run).toMatchObject({ Result: "success" })
  })

  it("reads what the group of the collector may read", async () => {
    const store = await host.begin()
    await host.box.exec("chown", "-R", "root:ibsr", snapshots)
    await host.box.exec("chmod", "-R", "u=rwX,g=rX,o=", snapshots)
    expect(await host.upload()).toMatchObject({ Result: "success" })
    expect(store.keys()).toHaveLength(1)
  })

  it("reads what root alone may read, where it is told to", async () => {
    const store = await host.begin()
    await host.box.exec("chmod", "-R", "u=rwX,g=,o=", snapshots)
    expect(await host.upload()).toMatchObject({ Result: "exit-code", ExecMainStatus: "52" })
    await host.example("10-root-only-snapshots")
    await host.systemctl("daemon-reload")
    expect(await host.upload()).toMatchObject({ Result: "success" })
    expect(store.keys()).toHaveLength(1)
  })

  it("sends a large file in parts, over TLS, to a store of a private authority", async () => {
    const authority = await makeAuthority()
    const store = await host.begin({ tls: await authority.issue("127.0.0.1") })
    host.write("/etc/ssl/private-authority.pem", authority.cert)
    host.configure({ AWS_CA_BUNDLE: "/etc/ssl/private-authority.pem" })
    const large = Buffer.alloc(100 * MiB, `${"x".repeat(63)}\n`)
    host.snapshot("snapshot_2026112215.jsonl", large)
    expect(await host.upload()).toMatchObject({ Result: "success", NRestarts: "0" })
    expect(store.object("host/snapshot_2026112215.jsonl")?.size).toBe(large.length)
  })

  it("uses the role of an instance, from the address where instances have it", async () => {
    const identities: Identity[] = []
    const store = await host.begin({ identities })
    const listener = await host.box.listen("169.254.169.254", 80)
    const metadata = await Metadata.start({ identities, listener })
    try {
      host.configure(keyless)
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
      const store = await host.begin()
      host.configure(keyless)
      await host.example("10-static-keys")
      await host.systemctl("daemon-reload")
      return store
    }
    afterEach(() => host.box.exec("rm", "-rf", credentials))

    it("reads them from a file that only root may read", async () => {
      const store = await withKeys()
      const { accessKeyId, secretAccessKey } = writer
      const keys = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
      host.write(credentials, keys, 0o600)
      expect(await host.upload()).toMatchObject({ Result: "success" })
      expect(store.keys()).toHaveLength(1)
    })

    it("fails for good where the file is missing", async () => {
      const store = await withKeys()
      expect(await host.upload()).toMatchObject({ Result: "exit-code", ExecMainStatus: "243", NRestarts: "0" })
      expect(store.requests).toEqual([])
    })
  })

  it("works as a user that systemd makes up, too, as `units` prints it", async () => {
    const store = await host.begin()
    await host.box.exec(
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
      await host.box.exec("rm", "/etc/systemd/system/ibsr-upload.service")
    }
    expect(store.object("host/snapshot_2026112214.jsonl")?.headers["x-amz-tagging"]).toBe("a=100%25%20%24HOME")
    expect((await host.box.exec("test", "-e", "/var/lib/private/ibsr-export/ledger.db")).code).toBe(0)
  })
})

/** The binary on other machines than the one that built it. */
import { copyFileSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { binary } from "../../scripts/build/binary.ts"
import * as Product from "../../scripts/build/Product.ts"
import type { StrictS3 } from "../../scripts/strict-s3/StrictS3.ts"
import { makeAuthority } from "../fixtures/Certificates.ts"
import { Chroot } from "../fixtures/chroots/Chroot.ts"
import { mixedFiles } from "../fixtures/MixedFiles.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { run, s3, summary } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const host = Product.host()
const files = mixedFiles()

const expectStored = (store: StrictS3, expected: Readonly<Record<string, string | Uint8Array>>) => {
  expect(store.keys()).toHaveLength(Object.keys(expected).length)
  for (const [name, content] of Object.entries(expected)) {
    expect(store.object(`ibsr/host/snapshots/${name}`)?.body.equals(Buffer.from(content)), name).toBe(true)
  }
}

describe.each(inject("debians"))("the binary on a minimal Debian %s", (suite) => {
  /** Runs a test in a minimal Debian with the binary and the snapshots in /srv. */
  const inside = async (test: (root: Chroot, shared: string) => Promise<void>) => {
    const shared = tree(
      Object.fromEntries(Object.entries(files).map(([name, content]) => [`snapshots/${name}`, content]))
    )
    copyFileSync(Product.binary(host ?? "x86_64"), join(shared, "ibsr-export"))
    const root = await Chroot.open(suite, shared)
    try {
      await test(root, shared)
    } finally {
      await root.close()
    }
  }
  const program = ["/srv/ibsr-export"]

  it("needs only the C and C++ libraries", () =>
    inside(async (root) => {
      const script = `ldd /srv/ibsr-export | sed -n 's/.*=> \\([^ ]*\\).*/\\1/p' | while read -r file; do
        dpkg-query --search "$file" || dpkg-query --search "$(readlink -f "$file")" || dpkg-query --search "/usr$file"
      done 2>/dev/null | cut -d: -f1 | sort -u`
      const { stdout } = await root.exec(["sh", "-c", script])
      expect(stdout.trim().split("\n")).toEqual(["libc6", "libgcc-s1", "libstdc++6"])
      // this Debian has no certificates, Node, curl or systemctl
      const other = await root.exec(["sh", "-c", "ls -d /etc/ssl/certs/* /usr/bin/node /usr/bin/curl /bin/systemctl"])
      expect(other.stdout).toBe("")
    }))

  it("uploads all files", () =>
    inside(async (root) => {
      const store = await startStore()
      const result = await run(s3("/srv/snapshots", store.endpoint), { commandPrefix: root.commandPrefix, program })
      expect(result.code, result.stdout + result.stderr).toBe(0)
      expectStored(store, files)
    }))

  it("uploads over HTTPS", () =>
    inside(async (root, shared) => {
      const authority = await makeAuthority()
      writeFileSync(join(shared, "ca.pem"), authority.cert)
      const store = await startStore({ tls: await authority.issue("127.0.0.1") })
      const env = { AWS_CA_BUNDLE: "/srv/ca.pem" }
      const result = await run(s3("/srv/snapshots", store.endpoint), {
        commandPrefix: root.commandPrefix,
        program,
        env
      })
      expect(result.code, result.stdout + result.stderr).toBe(0)
      expectStored(store, files)
    }))
})

const foreign = inject("foreign")

// under emulation, a run takes many times as long
describe.skipIf(foreign === undefined)("the binary for another architecture", { timeout: 180_000 }, () => {
  const architecture = foreign ?? "arm64"
  // this name differs from those of the release binaries in dist
  const built = resolve("dist", `foreign-${architecture}`)
  const program = [built]
  const through = Product.launcher(architecture) ?? []

  // built from the current sources, like the binary of this machine
  beforeAll(() => binary(architecture, "of-this-test", built), 180_000)
  afterAll(() => rmSync(built, { force: true }))

  it("prints its architecture", async () => {
    const { stdout } = await run(["--version"], { commandPrefix: through, program })
    expect(stdout).toContain(`linux-${Product.architectures[architecture].cpu})`)
  })

  it("uploads files by PutObject and in parts", async () => {
    const twoSizes = { "a.jsonl": "{}\n", "big.jsonl": Buffer.alloc(9 * 1024 ** 2, "0123456789\n") }
    const store = await startStore()
    const result = await run(s3(tree(twoSizes), store.endpoint), { commandPrefix: through, program })
    expect(result.code, result.stdout + result.stderr).toBe(0)
    expectStored(store, twoSizes)
  })

  it("uploads over HTTPS, and records the upload in the ledger", async () => {
    const authority = await makeAuthority()
    const store = await startStore({ tls: await authority.issue("127.0.0.1") })
    const env = { AWS_CA_BUNDLE: authority.file, IBSR_EXPORT_STATE_DIR: emptyDirectory() }
    const args = s3(tree({ "a.jsonl": "{}\n", "b.jsonl": "{}\n" }), store.endpoint)
    expect(summary(await run(args, { commandPrefix: through, program, env }))).toMatch(/^uploaded 2 /)
    expect(summary(await run(args, { commandPrefix: through, program, env }))).toMatch(/^unchanged 2 /)
  })
})

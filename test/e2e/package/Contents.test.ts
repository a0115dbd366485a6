/** The contents of the Debian package. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { beforeAll, describe, expect, inject, it } from "vitest"
import packageJson from "../../../package.json" with { type: "json" }
import * as Product from "../../../scripts/build/Product.ts"
import { s3Flags } from "../../../src/cli/flags/S3Flags.ts"
import { makeDeb } from "../../fixtures/Deb.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"

const run = (command: string, ...args: ReadonlyArray<string>) => execFileSync(command, args, { encoding: "utf8" })

const canBuild = inject("dpkg") && Product.host() !== undefined

describe.skipIf(!canBuild)("the Debian package", () => {
  let deb = ""
  let folder = ""
  const read = (path: string) => readFileSync(join(folder, path), "utf8")

  beforeAll(() => {
    const parent = emptyDirectory()
    deb = join(parent, "ibsr-export.deb")
    folder = join(parent, "unpacked")
    makeDeb(deb)
    run("dpkg-deb", "--raw-extract", deb, folder)
  })

  it("contains only files that root owns and everyone may read, except for the configuration", () => {
    const files = run("dpkg-deb", "--contents", deb)
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/))
      .filter(([mode]) => mode?.startsWith("-"))
      .map(([mode, owner, , , , path]) => `${mode} ${owner} ${path}`)
    const doc = "./usr/share/doc/ibsr-export"
    expect(files).toEqual([
      "-rw------- root/root ./etc/ibsr-export/export.env",
      "-rwxr-xr-x root/root ./usr/bin/ibsr-export",
      "-rw-r--r-- root/root ./usr/lib/systemd/system/ibsr-alert@.service",
      "-rw-r--r-- root/root ./usr/lib/systemd/system/ibsr-upload.service",
      "-rw-r--r-- root/root ./usr/lib/systemd/system/ibsr-upload.timer",
      "-rw-r--r-- root/root ./usr/share/bash-completion/completions/ibsr-export",
      `-rw-r--r-- root/root ${doc}/changelog.gz`,
      `-rw-r--r-- root/root ${doc}/copyright`,
      `-rw-r--r-- root/root ${doc}/examples/10-metrics.conf`,
      `-rw-r--r-- root/root ${doc}/examples/10-no-restart.conf`,
      `-rw-r--r-- root/root ${doc}/examples/10-root-only-snapshots.conf`,
      `-rw-r--r-- root/root ${doc}/examples/10-static-keys.conf`,
      "-rw-r--r-- root/root ./usr/share/fish/vendor_completions.d/ibsr-export.fish",
      "-rw-r--r-- root/root ./usr/share/man/man1/ibsr-export.1.gz",
      "-rw-r--r-- root/root ./usr/share/zsh/vendor-completions/_ibsr-export"
    ])
  })

  it("declares its version, architecture, dependencies and size", () => {
    const field = (name: string) => run("dpkg-deb", "--field", deb, name).trim()
    expect(field("Version")).toBe(packageJson.version)
    expect(field("Architecture")).toBe(run("dpkg", "--print-architecture").trim())
    expect(field("Depends")).toBe("adduser, libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5.2)")
    const binary = statSync(join(folder, "usr/bin/ibsr-export")).size / 1024
    expect(Number(field("Installed-Size"))).toBeGreaterThan(binary)
    expect(Number(field("Installed-Size"))).toBeLessThan(binary * 1.01)
  })

  it("is identical when it is built again in another directory and under another umask", () => {
    const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")
    const again = join(emptyDirectory(), "again.deb")
    const umask = process.umask(0o077)
    try {
      makeDeb(again)
    } finally {
      process.umask(umask)
    }
    expect(sha256(again)).toBe(sha256(deb))
  })

  it("gives every file the date of its commit", () => {
    const dates = run("dpkg-deb", "--contents", deb)
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/)[3])
    expect(new Set(dates)).toEqual(new Set(["2026-01-01"]))
  })

  it("starts its program as its own user with its own configuration", () => {
    const service = read("usr/lib/systemd/system/ibsr-upload.service").split("\n")
    expect(service).toContain("ExecStart=/usr/bin/ibsr-export s3")
    expect(service).toContain("EnvironmentFile=-/etc/ibsr-export/export.env")
    expect(service).toContain("User=ibsr-export")
    expect(service).toContain("SupplementaryGroups=ibsr")
    expect(service).toContain("StateDirectory=ibsr-export")
  })

  it("uses only known variables in its configuration", () => {
    const names = read("etc/ibsr-export/export.env").match(/^#?[A-Z][A-Z0-9_]+(?==)/gm) ?? []
    const known = new Set([
      ...Object.values(s3Flags).flatMap(({ env }) => env),
      "HTTPS_PROXY",
      "NO_PROXY",
      "AWS_CA_BUNDLE"
    ])
    expect(names.filter((name) => !name.startsWith("#"))).toEqual([
      "IBSR_EXPORT_BUCKET",
      "AWS_REGION",
      "IBSR_EXPORT_INPUT"
    ])
    expect(names.length).toBeGreaterThan(3)
    expect(names.map((name) => name.replace("#", "")).filter((name) => !known.has(name))).toEqual([])
  })

  it("contains licences and a changelog in Debian's format", () => {
    const copyright = read("usr/share/doc/ibsr-export/copyright")
    expect(copyright).toContain(readFileSync("LICENSE", "utf8").trim())
    // contains Node's licence file, which includes the licences of its components
    expect(copyright).toContain("Node.js is licensed for use as follows")
    expect(copyright).toMatch(/^effect \d/m)
    expect(copyright).toMatch(/^@aws-sdk\/client-s3 \d/m)
    const changelog = gunzipSync(readFileSync(join(folder, "usr/share/doc/ibsr-export/changelog.gz"))).toString()
    expect(changelog).toMatch(
      new RegExp(`^ibsr-export \\(${packageJson.version}\\) unstable; urgency=medium\n\n  \\* `)
    )
    expect(changelog).toMatch(/\n\n -- .* <.*@.*> {2}Thu, 01 Jan 2026 00:00:00 \+0000\n$/)
    expect(changelog.split("\n").filter((line) => line.length > 80 && !line.startsWith(" -- "))).toEqual([])
  })
})

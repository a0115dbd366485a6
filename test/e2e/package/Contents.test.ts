/** What is in the Debian package. */
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

const there = inject("dpkg") && Product.host() !== undefined

describe.skipIf(!there)("the Debian package", () => {
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

  it("holds files of root that everybody may read, and configuration that only root may", () => {
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

  it("says what it is and what it needs", () => {
    const field = (name: string) => run("dpkg-deb", "--field", deb, name).trim()
    expect(field("Version")).toBe(packageJson.version)
    expect(field("Architecture")).toBe(run("dpkg", "--print-architecture").trim())
    expect(field("Depends")).toBe("adduser, libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 5.2)")
    const binary = statSync(join(folder, "usr/bin/ibsr-export")).size / 1024
    expect(Number(field("Installed-Size"))).toBeGreaterThan(binary)
    expect(Number(field("Installed-Size"))).toBeLessThan(binary * 1.01)
  })

  it("is the same to the bit when it is made again, elsewhere and under another umask", () => {
    const sum = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")
    const again = join(emptyDirectory(), "again.deb")
    const usual = process.umask(0o077)
    try {
      makeDeb(again)
    } finally {
      process.umask(usual)
    }
    expect(sum(again)).toBe(sum(deb))
  })

  it("dates every file by its commit", () => {
    const dates = run("dpkg-deb", "--contents", deb)
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/)[3])
    expect(new Set(dates)).toEqual(new Set(["2026-01-01"]))
  })

  it("starts the program that it installs, for its own user, from its own configuration", () => {
    const service = read("usr/lib/systemd/system/ibsr-upload.service").split("\n")
    expect(service).toContain("ExecStart=/usr/bin/ibsr-export s3")
    expect(service).toContain("EnvironmentFile=-/etc/ibsr-export/export.env")
    expect(service).toContain("User=ibsr-export")
    expect(service).toContain("SupplementaryGroups=ibsr")
    expect(service).toContain("StateDirectory=ibsr-export")
  })

  it("names variables in its configuration that the program knows", () => {
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

  it("says whose work it is, on what terms, and what has changed", () => {
    const copyright = read("usr/share/doc/ibsr-export/copyright")
    expect(copyright).toContain(readFileSync("LICENSE", "utf8").trim())
    // Node's own, which names what is in Node
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

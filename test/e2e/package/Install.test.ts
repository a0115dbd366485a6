/** Installs, upgrades, removes and purges the Debian package on minimal Debians without systemd. */
import { join } from "node:path"
import { writeFileSync } from "node:fs"
import { afterEach, beforeAll, describe, expect, inject, it } from "vitest"
import packageJson from "../../../package.json" with { type: "json" }
import { writer } from "../../../scripts/strict-s3/StrictS3.ts"
import { Chroot } from "../../fixtures/chroots/Chroot.ts"
import { appendTo, bumpVersion, emptyProgram, makeDeb, remakeDeb } from "../../fixtures/Deb.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"
import { startStore } from "../Store.ts"

const debians = inject("dpkg") ? inject("debians") : []

const configuration = "/etc/ibsr-export/export.env"
const state = "/var/lib/ibsr-export"
const snapshots = "/var/lib/ibsr/snapshots"
/** Where systemd records when a timer last elapsed. */
const stamps = "/var/lib/systemd/timers"

let shared = ""
beforeAll(() => {
  if (debians.length === 0) return
  shared = emptyDirectory()
  const path = (name: string) => join(shared, name)
  makeDeb(path("full.deb"))
  remakeDeb(path("full.deb"), path("first.deb"), emptyProgram)
  remakeDeb(path("first.deb"), path("next.deb"), bumpVersion)
  remakeDeb(path("next.deb"), path("other-env.deb"), appendTo("etc/ibsr-export/export.env", "# new\n"))
  writeFileSync(join(shared, "a.jsonl"), "{}\n")
})

describe.each(debians)("on Debian %s", (suite) => {
  const roots: Array<Chroot> = []
  afterEach(() => Promise.all(roots.splice(0).map((root) => root.close())))

  /** A new host, and a shell on it that fails the test when a command fails. */
  const host = async () => {
    const root = await Chroot.open(suite, shared)
    roots.push(root)
    const sh = async (script: string) => {
      const { code, stderr, stdout } = await root.exec(["sh", "-ec", script])
      expect(code, `${script}: ${stdout}${stderr}`).toBe(0)
      return stdout.trim()
    }
    const apt = (...args: ReadonlyArray<string>) => sh(`apt-get --yes ${args.join(" ")}`)
    const existing = async (...paths: ReadonlyArray<string>) => {
      const { stdout } = await root.exec(["sh", "-c", `ls -d ${paths.join(" ")}`])
      return stdout.split("\n").filter(Boolean)
    }
    return { root, sh, apt, existing }
  }

  it("the package installs without further packages, its program runs, and no unit is enabled", async () => {
    const { apt, existing, sh } = await host()
    const before = await sh("dpkg-query --show --showformat '${Package}\\n'")
    await apt("install", "/srv/full.deb")
    const after = await sh("dpkg-query --show --showformat '${Package}\\n'")
    expect(after.split("\n").filter((name) => !before.split("\n").includes(name))).toEqual(["ibsr-export"])
    expect(await sh("ibsr-export --version")).toContain(`ibsr-export ${packageJson.version} `)
    expect(await sh("dpkg --verify ibsr-export")).toBe("")
    expect(await sh(`stat -c '%a %U:%G' ${configuration} /etc/ibsr-export`)).toBe("600 root:root\n755 root:root")
    expect(await existing("/etc/systemd/system/*/ibsr-*", "/etc/systemd/system/ibsr-*")).toEqual([])

    // the package creates a user that cannot log in and may read the snapshots
    const [name, , uid, , , home, shell] = (await sh("getent passwd ibsr-export")).split(":")
    expect([name, home, shell]).toEqual(["ibsr-export", "/nonexistent", "/usr/sbin/nologin"])
    expect(Number(uid)).toBeLessThan(1000)
    expect((await sh("id -Gn ibsr-export")).split(" ").toSorted()).toEqual(["ibsr", "ibsr-export"])
  })

  it("the package uses an existing user and group, and a purge keeps them", async () => {
    const { apt, sh } = await host()
    await sh("groupadd --gid 5000 ibsr; useradd --uid 5001 --user-group ibsr-export")
    await apt("install", "/srv/first.deb")
    expect(await sh("getent group ibsr")).toBe("ibsr:x:5000:ibsr-export")
    expect(await sh("id -u ibsr-export")).toBe("5001")
    // the package did not create this user
    await apt("purge", "ibsr-export")
    expect(await sh("id -u ibsr-export")).toBe("5001")
  })

  it("the package needs two lines of configuration to upload", async () => {
    const { apt, root, sh } = await host()
    await apt("install", "/srv/full.deb")
    await sh(`install -d ${snapshots} && cp /srv/a.jsonl ${snapshots}/`)
    const store = await startStore({ buckets: ["customer-bucket"] })
    const login = { AWS_ACCESS_KEY_ID: writer.accessKeyId, AWS_SECRET_ACCESS_KEY: writer.secretAccessKey }
    const env = { ...login, AWS_ENDPOINT_URL_S3: store.endpoint, STATE_DIRECTORY: state }
    const upload = () => root.exec(["sh", "-c", `set -a; . ${configuration}; exec ibsr-export s3`], env)

    const unedited = await upload()
    expect(unedited.code).toBe(60)
    expect(unedited.stderr).toContain("--bucket is required (or IBSR_EXPORT_BUCKET)")
    await sh(`sed -i 's/^IBSR_EXPORT_BUCKET=$/&customer-bucket/; s/^AWS_REGION=$/&us-east-1/' ${configuration}`)
    const edited = await upload()
    expect(edited.code, edited.stdout + edited.stderr).toBe(0)
    expect(store.keys()).toEqual([expect.stringMatching(/^ibsr\/.+\/snapshots\/a\.jsonl$/)])
  })

  it("an upgrade keeps the edited configuration without a question when the package's copy is unchanged", async () => {
    const { apt, existing, sh } = await host()
    await apt("install", "/srv/first.deb")
    await sh(`echo IBSR_EXPORT_PREFIX=edited >>${configuration}; chmod 640 ${configuration}`)
    await apt("install", "/srv/next.deb")
    expect(await sh("dpkg-query --show --showformat '${Version}' ibsr-export")).toBe(`${packageJson.version}+next`)
    expect(await sh(`tail -n 1 ${configuration}`)).toBe("IBSR_EXPORT_PREFIX=edited")
    expect(await existing(`${configuration}.*`)).toEqual([])
  })

  it("an unattended upgrade keeps the edited configuration when the package's copy has changed", async () => {
    const { apt, existing, sh } = await host()
    await apt("install", "/srv/first.deb")
    await sh(`echo IBSR_EXPORT_PREFIX=edited >>${configuration}`)
    await apt("-o", "Dpkg::Options::=--force-confold", "install", "/srv/other-env.deb")
    expect(await sh(`tail -n 1 ${configuration}`)).toBe("IBSR_EXPORT_PREFIX=edited")
    expect(await existing(`${configuration}.*`)).toEqual([`${configuration}.dpkg-dist`])
    expect(await sh(`stat -c %a ${configuration}.dpkg-dist`)).toBe("600")
  })

  it("an upgrade replaces an unedited configuration", async () => {
    const { apt, sh } = await host()
    await apt("install", "/srv/first.deb")
    await apt("install", "/srv/other-env.deb")
    expect(await sh(`tail -n 1 ${configuration}`)).toBe("# new")
  })

  it("a removal keeps configuration, ledger and user for the next installation", async () => {
    const { apt, existing, sh } = await host()
    await apt("install", "/srv/first.deb")
    await sh(`echo IBSR_EXPORT_PREFIX=edited >>${configuration}; mkdir ${state}; echo kept >${state}/ledger.db`)
    await apt("remove", "ibsr-export")
    expect(await existing("/usr/bin/ibsr-export", "/usr/lib/systemd/system/ibsr-*")).toEqual([])
    await sh("getent passwd ibsr-export")
    await apt("install", "/srv/next.deb")
    expect(await sh(`tail -n 1 ${configuration}; cat ${state}/ledger.db`)).toBe("IBSR_EXPORT_PREFIX=edited\nkept")
  })

  it("a purge removes everything but the snapshots and their group", async () => {
    const { apt, existing, sh } = await host()
    await sh(`install -d ${snapshots} ${stamps} && cp /srv/a.jsonl ${snapshots}/`)
    // ignores files that Debian's own tools write
    const ignored = ["/var/cache/*", "/var/log/*", "/var/lib/apt/*", "/var/lib/dpkg/*", "/run/adduser", "/etc/*shadow-"]
    const list = `find / -xdev ${ignored.map((path) => `! -path '${path}'`).join(" ")}`
    const before = await sh(list)
    await apt("install", "/srv/first.deb")
    await sh(`echo key >/etc/ibsr-export/aws-credentials; mkdir ${state}; echo gone >${state}/ledger.db`)
    await sh(`chgrp ibsr ${snapshots}; touch ${stamps}/stamp-ibsr-upload.timer`)
    await apt("purge", "ibsr-export")
    const after = await sh(list)
    expect(after.split("\n").filter((path) => !before.split("\n").includes(path))).toEqual([])
    expect(await existing(`${snapshots}/*`)).toEqual([`${snapshots}/a.jsonl`])
    expect(
      await sh(`stat -c %G ${snapshots}; getent passwd ibsr-export || getent group ibsr-export || echo none`)
    ).toBe("ibsr\nnone")
  })

  it("a purge succeeds without adduser and deluser", async () => {
    const { apt, existing, sh } = await host()
    await apt("install", "/srv/first.deb")
    await apt("remove", "ibsr-export")
    await sh("rm /usr/sbin/deluser /usr/sbin/adduser")
    await apt("purge", "ibsr-export")
    expect(await existing("/etc/ibsr-export")).toEqual([])
  })
})

/** The apt repository that scripts/apt-repository.sh makes, used on minimal Debians as the README says. */
import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, cpSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest"
import packageJson from "../../../package.json" with { type: "json" }
import { Chroot } from "../../fixtures/chroots/Chroot.ts"
import { bumpVersion, emptyProgram, makeDeb, remakeDeb } from "../../fixtures/Deb.ts"
import { emptyDirectory } from "../../fixtures/Tree.ts"
import * as Readme from "../systemd/Readme.ts"

const script = fileURLToPath(new URL("../../../scripts/apt-repository.sh", import.meta.url))
const possible = inject("dpkg") && inject("aptRepository")
const debians = possible ? inject("debians") : []

const keyring = emptyDirectory()
const env = { ...process.env, GNUPGHOME: keyring, SOURCE_DATE_EPOCH: "1767225600" }
const gpg = (...args: ReadonlyArray<string>) => execFileSync("gpg", ["--batch", ...args], { env, stdio: "pipe" })

/** Adds packages to a repository. */
const add = (...args: ReadonlyArray<string>) => spawnSync(script, args, { env, encoding: "utf8" })

/** The content of /srv as any user of the host can read it. */
const readableDirectory = () => {
  const folder = emptyDirectory()
  chmodSync(folder, 0o755)
  return folder
}

let debs = ""
const deb = (name: "first" | "next") => join(debs, `${name}.deb`)

beforeAll(() => {
  if (!possible) return
  debs = emptyDirectory()
  makeDeb(join(debs, "whole.deb"))
  remakeDeb(join(debs, "whole.deb"), deb("first"), emptyProgram)
  remakeDeb(deb("first"), deb("next"), bumpVersion)
  chmodSync(keyring, 0o700)
  for (const user of ["maintainers", "somebody-else"]) {
    gpg("--passphrase", "", "--quick-generate-key", `${user}@ibsr-export.example`, "ed25519", "sign", "never")
  }
})
afterAll(() => {
  if (possible) execFileSync("gpgconf", ["--kill", "all"], { env })
})

describe.each(debians)("on Debian %s", (suite) => {
  const roots: Array<Chroot> = []
  afterEach(() => Promise.all(roots.splice(0).map((root) => root.close())))

  /** A shell on a host that sees the folder as /srv, and has no other sources of packages. */
  const host = async (folder: string) => {
    const root = await Chroot.open(suite, folder)
    roots.push(root)
    await root.exec(["sh", "-c", "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*"])
    const sh = (command: string) => root.exec(["sh", "-c", `cd /srv && ${command}`])
    const version = async () => {
      const { stdout } = await sh("dpkg-query --show --showformat '${Version}' ibsr-export")
      return stdout
    }
    return { sh, version }
  }

  /** The README's commands, for a repository in /srv. */
  const recipe = () => {
    const commands = Readme.commands("install -D -m 644 ibsr-export.asc ")
    expect(commands).toHaveLength(4)
    return commands.map((command) => command.replace("https://apt.example.com", "file:/srv"))
  }

  it("apt installs the package from the repository, and upgrades it", async () => {
    const folder = readableDirectory()
    expect(add("--key", "maintainers@ibsr-export.example", folder, deb("first"))).toMatchObject({ status: 0 })
    const { sh, version } = await host(folder)
    for (const command of recipe()) {
      const { code, stderr, stdout } = await sh(command)
      expect(code, `${command}: ${stdout}${stderr}`).toBe(0)
    }
    expect(await version()).toBe(packageJson.version)

    expect(add("--key", "maintainers@ibsr-export.example", folder, deb("next"))).toMatchObject({ status: 0 })
    expect(await sh("apt-get update && apt-get --yes upgrade")).toMatchObject({ code: 0 })
    expect(await version()).toBe(`${packageJson.version}+next`)
  })

  it("apt refuses indexes that were changed, signed by another key, or not signed", async () => {
    const folder = readableDirectory()
    add("--key", "maintainers@ibsr-export.example", folder, deb("first"))
    const { sh } = await host(folder)
    for (const command of recipe().slice(0, 2)) await sh(command)
    const update = () => sh("apt-get update --error-on=any")
    expect(await update()).toMatchObject({ code: 0 })

    const changed = join(folder, "dists/stable/InRelease")
    cpSync(changed, join(folder, "kept"))
    execFileSync("sed", ["-i", "s/^Suite: stable/Suite: staple/", changed])
    rmSync(join(folder, "dists/stable/Release.gpg"))
    expect((await update()).code).not.toBe(0)
    cpSync(join(folder, "kept"), changed)
    expect(await update()).toMatchObject({ code: 0 })
    add("--key", "somebody-else@ibsr-export.example", folder)
    expect((await update()).code).not.toBe(0)
    add(folder)
    expect((await update()).code).not.toBe(0)
  })
})

describe.skipIf(!possible)("scripts/apt-repository.sh", () => {
  it("creates the same unsigned repository each time, readable by all under any umask", () => {
    const [one, two] = [emptyDirectory(), emptyDirectory()]
    const modes = (folder: string) => spawnSync("find", [folder, "-mindepth", "1", "-printf", "%m %P\\n"]).stdout
    expect(add(one, deb("first"), deb("next"))).toMatchObject({ status: 0 })
    const usual = process.umask(0o077)
    try {
      expect(add(two, deb("first"), deb("next"))).toMatchObject({ status: 0 })
    } finally {
      process.umask(usual)
    }
    expect(spawnSync("diff", ["--recursive", one, two], { encoding: "utf8" })).toMatchObject({ status: 0, stdout: "" })
    expect(modes(two).equals(modes(one))).toBe(true)
    expect(readdirSync(one).toSorted()).toEqual(["dists", "pool"])
  })

  it("refuses a different package of the same version, and changes nothing", () => {
    const folder = emptyDirectory()
    add(folder, deb("first"))
    const before = execFileSync("find", [folder, "-type", "f", "-exec", "sha256sum", "{}", "+"])
    const { status, stderr } = add(folder, join(debs, "whole.deb"))
    expect(status).toBe(1)
    expect(stderr).toContain("is a different package of the same version")
    expect(execFileSync("find", [folder, "-type", "f", "-exec", "sha256sum", "{}", "+"])).toEqual(before)
  })

  it("keeps the existing indexes if a key is missing", () => {
    const folder = emptyDirectory()
    add(folder, deb("first"))
    expect(add("--key", "nobody@ibsr-export.example", folder, deb("next")).status).not.toBe(0)
    expect(readdirSync(join(folder, "dists/stable")).toSorted()).toEqual(["Release", "main"])
    expect(add("--key", "", folder).status).toBe(2)
    expect(add().status).toBe(2)
  })
})

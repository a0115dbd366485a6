import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { names } from "../../src/units/DropIns.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { run } from "./BuiltProgram.ts"

/** Any program will do, if it is there: this one is not started. */
const program = "/bin/true"

const units = (...args: ReadonlyArray<string>) => run(["units", `--program=${program}`, ...args])

const printed = async (...args: ReadonlyArray<string>) => {
  const result = await units(...args)
  expect(result.code, result.stderr).toBe(0)
  return result.stdout
}

const refused = async (...args: ReadonlyArray<string>) => {
  const result = await units(...args)
  expect(result.code).toBe(60)
  expect(result.stdout).toBe("")
  return result.stderr.split("\n")
}

const usual = ["--input=/var/lib/ibsr/snapshots", "--bucket=customer-bucket"]

describe("units", () => {
  it("prints each file below its path, and the flags of s3 in the order given", async () => {
    const text = await printed("--region", "eu-central-1", ...usual, "--force")
    expect(text.match(/^# \/.*$/gm)).toEqual([
      "# /etc/systemd/system/ibsr-upload.service",
      "# /etc/systemd/system/ibsr-upload.timer",
      "# /etc/systemd/system/ibsr-alert@.service"
    ])
    expect(text).toContain(
      [
        `ExecStart=${program}`,
        "s3",
        "--region=eu-central-1",
        "--input=/var/lib/ibsr/snapshots",
        "--bucket=customer-bucket",
        "--force\n"
      ].join(" \\\n  ")
    )
  })

  it("takes nothing from variables, and shows none", async () => {
    const env = {
      IBSR_EXPORT_INPUT: "/from/environment",
      IBSR_EXPORT_BUCKET: "from-environment",
      IBSR_EXPORT_GRACE: "no duration",
      AWS_REGION: "from-environment"
    }
    const withThem = await run(["units", `--program=${program}`], { env })
    const without = await run(["units", `--program=${program}`])
    expect(withThem.code, withThem.stderr).toBe(0)
    expect(withThem.stdout).toBe(without.stdout)
    expect(without.stdout).toContain(`ExecStart=${program} s3\nEnvironmentFile=-/etc/ibsr-export/export.env\n`)
  })

  it("checks the flags of s3 as s3 does, with its own, all at once", async () => {
    const flags = ["--bucket=s3://b", "--part-size=3", "--sse=s3", "--kms-key-id=k"]
    const stderr = await refused(...flags)
    const ofS3 = await run(["s3", "--input=/in", ...flags])
    expect(stderr).toEqual(ofS3.stderr.split("\n"))
    expect(await refused("--user=a b", "--drop-in=x", "--drop-in=y")).toEqual([
      "ibsr-export: --user: expected the name of a user or group, got 'a b'",
      `ibsr-export: --drop-in: expected one of ${names.join(", ")}, got 'x'`,
      `ibsr-export: --drop-in: expected one of ${names.join(", ")}, got 'y'`,
      "  --help behind a command lists all of its flags",
      ""
    ])
    expect((await refused("--grace=1h", "--grace=2h"))[0]).toContain("--grace is given more than once")
  })

  it.each([
    ["--input=snapshots", "--input: a timer starts it in another folder; give an absolute path"],
    ["--metrics-file=m.prom", "--metrics-file: a timer starts it in another folder; give an absolute path"],
    ["--state-dir=./state", "--state-dir: a timer starts it in another folder; give an absolute path"],
    ["--input=/tmp/snapshots", "/tmp/snapshots: a unit has a /tmp and a /var/tmp of its own; give a path elsewhere"],
    ["--state-dir=/var/tmp", "/var/tmp: a unit has a /tmp and a /var/tmp of its own; give a path elsewhere"]
  ])("refuses what a unit cannot reach: %s", async (flag, problem) => {
    expect(await refused(flag)).toContain(`ibsr-export: ${problem}`)
  })

  it.each([
    ["true", "--program: a timer starts it in another folder; give an absolute path"],
    ["/tmp/true", "/tmp/true: a unit cannot start it there; --program names the installed one"],
    [`/opt/a"b`, `/opt/a"b: systemd starts no program with quotes, backslashes or line breaks in its path`]
  ])("refuses a program that systemd cannot start: %s", async (path, problem) => {
    const result = await run(["units", `--program=${path}`])
    expect(result.code).toBe(60)
    expect(result.stderr).toContain(`ibsr-export: ${problem}\n`)
  })

  it("lets the service write where flags say that it does, and read a home", async () => {
    const text = await printed("--state-dir=/srv/a b", "--metrics-file=/srv/m/n.prom", "--input=/home/c/snapshots")
    expect(text).toContain('\nReadWritePaths="-/srv/a b"\nReadWritePaths=-/srv/m\n')
    expect(text).toContain("\nProtectHome=read-only\n")
    expect(await printed("--state-dir=/var/lib/ibsr-export/")).not.toContain("ReadWritePaths")
  })

  it("writes what it prints, for all to read whatever the umask, and says where", async () => {
    const folder = emptyDirectory()
    const flags = [...usual, "--user=carrier", "--group=ibsr", ...names.map((name) => `--drop-in=${name}`)]
    const text = await printed(...flags)
    const result = await run(["units", `--program=${program}`, ...flags, "--to", folder], {
      commandPrefix: ["sh", "-c", 'umask 077; exec "$0" "$@"']
    })
    expect(result.code, result.stderr).toBe(0)
    const paths = result.stdout.trimEnd().split("\n")
    const written = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    expect(paths.toSorted()).toEqual(written.toSorted())
    expect(paths).toHaveLength(3 + names.length)
    expect(
      paths.map((path) => `${path.replace(folder, "# /etc/systemd/system")}\n${readFileSync(path, "utf8")}`).join("\n")
    ).toBe(text)
    for (const path of paths) expect((statSync(path).mode & 0o777).toString(8)).toBe("644")
  })

  it("replaces what was there, and leaves what else is there", async () => {
    const folder = tree({ "ibsr-upload.service": "old", "ibsr-upload.service.d/mine.conf": "mine" })
    await printed(...usual, "--to", folder)
    expect(readFileSync(join(folder, "ibsr-upload.service"), "utf8")).toContain("[Service]")
    expect(readFileSync(join(folder, "ibsr-upload.service.d/mine.conf"), "utf8")).toBe("mine")
    expect(readdirSync(folder)).toHaveLength(4)
  })

  it("says why it cannot write, and makes no folder for a slip of the pen", async () => {
    for (const folder of [join(tree({ file: "" }), "file"), join(emptyDirectory(), "systm")]) {
      const result = await units("--to", folder)
      expect(result.code).toBe(60)
      expect(result.stderr).toContain("ibsr-export: --to: ")
      expect(result.stderr).toContain(folder)
    }
  })

  it("makes no unit of a run that uploads nothing", async () => {
    const result = await units("--dry-run")
    expect(result.code).toBe(60)
    expect(result.stderr).toContain("--dry-run: ")
  })

  it("leaves nothing half written beside a file that cannot be replaced", async () => {
    const folder = emptyDirectory()
    mkdirSync(join(folder, "ibsr-upload.service"))
    expect((await units("--to", folder)).code).toBe(60)
    expect(readdirSync(folder)).toEqual(["ibsr-upload.service"])
  })

  it("prints a file for cron, for a host without systemd", async () => {
    const text = await printed("--cron", "--user=ibsr", ...usual)
    const lines = text.trimEnd().split("\n")
    expect(lines[0]).toBe("# /etc/cron.d/ibsr-upload")
    expect(lines.filter((line) => !line.startsWith("#"))).toEqual([
      expect.stringMatching(
        /^\d+ \* \* \* \* ibsr \/bin\/true s3 --input=\S+ --bucket=customer-bucket --quiet --state-dir=\/var\/lib\/ibsr-export$/
      )
    ])
  })

  it("refuses what cron cannot do, all at once", async () => {
    expect(await refused("--cron", "--group=ibsr", "--drop-in=metrics", "--input=in")).toEqual([
      "ibsr-export: --input: a timer starts it in another folder; give an absolute path",
      "ibsr-export: --cron needs --user: cron wants to know who runs it",
      "ibsr-export: --group: cron takes a user's groups as they are; add the user to the group",
      "ibsr-export: --cron needs --bucket: cron reads no environment file",
      "ibsr-export: --drop-in: there are none for cron",
      "  --help behind a command lists all of its flags",
      ""
    ])
  })
})

const version = () => {
  const { stdout } = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" })
  return Number(/^systemd (\d+)/.exec(stdout ?? "")?.[1] ?? 0)
}

// `security --offline` is that old
const analyzable = version() >= 250
if (!analyzable)
  console.log("There is no systemd-analyze from 250 on: the tests that it judges the units by are skipped")

describe.skipIf(!analyzable)("systemd-analyze", () => {
  const rows: ReadonlyArray<[what: string, flags: ReadonlyArray<string>]> = [
    ["the package", ["--user=root", "--group=adm"]],
    ["a user that systemd makes up", [...usual, "--region=eu-central-1"]],
    [
      "awkward values",
      [`--include=%n $HOME "a\\'b"\n;#`, "--exclude=*", "--input=/srv/a b%c", "--state-dir=/srv/$x y"]
    ],
    ["other limits", ["--memory=1GiB", "--grace=90s", "--give-up-after=1h"]],
    ...names.map((name): [string, ReadonlyArray<string>] => [
      `the drop-in ${name}`,
      [`--drop-in=${name}`, "--group=adm"]
    ])
  ]

  it.each(rows)("finds no fault with the units for %s, and next to nothing exposed", async (_, flags) => {
    const folder = emptyDirectory()
    const paths = (await printed(...flags, "--to", folder)).trimEnd().split("\n")
    const files = paths.filter((path) => !path.endsWith(".conf"))
    const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` }
    const analyze = (...args: ReadonlyArray<string>) => spawnSync("systemd-analyze", args, { encoding: "utf8", env })
    const verified = analyze("verify", "--man=no", ...files)
    expect([verified.status, verified.stderr]).toEqual([0, ""])
    // 1.5 of 10
    const judged = analyze(
      "security",
      "--offline=true",
      "--no-pager",
      "--threshold=15",
      join(folder, "ibsr-upload.service")
    )
    expect(judged.status, judged.stdout + judged.stderr).toBe(0)
  })

  it("finds a fault where there is one", async () => {
    const folder = emptyDirectory()
    await printed("--to", folder)
    const service = join(folder, "ibsr-upload.service")
    writeFileSync(
      service,
      readFileSync(service, "utf8")
        .replace("CapabilityBoundingSet=\n", "")
        .replace("[Service]\n", "[Service]\nNonsense=1\n")
    )
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", service], { encoding: "utf8" })
    expect(verified.stderr).toContain("Nonsense")
    expect(() =>
      execFileSync("systemd-analyze", ["security", "--offline=true", "--threshold=15", service], { stdio: "pipe" })
    ).toThrow()
  })
})

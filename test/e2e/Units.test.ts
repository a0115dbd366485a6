import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { names } from "../../src/units/DropIns.ts"
import { emptyDirectory, tree } from "../fixtures/Tree.ts"
import { run } from "./BuiltProgram.ts"

/** Any existing program works, because it is not started. */
const program = "/bin/true"

const units = (...args: ReadonlyArray<string>) => run(["units", `--program=${program}`, ...args])

/** The output of a successful `units`. */
const print = async (...args: ReadonlyArray<string>) => {
  const result = await units(...args)
  expect(result.code, result.stderr).toBe(0)
  return result.stdout
}

/** The lines of stderr when `units` rejects its flags. */
const rejection = async (...args: ReadonlyArray<string>) => {
  const result = await units(...args)
  expect(result.code).toBe(60)
  expect(result.stdout).toBe("")
  return result.stderr.split("\n")
}

const usualFlags = ["--input=/var/lib/ibsr/snapshots", "--bucket=customer-bucket"]

describe("units", () => {
  it("prints each file under its path, with the flags of s3 in their order", async () => {
    const text = await print("--region", "eu-central-1", ...usualFlags, "--force")
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

  it("ignores environment variables", async () => {
    const env = {
      IBSR_EXPORT_INPUT: "/from/environment",
      IBSR_EXPORT_BUCKET: "from-environment",
      IBSR_EXPORT_GRACE: "no duration",
      AWS_REGION: "from-environment"
    }
    const withVariables = await run(["units", `--program=${program}`], { env })
    const without = await run(["units", `--program=${program}`])
    expect(withVariables.code, withVariables.stderr).toBe(0)
    expect(withVariables.stdout).toBe(without.stdout)
    expect(without.stdout).toContain(`ExecStart=${program} s3\nEnvironmentFile=-/etc/ibsr-export/export.env\n`)
  })

  it("checks its own flags and those of s3, and reports all problems at once", async () => {
    const flags = ["--bucket=s3://b", "--part-size=3", "--sse=s3", "--kms-key-id=k"]
    const stderr = await rejection(...flags)
    const s3 = await run(["s3", "--input=/in", ...flags])
    expect(stderr).toEqual(s3.stderr.replace("ibsr-export s3 --help", "ibsr-export units --help").split("\n"))
    expect(await rejection("--user=a b", "--drop-in=x", "--drop-in=y")).toEqual([
      "ibsr-export: --user: expected the name of a user or group, got 'a b'",
      `ibsr-export: --drop-in: expected one of ${names.join(", ")}, got 'x'`,
      `ibsr-export: --drop-in: expected one of ${names.join(", ")}, got 'y'`,
      expect.stringMatching(/^exit 60 usage: --user: .*; --drop-in: .*; --drop-in: .*\. See /),
      ""
    ])
    expect((await rejection("--grace=1h", "--grace=2h"))[0]).toContain("--grace is given more than once")
  })

  it.each([
    ["--input=snapshots", "--input: a timer starts the program in another directory; give an absolute path"],
    ["--metrics-file=m.prom", "--metrics-file: a timer starts the program in another directory; give an absolute path"],
    ["--state-dir=./state", "--state-dir: a timer starts the program in another directory; give an absolute path"],
    ["--input=/tmp/snapshots", "/tmp/snapshots: a unit has its own /tmp and /var/tmp; use a path elsewhere"],
    ["--state-dir=/var/tmp", "/var/tmp: a unit has its own /tmp and /var/tmp; use a path elsewhere"]
  ])("rejects a path that a unit cannot reach: %s", async (flag, problem) => {
    const lines = await rejection(flag)
    expect(lines.at(-2)).toMatch(/^exit 60 usage: .* See 'ibsr-export units --help'\.$/)
    expect(lines.at(-2)).toContain(problem)
  })

  it.each([
    ["true", "--program: a timer starts the program in another directory; give an absolute path"],
    ["/tmp/true", "/tmp/true: a unit cannot start a program there; set --program to the installed one"],
    [`/opt/a"b`, `/opt/a"b: systemd does not start programs with quotes, backslashes or line breaks in their path`]
  ])("rejects a program that systemd cannot start: %s", async (path, problem) => {
    const result = await run(["units", `--program=${path}`])
    expect(result.code).toBe(60)
    expect(result.stderr).toContain(`exit 60 usage: ${problem}`)
  })

  it("prints a service that may write to the paths in its flags, and read home directories", async () => {
    const text = await print("--state-dir=/srv/a b", "--metrics-file=/srv/m/n.prom", "--input=/home/c/snapshots")
    expect(text).toContain('\nReadWritePaths="-/srv/a b"\nReadWritePaths=-/srv/m\n')
    expect(text).toContain("\nProtectHome=read-only\n")
    expect(await print("--state-dir=/var/lib/ibsr-export/")).not.toContain("ReadWritePaths")
  })

  it("writes its files to the directory in --to, readable by all under any umask, and prints their paths", async () => {
    const folder = emptyDirectory()
    const flags = [...usualFlags, "--user=carrier", "--group=ibsr", ...names.map((name) => `--drop-in=${name}`)]
    const text = await print(...flags)
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

  describe("with existing files in --to", () => {
    const readAll = (folder: string) =>
      Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]))

    it("replaces those of the same job", async () => {
      const folder = emptyDirectory()
      await print(...usualFlags, "--drop-in=metrics", "--to", folder)
      writeFileSync(join(folder, "ibsr-upload.service.d/mine.conf"), "mine")
      await print(...usualFlags.toReversed(), "--force", "--grace=1m", "--drop-in=metrics", "--to", folder)
      const service = readFileSync(join(folder, "ibsr-upload.service"), "utf8")
      expect(service).toContain("\n  --force \\\n")
      expect(service).toContain("\nTimeoutStopSec=100s\n")
      expect(readFileSync(join(folder, "ibsr-upload.service.d/mine.conf"), "utf8")).toBe("mine")
      expect(readdirSync(folder)).toHaveLength(4)
    })

    it.each([
      ["another input", ["--input=/var/lib/ibsr/snapshots-payload", "--bucket=customer-bucket"]],
      ["another bucket", ["--input=/var/lib/ibsr/snapshots", "--bucket=other-bucket"]],
      ["another prefix", [...usualFlags, "--prefix=p"]],
      ["another endpoint", [...usualFlags, "--endpoint=https://minio.example.com:9000"]],
      ["variables instead of flags", []]
    ])("does not replace files of a job with %s", async (_, flags) => {
      const folder = emptyDirectory()
      await print(...usualFlags, "--to", folder)
      const before = readAll(folder)
      const [first, second] = await rejection(...flags, "--to", folder)
      const why = `belongs to another job (${usualFlags.join(" ")}); give this job another --name, or move the file away`
      expect([first, second]).toEqual([
        `ibsr-export: --to: ${join(folder, "ibsr-upload.service")} ${why}`,
        `ibsr-export: --to: ${join(folder, "ibsr-upload.timer")} ${why}`
      ])
      expect(readAll(folder)).toEqual(before)
    })

    it("does not replace the crontab of another job", async () => {
      const folder = emptyDirectory()
      const cron = ["--cron", "--user=daemon", "--to", folder]
      await print(...cron, ...usualFlags)
      const before = readAll(folder)
      expect((await rejection(...cron, ...usualFlags, "--prefix=p"))[0]).toContain("belongs to another job")
      expect(readAll(folder)).toEqual(before)
      await print(...cron, ...usualFlags, "--force")
      expect(readAll(folder)["ibsr-upload"]).toContain(" --force ")
    })

    it.each([
      ["a file that it did not make", "mine\n", "was not made by `units`"],
      ["a file of its own that was changed", undefined, "was changed after `units` had made it"]
    ])("replaces neither %s nor other files in the same directory", async (_, text, why) => {
      const folder = emptyDirectory()
      await print(...usualFlags, "--to", folder)
      const path = join(folder, "ibsr-upload.timer")
      writeFileSync(path, text ?? readFileSync(path, "utf8").replace("*:03:00", "*:30:00"))
      const before = readAll(folder)
      const [line] = await rejection(...usualFlags, "--force", "--to", folder)
      expect(line).toContain(
        `exit 60 usage: --to: ${path} ${why}; give this job another --name, or move the file away.`
      )
      expect(readAll(folder)).toEqual(before)
    })

    it.each([
      ["a masked unit", (path: string) => symlinkSync("/dev/null", path)],
      ["a link to nothing", (path: string) => symlinkSync("/missing", path)],
      ["a directory", (path: string) => mkdirSync(path)],
      ["a FIFO", (path: string) => execFileSync("mkfifo", [path])]
    ])("does not replace %s, and creates no other file", async (_, make) => {
      const folder = emptyDirectory()
      make(join(folder, "ibsr-upload.service"))
      expect((await rejection(...usualFlags, "--to", folder))[0]).toContain("was not made by `units`")
      expect(readdirSync(folder)).toEqual(["ibsr-upload.service"])
    })

    it("keeps an alert that was changed, and says so", async () => {
      const folder = tree({ "ibsr-alert@.service": "mine\n" })
      const alert = join(folder, "ibsr-alert@.service")
      const result = await units(...usualFlags, "--to", folder)
      expect([result.code, result.stderr]).toEqual([0, `ibsr-export: kept ${alert}, which \`units\` did not write\n`])
      expect(readFileSync(alert, "utf8")).toBe("mine\n")
      expect(result.stdout).not.toContain(alert)
      expect(readdirSync(folder)).toHaveLength(3)
    })
  })

  describe("with --name", () => {
    const payload = ["--name=payload", "--input=/var/lib/ibsr/snapshots-payload", "--bucket=b", "--prefix=p"]

    it("makes separate files, and does not change the files of other jobs", async () => {
      const folder = emptyDirectory()
      await print(...usualFlags, "--to", folder)
      const contents = () =>
        Object.fromEntries(
          ["ibsr-alert@.service", "ibsr-upload.service", "ibsr-upload.timer"].map((name) => [
            name,
            readFileSync(join(folder, name), "utf8")
          ])
        )
      const before = contents()
      await print(...payload, "--drop-in=metrics", "--to", folder)
      expect(contents()).toEqual(before)
      expect(readdirSync(folder).toSorted()).toEqual([
        "ibsr-alert@.service",
        "ibsr-upload-payload.service",
        "ibsr-upload-payload.service.d",
        "ibsr-upload-payload.timer",
        "ibsr-upload.service",
        "ibsr-upload.timer"
      ])
      const metrics = readFileSync(join(folder, "ibsr-upload-payload.service.d/10-metrics.conf"), "utf8")
      expect(metrics).toContain("/ibsr-export-payload.prom\n")
    })

    it("prints a crontab of its own", async () => {
      const text = await print("--cron", "--user=daemon", ...payload)
      expect(text).toMatch(/^# \/etc\/cron\.d\/ibsr-upload-payload\n/)
      expect(text).toContain(" --state-dir=/var/lib/ibsr-export-payload\n")
      expect(text).toContain("install -d -m 0700 -o daemon /var/lib/ibsr-export-payload\n")
    })

    it("names the state directory only once among the directories that the service may write to", async () => {
      expect(await print(...payload, "--state-dir=/var/lib/ibsr-export-payload")).not.toContain("ReadWritePaths")
    })

    it("warns about a prefix that other jobs may share", async () => {
      const { code, stderr } = await units("--name=a", ...usualFlags)
      expect([code, stderr]).toEqual([
        0,
        "ibsr-export: warning: without --prefix, all jobs of this host upload below the same prefix\n"
      ])
      expect((await units(...payload)).stderr).toBe("")
    })

    it.each(["a b", "a/b", "a.b", "-a", "a-", "", "ü", "x".repeat(33)])("rejects the name '%s'", async (name) => {
      expect((await rejection(`--name=${name}`))[0]).toContain("--name")
    })
  })

  it("explains why it cannot write, and does not create a missing directory", async () => {
    for (const folder of [join(tree({ file: "" }), "file"), join(emptyDirectory(), "systm")]) {
      const result = await units("--to", folder)
      expect(result.code).toBe(60)
      expect(result.stderr).toContain(": --to: ")
      expect(result.stderr).toContain(folder)
    }
  })

  it("rejects --dry-run", async () => {
    const result = await units("--dry-run")
    expect(result.code).toBe(60)
    expect(result.stderr).toContain("--dry-run: ")
  })

  it("prints a crontab with --cron", async () => {
    const text = await print("--cron", "--user=daemon", ...usualFlags)
    const lines = text.trimEnd().split("\n")
    expect(lines[0]).toBe("# /etc/cron.d/ibsr-upload")
    expect(lines.filter((line) => !line.startsWith("#"))).toEqual([
      expect.stringMatching(
        /^\d+ \* \* \* \* daemon \/bin\/true s3 --input=\S+ --bucket=customer-bucket --quiet --state-dir=\/var\/lib\/ibsr-export$/
      )
    ])
  })

  it.each([
    ["root", []],
    ["another user", ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]]
  ])("rejects --cron with a user that does not exist, also when %s runs it", async (_, commandPrefix) => {
    const ask = (user: string) =>
      run(["units", "--program=/bin/true", "--cron", `--user=${user}`, ...usualFlags], { commandPrefix })
    const unknown = await ask("ibsr-nobody-knows")
    expect(unknown.code).toBe(60)
    expect(unknown.stderr).toContain(
      "exit 60 usage: --user: the user 'ibsr-nobody-knows' does not exist on this host; create it first."
    )
    for (const user of ["root", "daemon", "nobody"]) expect((await ask(user)).code).toBe(0)
  })

  it("reports all flags that --cron does not support at once", async () => {
    expect(await rejection("--cron", "--group=ibsr", "--drop-in=metrics", "--input=in")).toEqual([
      "ibsr-export: --input: a timer starts the program in another directory; give an absolute path",
      "ibsr-export: --cron needs --user, the user that cron runs it as",
      "ibsr-export: --group: cron uses the groups of the user; add the user to the group instead",
      "ibsr-export: --cron needs --bucket: cron reads no environment file",
      "ibsr-export: --drop-in: does not work with --cron",
      expect.stringContaining("exit 60 usage: --input: "),
      ""
    ])
  })
})

const systemdVersion = () => {
  const { stdout } = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" })
  return Number(/^systemd (\d+)/.exec(stdout ?? "")?.[1] ?? 0)
}

const version = systemdVersion()
// version 250 is the first with `security --offline`
const canAnalyze = version >= 250
if (!canAnalyze) console.log("systemd-analyze 250 or later is not installed: its checks of the units are skipped")

/** systemd ignores keys that it does not know. */
const isAboutRestartMode = (line: string) => line.endsWith("Unknown key 'RestartMode' in section [Service], ignoring.")

describe.skipIf(!canAnalyze)("systemd-analyze", () => {
  const rows: ReadonlyArray<[name: string, flags: ReadonlyArray<string>]> = [
    ["the package", ["--user=root", "--group=adm"]],
    ["a dynamic user", [...usualFlags, "--region=eu-central-1"]],
    [
      "values with special characters",
      [`--include=%n $HOME "a\\'b"\n;#`, "--exclude=*", "--input=/srv/a b%c", "--state-dir=/srv/$x y"]
    ],
    ["other limits", ["--memory=1GiB", "--grace=90s", "--give-up-after=1h"]],
    ...names.map((name): [string, ReadonlyArray<string>] => [
      `the drop-in ${name}`,
      [`--drop-in=${name}`, "--group=adm"]
    ])
  ]

  it.each(rows)("accepts the units for %s and rates their exposure at 1.5 or less", async (_, flags) => {
    const folder = emptyDirectory()
    const paths = (await print(...flags, "--to", folder)).trimEnd().split("\n")
    const files = paths.filter((path) => !path.endsWith(".conf"))
    const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` }
    const analyze = (...args: ReadonlyArray<string>) => spawnSync("systemd-analyze", args, { encoding: "utf8", env })
    const verified = analyze("verify", "--man=no", ...files)
    const complaints = verified.stderr.split("\n").filter((line) => !(version < 254 && isAboutRestartMode(line)))
    expect([verified.status, complaints]).toEqual([0, [""]])
    // 15 means an exposure level of 1.5 out of 10
    const security = analyze(
      "security",
      "--offline=true",
      "--no-pager",
      "--threshold=15",
      join(folder, "ibsr-upload.service")
    )
    expect(security.status, security.stdout + security.stderr).toBe(0)
  })

  it("rejects a faulty unit", async () => {
    const folder = emptyDirectory()
    await print("--to", folder)
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

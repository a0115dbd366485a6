import { Effect } from "effect"
import { mkdirSync, symlinkSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import * as EarlierInstallation from "../../src/services/EarlierInstallation.ts"
import { namesOf } from "../../src/units/Job.ts"
import * as Marker from "../../src/units/Marker.ts"
import { tree } from "../fixtures/Tree.ts"

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
const handWritten = "[Service]\nType=oneshot\nExecStart=/usr/local/bin/ibsr-export s3 \\\n  --bucket b\n"
const line = "0 * * * * /usr/local/bin/ibsr-export s3 --bucket b >> /var/log/ibsr-upload.log 2>&1\n"

/** The warnings on a host with these files. */
const warnings = (
  files: Record<string, string>,
  {
    name,
    own = ["/etc/systemd/system/ibsr-upload.timer"],
    program = "/usr/bin/ibsr-export"
  }: {
    readonly name?: string
    readonly own?: ReadonlyArray<string>
    readonly program?: string
  } = {}
) =>
  Effect.runPromise(
    EarlierInstallation.warnings({ job: { names: namesOf(name), program }, env: { PATH }, own, root: tree(files) })
  )

describe("the search for an earlier installation", () => {
  it("finds nothing on a host without one", async () => {
    expect(await warnings({})).toEqual([])
    const packaged = { "usr/lib/systemd/system/ibsr-upload.service": "", "usr/bin/ibsr-export": "" }
    expect(await warnings(packaged)).toEqual([])
  })

  it.each(["etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system"])(
    "finds a unit in /%s that takes precedence over the packaged unit",
    async (folder) => {
      const found = await warnings({
        [`${folder}/ibsr-upload.timer`]: "[Timer]\n",
        "lib/systemd/system/ibsr-upload.timer": "",
        "lib/systemd/system/ibsr-upload.service": ""
      })
      expect(found).toEqual([
        `/${folder}/ibsr-upload.timer takes precedence over /lib/systemd/system/ibsr-upload.timer; ` +
          "to use the packaged unit, remove this file and run systemctl daemon-reload"
      ])
    }
  )

  it("finds a link that masks the packaged unit", async () => {
    const root = tree({ "usr/lib/systemd/system/ibsr-upload.service": "" })
    const masked = join(root, "etc/systemd/system/ibsr-upload.service")
    mkdirSync(dirname(masked), { recursive: true })
    symlinkSync("/dev/null", masked)
    const job = { names: namesOf(undefined), program: "/usr/bin/ibsr-export" }
    const found = await Effect.runPromise(EarlierInstallation.warnings({ job, env: {}, own: [], root }))
    expect(found[0]).toMatch(/^\/etc\/systemd\/system\/ibsr-upload\.service takes precedence over \/usr\/lib/)
  })

  it.each<[path: string, program: string, isFound: boolean]>([
    ["usr/local/bin/ibsr-export", "/usr/bin/ibsr-export", true],
    ["usr/local/sbin/ibsr-export", "/usr/local/bin/ibsr-export", true],
    ["usr/bin/ibsr-export", "/usr/local/bin/ibsr-export", false],
    ["usr/local/bin/ibsr-export", "/usr/local/bin/ibsr-export", false],
    ["usr/local/bin/ibsr-export", "/opt/ibsr-export", false]
  ])("finds /%s if it takes precedence over %s in PATH: %s", async (path, program, isFound) => {
    const found = await warnings({ [path]: "" }, { program })
    expect(found).toEqual(isFound ? [expect.stringContaining(`/${path} comes before ${program} in PATH`)] : [])
  })

  it("finds a unit of another name that starts the program, and says how to disable its timer", async () => {
    expect(await warnings({ "etc/systemd/system/ibsr-export.service": handWritten })).toEqual([
      "/etc/systemd/system/ibsr-export.service starts ibsr-export, too; " +
        "run systemctl disable --now ibsr-export.timer, or everything is uploaded twice"
    ])
  })

  it.each(["etc/crontab", "etc/cron.d/ibsr", "etc/cron.hourly/upload", "var/spool/cron/crontabs/root"])(
    "finds a line in /%s that starts the program",
    async (path) => {
      expect(await warnings({ [path]: `# m h\n${line}` })).toEqual([
        `/${path} starts ibsr-export, too; remove that line, or everything is uploaded twice`
      ])
    }
  )

  it.each<[what: string, path: string, text: string]>([
    ["a comment", "etc/crontab", `# ${line}`],
    ["another command", "etc/crontab", "0 * * * * root ibsr-export status\n"],
    ["a file that cron ignores", "etc/cron.d/ibsr.dpkg-old", line],
    ["a unit of another program", "etc/systemd/system/x.service", "[Service]\nExecStart=/bin/ibsr-export-check\n"],
    ["a unit of another job of `units`", "etc/systemd/system/ibsr-upload-x.service", Marker.mark("x", handWritten)],
    ["a crontab of another job of `units`", "etc/cron.d/ibsr-upload-x", Marker.mark("x", line)]
  ])("ignores %s", async (_, path, text) => {
    expect(await warnings({ [path]: text })).toEqual([])
  })

  it("finds a crontab that `units` made for the same job, unless `units` has just made it", async () => {
    const files = { "etc/cron.d/ibsr-upload": Marker.mark("x", line) }
    expect(await warnings(files)).toHaveLength(1)
    expect(await warnings(files, { own: ["/etc/cron.d/ibsr-upload"] })).toEqual([])
  })

  it("finds the enabled timer of a job that cron will start in future", async () => {
    const files = { "etc/systemd/system/timers.target.wants/ibsr-upload.timer": "" }
    expect(await warnings(files)).toEqual([])
    expect(await warnings(files, { own: ["/etc/cron.d/ibsr-upload"] })).toEqual([
      expect.stringContaining("run systemctl disable --now ibsr-upload.timer,")
    ])
    expect(await warnings(files, { name: "x", own: ["/etc/cron.d/ibsr-upload-x"] })).toEqual([])
  })

  it("escapes control characters", async () => {
    expect((await warnings({ "etc/systemd/system/a\n\x1b[31m.service": handWritten })).join()).not.toMatch(/\p{Cc}/u)
  })
})

import { Duration } from "effect"
import { describe, expect, it } from "vitest"
import { type Job, namesOf } from "../../src/units/Job.ts"
import * as Service from "../../src/units/Service.ts"
import { jobWith } from "../fixtures/Job.ts"
import { settingsWith } from "../fixtures/Settings.ts"

/** The values of a setting, in order. */
const values = (change: Partial<Job>, name: string) =>
  Service.text(jobWith(change))
    .replaceAll(/ \\\n {2}/g, " ")
    .split("\n")
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1))

type Row = readonly [name: string, change: Partial<Job>, expected: ReadonlyArray<string>]

const rows: ReadonlyArray<Row> = [
  ["ExecStart", {}, ["/usr/bin/ibsr-export s3"]],
  [
    "ExecStart",
    { program: "/opt/a b/x%$", args: ["s3", "--include=%a$b c", "--quiet"] },
    ['"/opt/a b/x%%$" s3 "--include=%%a$$b c" --quiet']
  ],
  ["DynamicUser", {}, ["yes"]],
  ["User", {}, []],
  ["DynamicUser", { user: "carrier" }, []],
  ["User", { user: "carrier" }, ["carrier"]],
  ["SupplementaryGroups", {}, []],
  ["SupplementaryGroups", { groups: ["ibsr", "adm"] }, ["ibsr adm"]],
  ["ReadWritePaths", {}, []],
  ["ReadWritePaths", { writes: ["/srv/a b", "/srv/c"] }, ['"-/srv/a b"', "-/srv/c"]],
  ["ExecPaths", { program: "/opt/a b" }, ['"/opt/a b" -/usr/lib -/usr/lib64 -/lib -/lib64']],
  ["ProtectHome", { paths: ["/var/lib/ibsr", "/homes/a"] }, ["yes"]],
  ["ProtectHome", { paths: ["/var/lib/ibsr", "/home/a"] }, ["read-only"]],
  ["ProtectHome", { paths: ["/root"] }, ["read-only"]],
  ["ProtectHome", { writes: ["/run/user/1/a"] }, ["read-only"]],
  ["ProtectHome", { program: "/root/ibsr-export" }, ["read-only"]],
  ["TimeoutStopSec", {}, ["1min"]],
  ["TimeoutStopSec", { settings: settingsWith({ grace: Duration.millis(61_500) }) }, ["102s"]],
  ["MemoryMax", {}, ["512M"]],
  ["MemoryHigh", {}, ["384M"]],
  ["MemoryMax", { settings: settingsWith({ memoryBytes: 1024 ** 3 }) }, ["1472M"]],
  ["MemoryHigh", { settings: settingsWith({ memoryBytes: 1024 ** 3 }) }, ["1344M"]],
  ["StartLimitBurst", {}, ["3"]],
  ["StartLimitIntervalSec", {}, ["50min"]],
  ["Restart", {}, ["on-failure"]],
  ["RestartSec", {}, ["2min"]],
  ["RestartMode", {}, ["direct"]],
  ["ExecStopPost", {}, [`-+/bin/sh -c 'test "$$SERVICE_RESULT" != success || exec /bin/systemctl reset-failed %n'`]],
  ["StartLimitBurst", { settings: settingsWith({ giveUpAfter: Duration.minutes(15) }) }, ["2"]],
  ["StartLimitBurst", { settings: settingsWith({ giveUpAfter: Duration.hours(1) }) }, []],
  ["StartLimitIntervalSec", { settings: settingsWith({ giveUpAfter: Duration.hours(1) }) }, []],
  ["Restart", { settings: settingsWith({ giveUpAfter: Duration.hours(1) }) }, ["no"]],
  ["ExecStopPost", { settings: settingsWith({ giveUpAfter: Duration.hours(1) }) }, []],
  ["SuccessExitStatus", {}, ["143 SIGTERM"]],
  ["OnFailure", {}, ["ibsr-alert@%n.service"]],
  ["MemoryDenyWriteExecute", {}, []],
  ["StateDirectory", {}, ["ibsr-export"]],
  ["StateDirectory", { names: namesOf("payload") }, ["ibsr-export-payload"]],
  ["Environment", { names: namesOf("payload") }, ["HOME=%S/ibsr-export-payload"]],
  ["EnvironmentFile", {}, ["-/etc/ibsr-export/export.env"]],
  ["EnvironmentFile", { names: namesOf("payload") }, ["-/etc/ibsr-export/export-payload.env"]]
]

describe("the service", () => {
  it.each(rows)("sets %s for %j", (name, change, expected) => {
    expect(values(change, name)).toEqual(expected)
  })

  it("puts each flag on its own line", () => {
    expect(Service.text(jobWith({ args: ["s3", "--input=/in", "--bucket=b"] }))).toContain(
      "ExecStart=/usr/bin/ibsr-export \\\n  s3 \\\n  --input=/in \\\n  --bucket=b\n"
    )
  })
})

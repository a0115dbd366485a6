import { readFile } from "node:fs/promises"
import { beforeAll, describe, expect, it } from "@effect/vitest"
import { s3Flags } from "../../src/cli/flags/S3Flags.ts"
import { statusFlags } from "../../src/cli/flags/StatusFlags.ts"
import { unitsFlags } from "../../src/cli/flags/UnitsFlags.ts"
import * as ExitCode from "../../src/domain/ExitCode.ts"
import * as Prometheus from "../../src/report/Prometheus.ts"
import * as DropIns from "../../src/units/DropIns.ts"
import { Report } from "../../src/report/Report.ts"
import { statusTarget } from "../fixtures/StatusTarget.ts"
import { reportOf } from "../fixtures/Report.ts"

let readme = ""

beforeAll(async () => {
  readme = await readFile(new URL("../../README.md", import.meta.url), "utf8")
})

const names = (text: string) => new Set([...text.matchAll(/--([a-z0-9]+(?:-[a-z0-9]+)*)/g)].map(([, name]) => name))

describe("the README", () => {
  it("has the table of exit codes", () => {
    const found = readme.split("\n").filter((line) => /^\| \d+ \| [a-z-]+ \| .* \| (?:yes|no) \|$/.test(line))
    const expected = ExitCode.table.map(
      ({ code, meaning, name, retrySoon }) => `| ${code} | ${name} | ${meaning} | ${retrySoon ? "yes" : "no"} |`
    )
    expect(found.toSorted()).toEqual(expected.toSorted())
  })

  const flags = [...Object.values(s3Flags), ...Object.values(unitsFlags)]
  it.each(flags.map(({ name }) => name))("documents --%s", (name) => {
    expect(names(readme)).toContain(name)
  })

  it.each(Object.values(s3Flags).map(({ description, name }) => [name, description]))(
    "describes --%s as --help does",
    (name, description) => {
      const rows = readme.replaceAll("`", "").split("\n")
      const matching = rows.filter((row) => row.startsWith(`| --${name} `) && row.endsWith(` | ${description} |`))
      expect(matching).toHaveLength(1)
    }
  )

  it.each(DropIns.names)("documents the drop-in %s", (name) => {
    expect(readme).toContain(`\n| \`${name}\` | `)
  })

  it.each(Object.values(statusFlags).map(({ name }) => name))("documents --%s of status", (name) => {
    expect(names(readme)).toContain(name)
  })

  it("documents exactly the metrics that are written", () => {
    const [, section = ""] = readme.split("\n## Monitoring\n")
    const [table = "", rules = ""] = section.split("```yaml")
    const documented = [...table.matchAll(/`((?:last|clock|waiting|oldest|stored|lost|build)_\w+)[`{]/g)].map(
      ([, name]) => name
    )
    const report = reportOf([], { traits: { checksum: "SHA256", clockOffsetMillis: 0, unencrypted: false } })
    const rendered = Prometheus.render({ report, remembered: statusTarget, previous: undefined })
    const written = [...rendered.matchAll(/^# TYPE ibsr_export_(\w+)/gm)].map(([, name]) => name)
    expect(documented.toSorted()).toEqual(written.toSorted())
    const alerted = [...rules.matchAll(/ibsr_export_(\w+)/g)].map(([, name]) => name)
    expect(alerted.length).toBeGreaterThan(3)
    expect(alerted.filter((name) => !written.includes(name))).toEqual([])
  })

  it.each([...Object.keys(Report.fields), ...Object.keys(Report.fields.totals.fields)])(
    "documents the report's field `%s`",
    (field) => {
      expect(readme.includes(`\`${field}\``)).toBe(true)
    }
  )
})

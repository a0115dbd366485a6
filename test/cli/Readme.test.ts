import { readFile } from "node:fs/promises"
import { beforeAll, describe, expect, it } from "@effect/vitest"
import * as Options from "../../src/cli/Options.ts"
import * as UnitsOptions from "../../src/cli/UnitsOptions.ts"
import * as ExitCode from "../../src/domain/ExitCode.ts"
import * as DropIns from "../../src/domain/Units/DropIns.ts"
import { Report } from "../../src/domain/Report.ts"

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

  const flags = [...Object.values(Options.s3), ...Object.values(UnitsOptions.units)]
  it.each(flags.map(({ name }) => name))("tells of --%s", (name) => {
    expect(names(readme)).toContain(name)
  })

  it.each(DropIns.names)("tells of the drop-in %s", (name) => {
    expect(readme).toContain(`\n| \`${name}\` | `)
  })

  it.each([...Object.keys(Report.fields), ...Object.keys(Report.fields.totals.fields)])(
    "tells of the report's field `%s`",
    (field) => {
      expect(readme.includes(`\`${field}\``)).toBe(true)
    }
  )
})

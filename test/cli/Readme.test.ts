import { existsSync } from "node:fs"
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
  it("contains the table of exit codes", () => {
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

  it("contains the table of s3's flags", () => {
    const [, section = ""] = readme.split("\n## Flags\n")
    const [table = ""] = section.split("\n## ")
    const found = table.replaceAll("`", "").match(/^\| --[a-z].*$/gm)
    const expected = Object.values(s3Flags).map((flag) => {
      const value = flag.value === undefined ? "" : ` ${flag.value.replace("|", "\\|")}`
      const fallback = flag.required ? "required" : (flag.default ?? "")
      return `| --${flag.name}${value}${flag.repeated ? " …" : ""} | ${fallback} | ${flag.description} |`
    })
    expect(found).toEqual(expected)
  })

  it.each(DropIns.names)("documents the drop-in %s", (name) => {
    expect(readme).toContain(`\n| \`${name}\` | `)
  })

  it.each(Object.values(statusFlags).map(({ name }) => name))("documents status --%s", (name) => {
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

describe("docs/former-tool.md", () => {
  const rows = async (section: string) => {
    const text = await readFile(new URL("../../docs/former-tool.md", import.meta.url), "utf8")
    const [table = ""] = text.split(`\n## ${section}\n`)[1]!.split("\n## ")
    return [...table.matchAll(/^\| (?!formerly|---)(.*) \|$/gm)].map(([, row = ""]) => row.split(" | "))
  }

  it("replaces the former program's flags with flags that exist", async () => {
    const known = new Set([...Object.values(s3Flags).map(({ name }) => name), "timeout-sec"])
    const found = (await rows("Flags")).flatMap(([, now = ""]) => [...names(now)])
    expect(found.length).toBeGreaterThan(5)
    expect(found.filter((name) => !known.has(name ?? ""))).toEqual([])
  })

  it("replaces all exit codes of the former program with codes that exist", async () => {
    const found = await rows("Exit codes")
    expect(found.map(([formerly]) => formerly)).toEqual(["0", "1", "2", "3", "10", "11"])
    const codes = found.flatMap(([, , now = ""]) => [...now.matchAll(/\d+/g)].map(([code]) => Number(code)))
    const known = new Set(ExitCode.table.map(({ code }) => code))
    expect(codes.filter((code) => !known.has(code))).toEqual([])
  })
})

describe.each(["README.md", "docs/development.md", "docs/former-tool.md"])("%s", (document) => {
  const root = new URL("../../", import.meta.url)

  it("names only paths that exist", async () => {
    const text = await readFile(new URL(document, root), "utf8")
    const inCode = [...text.matchAll(/`(?:node )?((?:src|test|scripts|docs)\/[^`\s]*)`/g)].map(([, path = ""]) => path)
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = ""]) =>
      new URL(path, new URL(document, root)).pathname.slice(root.pathname.length)
    )
    const paths = [...inCode, ...links]
    expect(paths).not.toEqual([])
    expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
  })

  it("links only to headings that exist", async () => {
    const text = await readFile(new URL(document, root), "utf8")
    const headings = new Set(
      [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w\s-]/g, "")
          .replaceAll(" ", "-")
      )
    )
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor)
    expect(links.filter((anchor) => !headings.has(anchor ?? ""))).toEqual([])
  })
})

import { spawnSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { namesOf } from "../../../src/cli/docs/Help.ts"
import * as Manual from "../../../src/cli/docs/Manual.ts"
import * as ManPage from "../../../src/cli/docs/ManPage.ts"

const page = ManPage.page()

/** The lines of the source with roff escapes resolved. */
const lines = page.split("\n").map((line) =>
  line
    .replaceAll(/\\f[BIR]|\\&/g, "")
    .replaceAll(/\\\[u([0-9A-F]+)\]/g, (_, digits: string) => String.fromCodePoint(parseInt(digits, 16)))
    .replaceAll("\\-", "-")
    .replaceAll("\\(aq", "'")
    .replaceAll("\\(dq", '"')
    .replaceAll("\\(ti", "~")
    .replaceAll("\\(ha", "^")
    .replaceAll("\\(ga", "`")
    .replaceAll("\\(rs", "\\")
)

const section = (heading: string) => {
  const start = lines.indexOf(`.SH "${heading}"`) + 1
  const end = lines.findIndex((line, at) => at >= start && line.startsWith(".SH"))
  return start === 0 ? [] : lines.slice(start, end)
}

/** Terms with their meanings. */
const items = (of: ReadonlyArray<string>) => {
  const found: Array<readonly [term: string, meaning: string]> = []
  of.forEach((line, at) => {
    if (line === ".TP") found.push([of[at + 1]!, of[at + 2]!])
  })
  return found
}

describe("the manual page", () => {
  it("has the usual sections in their usual order", () => {
    const headings = lines.filter((line) => line.startsWith(".SH")).map((line) => line.slice(5, -1))
    const usual = ["NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"]
    expect(headings.filter((heading) => !heading.startsWith("OPTIONS OF"))).toEqual(usual)
    expect(headings.filter((heading) => heading.startsWith("OPTIONS OF"))).toEqual([
      "OPTIONS OF S3",
      "OPTIONS OF CHECK",
      "OPTIONS OF POLICY",
      "OPTIONS OF UNITS",
      "OPTIONS OF STATUS",
      "OPTIONS OF VERIFY"
    ])
  })

  it.each(Object.entries(Manual.commands))("describes each flag of %s once, as --help does", (name, { flags }) => {
    const described = items(section(`OPTIONS OF ${name.toUpperCase()}`))
    expect(described.map(([term]) => term)).toEqual(
      flags.map(
        (flag) =>
          `${namesOf(flag)}${flag.value === undefined ? "" : ` ${flag.value}`}${flag.value !== undefined && flag.repeated ? " …" : ""}`
      )
    )
    for (const [at, { default: standard, description, env }] of flags.entries()) {
      const [, meaning = ""] = described[at] ?? []
      expect(meaning).toContain(description)
      expect(meaning.includes(`default: ${standard}`)).toBe(standard !== undefined)
      for (const variable of env) expect(meaning).toContain(variable)
    }
  })

  it("lists the variables of each flag", () => {
    const meanings = new Map(items(section("ENVIRONMENT")))
    const flags = new Set(Object.values(Manual.commands).flatMap((command) => command.flags))
    for (const { env, name } of flags) {
      if (env.length > 0) expect(meanings.get(env.join(", "))).toBe(`used if --${name} is not given`)
    }
    expect([...meanings.keys()].some((names) => names.includes("HTTPS_PROXY"))).toBe(true)
  })

  it("shows the examples of --help", () => {
    const text = section("EXAMPLES").join("\n")
    for (const { examples } of Object.values(Manual.commands)) {
      for (const example of examples) expect(text).toContain(example.join(" \\\n    "))
    }
  })

  it("is plain ASCII, whatever the locale", () => {
    expect(page).toMatch(/^[\n\x20-\x7e]*$/)
  })

  it("contains no character that some versions of groff replace with a typographic sign", () => {
    expect(lines.join("\n")).toMatch(/~\/\.local.*'\*\*\/\*\.pcap/s)
    expect(page).not.toMatch(/[~^`']/)
  })
})

const runTool = (command: string, ...args: ReadonlyArray<string>) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    input: page,
    encoding: "utf8",
    env: { ...process.env, MANWIDTH: "80", MANPAGER: "cat", LC_ALL: "C.UTF-8" }
  })
  return { there: error === undefined, status, stderr, stdout }
}

const { there } = runTool("groff", "--version")
if (!there) console.log("groff is not installed: its tests of the manual page are skipped")

describe.skipIf(!there)("groff", () => {
  it("renders the manual page without a warning", () => {
    const { status, stderr } = runTool("groff", "-man", "-Tutf8", "-ww", "-z")
    expect([status, stderr]).toEqual([0, ""])
  })

  it("shows flags as they are typed, in lines that fit the terminal", () => {
    const { stdout } = runTool("groff", "-man", "-Tutf8", "-P-cbou", "-rLL=78n")
    expect(stdout).toContain("--sse MODE")
    expect(stdout).toContain("--include '**/*.pcap.gz' \\")
    expect(stdout).toContain("~/.local/state/ibsr-export")
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([])
  })
})

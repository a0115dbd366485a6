import { spawnSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import * as Manual from "../../../src/cli/docs/Manual.ts"
import * as ManPage from "../../../src/cli/docs/ManPage.ts"

const page = ManPage.page()

/** The source as a reader sees it, line by line. */
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

/** Terms with what is said of them. */
const items = (of: ReadonlyArray<string>) => {
  const found: Array<readonly [term: string, meaning: string]> = []
  of.forEach((line, at) => {
    if (line === ".TP") found.push([of[at + 1]!, of[at + 2]!])
  })
  return found
}

describe("the manual page", () => {
  it("has the sections that people look for, in their usual order", () => {
    const headings = lines.filter((line) => line.startsWith(".SH")).map((line) => line.slice(5, -1))
    const usual = ["NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"]
    expect(headings.filter((heading) => !heading.startsWith("OPTIONS OF"))).toEqual(usual)
    expect(headings.filter((heading) => heading.startsWith("OPTIONS OF"))).toEqual([
      "OPTIONS OF S3",
      "OPTIONS OF STATUS",
      "OPTIONS OF UNITS"
    ])
  })

  it.each(Object.entries(Manual.commands))("tells of each flag of %s once, what --help does", (name, { flags }) => {
    const told = items(section(`OPTIONS OF ${name.toUpperCase()}`))
    expect(told.map(([term]) => term)).toEqual(
      flags.map(
        (flag) =>
          `--${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}${flag.value !== undefined && flag.repeated ? " …" : ""}`
      )
    )
    for (const [at, { default: standard, description, env }] of flags.entries()) {
      const [, meaning = ""] = told[at] ?? []
      expect(meaning).toContain(description)
      expect(meaning.includes(`default: ${standard}`)).toBe(standard !== undefined)
      for (const variable of env) expect(meaning).toContain(variable)
    }
  })

  it("tells of each variable which flag it stands in for", () => {
    const told = new Map(items(section("ENVIRONMENT")))
    const flags = new Set(Object.values(Manual.commands).flatMap(({ flags }) => flags))
    for (const { env, name } of flags) {
      if (env.length > 0) expect(told.get(env.join(", "))).toBe(`stands in for --${name}`)
    }
    expect([...told.keys()].some((names) => names.includes("HTTPS_PROXY"))).toBe(true)
  })

  it("shows the examples of --help", () => {
    const text = section("EXAMPLES").join("\n")
    for (const { examples } of Object.values(Manual.commands)) {
      for (const example of examples) expect(text).toContain(example.join(" \\\n    "))
    }
  })

  it("is plain ASCII, so that no locale spoils it", () => {
    expect(page).toMatch(/^[\n\x20-\x7e]*$/)
  })

  it("has no character that is a typographer's sign to some versions of groff", () => {
    expect(lines.join("\n")).toMatch(/~\/\.local.*'\*\*\/\*\.pcap/s)
    expect(page).not.toMatch(/[~^`']/)
  })
})

const judge = (command: string, ...args: ReadonlyArray<string>) => {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    input: page,
    encoding: "utf8",
    env: { ...process.env, MANWIDTH: "80", MANPAGER: "cat", LC_ALL: "C.UTF-8" }
  })
  return { there: error === undefined, status, stderr, stdout }
}

const { there } = judge("groff", "--version")
if (!there) console.log("There is no groff: the tests that it judges the manual page by are skipped")

describe.skipIf(!there)("groff", () => {
  it("has nothing to warn of", () => {
    const { status, stderr } = judge("groff", "-man", "-Tutf8", "-ww", "-z")
    expect([status, stderr]).toEqual([0, ""])
  })

  it("shows flags as they are typed, and no line is longer than the terminal", () => {
    const { stdout } = judge("groff", "-man", "-Tutf8", "-P-cbou", "-rLL=78n")
    expect(stdout).toContain("--sse MODE")
    expect(stdout).toContain("--include '**/*.pcap.gz' \\")
    expect(stdout).toContain("~/.local/state/ibsr-export")
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([])
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as Help from "../../../src/cli/docs/Help.ts"
import * as Manual from "../../../src/cli/docs/Manual.ts"
import { s3Flags } from "../../../src/cli/flags/S3Flags.ts"
import * as ExitCode from "../../../src/domain/ExitCode.ts"

const flags = Object.values(s3Flags)
const page = Help.page("s3")
const lines = page.split("\n")

/** The lines below a heading, up to the next empty line. */
const section = (heading: string) => {
  const start = lines.indexOf(heading) + 1
  return start === 0 ? [] : lines.slice(start, lines.indexOf("", start))
}

/** The lines about one flag, joined to one. */
const entry = (name: string) => {
  const start = lines.findIndex((line) => line === `  --${name}` || line.startsWith(`  --${name} `))
  const end = lines.findIndex((line, at) => at > start && !line.startsWith("      "))
  return start < 0 ? "" : lines.slice(start, end).join(" ").replaceAll(/\s+/g, " ")
}

describe("s3", () => {
  it.each([
    ["the command's page", page],
    ["the program's page", Help.root]
  ])("prints no escape sequences: %s", (_, text) => {
    expect(text).not.toContain("\u001B")
  })

  it.each(flags.map((flag) => [flag.name, flag] as const))(
    "describes --%s with its variables and its default",
    (name, flag) => {
      const text = entry(name)
      expect(text).toContain(flag.description)
      expect(text.includes(`env: ${flag.env.join(", ")}]`)).toBe(flag.env.length > 0)
      expect(text.includes("required;")).toBe(flag.required)
      expect(text.includes("default: ")).toBe(flag.default !== undefined)
      if (flag.default !== undefined) expect(text).toContain(`default: ${flag.default};`)
      if (flag.value !== undefined) expect(text).toContain(`--${name} ${flag.value}${flag.repeated ? " …" : ""} `)
    }
  )

  it("lists every flag once, under its group", () => {
    for (const flag of flags) {
      const below = section(flag.group.toUpperCase())
      expect(below.filter((line) => line.split(" ")[2] === `--${flag.name}`)).toHaveLength(1)
      expect(lines.filter((line) => line.startsWith("  --") && line.split(" ")[2] === `--${flag.name}`)).toHaveLength(1)
    }
  })

  it("contains the table of exit codes", () => {
    const joined = section("EXIT STATUS").join("\n").replaceAll(/\n {10,}/g, " ")
    const rows = joined.split("\n").flatMap((line) => {
      const [, code, name, meaning, star] = /^ +(\d+) {2}(\S+) +(.*?)( \*)?$/.exec(line) ?? []
      return code === undefined ? [] : [{ code: Number(code), name, meaning, retrySoon: star !== undefined }]
    })
    expect(rows).toEqual(ExitCode.table)
  })

  it("explains the star after an exit code", () => {
    expect(section("EXIT STATUS").at(-1)).toMatch(/^ {2}\* .*again/)
  })

  it("fits into 79 columns, except for longer words", () => {
    expect(lines.length).toBeGreaterThan(flags.length)
    expect(lines.filter((line) => line.length > 79 && line.trim().includes(" "))).toEqual([])
  })

  it("uses only existing flags in examples", () => {
    const names = new Set(flags.map((flag) => `--${flag.name}`))
    const used = page.slice(page.indexOf("EXAMPLES")).match(/--[a-z0-9-]+/g) ?? []
    expect(used.length).toBeGreaterThan(0)
    expect(used.filter((name) => !names.has(name))).toEqual([])
  })
})

describe("the program's page", () => {
  it("lists every command and fits into 79 columns", () => {
    for (const word of Object.keys(Manual.words)) expect(Help.root).toContain(`  ibsr-export ${word} `)
    expect(Help.root.split("\n").filter((line) => line.length > 79)).toEqual([])
    expect(Help.page(undefined)).toBe(Help.root)
    expect(Help.page("constructor")).toBe(Help.root)
  })
})

describe.each(Object.entries(Manual.commands))("%s", (name, command) => {
  const text = Help.page(name)

  it("shows summary, usage and exit codes", () => {
    expect(text.startsWith(`ibsr-export ${name}: ${command.summary}\n`)).toBe(true)
    expect(text).toContain(`\n  ibsr-export ${name} ${command.usage}\n`)
    for (const { code, meaning, name: codeName } of command.exits) {
      expect(text.replaceAll(/\n {10,}/g, " ")).toContain(`\n  ${String(code).padStart(3)}  ${codeName.padEnd(22)}${meaning}`)
    }
  })

  it("has a short page with the most common flags and a reference to the full page", () => {
    const short = Help.page(name, true)
    for (const flag of command.usual) expect(short).toContain(`\n  --${flag.name}`)
    expect(short.split("\n").length).toBeLessThan(25)
    expect(short.endsWith(`\nSee 'ibsr-export ${name} --help'.`)).toBe(true)
  })

  it("lists the flags of its command, and the variables of those that have variables", () => {
    for (const flag of command.flags) expect(text).toContain(`\n  ${Help.namesOf(flag)}`)
    expect(text).not.toContain("[]")
    expect(text).not.toContain("env: ]")
  })
})

it("makes headings bold, and nothing else", () => {
  expect(Help.withBoldHeadings("a\n\nEXIT STATUS\n  10  A B\nUSAGE")).toBe(
    "a\n\n\u001B[1mEXIT STATUS\u001B[0m\n  10  A B\n\u001B[1mUSAGE\u001B[0m"
  )
})

import { describe, expect, it } from "@effect/vitest"
import * as Journal from "../../src/report/Journal.ts"

describe("Journal.prefixed", () => {
  it.each([
    ["error", "<3>"],
    ["warning", "<4>"],
    ["notice", "<5>"],
    ["info", "<6>"],
    ["debug", "<7>"]
  ] as const)("marks severity %s as %s", (severity, prefix) => {
    expect(Journal.prefixed({ text: "a <b>", severity })).toBe(`${prefix}a <b>`)
  })

  it.each([
    ["a\n  b\nc", "<3>a\n<3>  b\n<3>c"],
    ["a\n\nb", "<3>a\n<3>\n<3>b"],
    ["", "<3>"],
    // Unicode treats these as line breaks, but journald does not
    ["a\rb\u2028c", "<3>a\rb\u2028c"]
  ])("marks each line that journald sees: %j", (text, prefixed) => {
    expect(Journal.prefixed({ text, severity: "error" })).toBe(prefixed)
  })
})

describe("Journal.isStream", () => {
  it.each([
    ["9:4711", true],
    ["9:4712", false],
    ["8:4711", false],
    ["4711:9", false],
    ["9:471", false],
    ["", false],
    [undefined, false]
  ])("given JOURNAL_STREAM=%s, device 9 and inode 4711, returns %s", (variable, expected) => {
    expect(Journal.isStream(variable, { dev: 9n, ino: 4711n })).toBe(expected)
  })

  it("compares all digits of a 64-bit inode", () => {
    expect(Journal.isStream("9:18446744073709551615", { dev: 9n, ino: 18_446_744_073_709_551_615n })).toBe(true)
    expect(Journal.isStream("9:18446744073709551614", { dev: 9n, ino: 18_446_744_073_709_551_615n })).toBe(false)
  })
})

import { describe, expect, it } from "@effect/vitest"
import * as Text from "../../src/report/Text.ts"

describe("unprintable characters", () => {
  it.each([
    ["a line break", "a\nb", "a\\nb"],
    ["a tab", "a\tb", "a\\tb"],
    ["a control character", "\u001B[2J", "\\033[2J"],
    ["DEL", "\u007F", "\\177"],
    ["an 8-bit control character", "\u009B2J", "\\302\\2332J"],
    ["a line separator", "a\u2028b", "a\\342\\200\\250b"],
    ["an override of the direction", "a\u202Eb", "a\\342\\200\\256b"],
    ["a lone surrogate", "\uD800", "\\357\\277\\275"]
  ])("are escaped as in `ls -b`: %s", (_, text, escaped) => {
    expect(Text.escapeControls(text)).toBe(escaped)
  })

  it("are escaped in JSON, which still has the same value", () => {
    const value = { name: "\u0000\u009B\u202E\u2028\u{E0001}é😀" }
    expect(Text.json(value)).toBe(`{"name":"\\u0000\\u009b\\u202e\\u2028\\udb40\\udc01é😀"}`)
    expect(JSON.parse(Text.json(value))).toEqual(value)
  })

  it("are the only ones that are escaped", () => {
    expect(Text.escapeControls("é 日本 😀 a\\b")).toBe("é 日本 😀 a\\b")
  })
})

describe("a sentence", () => {
  it.each([
    ["check the key", "Check the key."],
    ["wait.", "Wait."],
    ["--sse was given", "--sse was given."],
    ["s3:PutObject is needed", "s3:PutObject is needed."],
    ["AWS_REGION is empty", "AWS_REGION is empty."]
  ])("has a capital letter, unless it begins with a name, and a full stop: %s", (text, sentence) => {
    expect(Text.sentence(text)).toBe(sentence)
  })
})

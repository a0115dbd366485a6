import { describe, expect, it } from "vitest"
import * as Quoting from "../../src/units/Quoting.ts"

// systemd 252 passes each of these values on unchanged, as one word
const rows: ReadonlyArray<[text: string, argument: string, word: string]> = [
  ["--bucket=b", "--bucket=b", "--bucket=b"],
  ["/var/lib/a,b@c:d+e.f", "/var/lib/a,b@c:d+e.f", "/var/lib/a,b@c:d+e.f"],
  ["a b", '"a b"', '"a b"'],
  ["", '""', '""'],
  [";", '";"', '";"'],
  ["%n", "%%n", "%%n"],
  ["100% of", '"100%% of"', '"100%% of"'],
  ["$HOME", '"$$HOME"', '"$HOME"'],
  ["${a} $$", '"$${a} $$$$"', '"${a} $$"'],
  [`a"b'c`, `"a\\"b'c"`, `"a\\"b'c"`],
  ["a\\nb\\", '"a\\\\nb\\\\"', '"a\\\\nb\\\\"'],
  ["a\nb\rc\td", '"a\\nb\\rc\\td"', '"a\\nb\\rc\\td"'],
  ["\u0001\u001B\u007F", '"\\x01\\x1b\\x7f"', '"\\x01\\x1b\\x7f"'],
  ["日本/ü/😀", '"日本/ü/😀"', '"日本/ü/😀"'],
  ["**/*.{a,b}", '"**/*.{a,b}"', '"**/*.{a,b}"']
]

describe("quoting for systemd", () => {
  it.each(rows)("preserves %j as an argument, in which systemd expands nothing", (text, argument) => {
    expect(Quoting.argument(text)).toBe(argument)
  })

  it.each(rows)("preserves %j as a path, in which systemd expands only specifiers", (text, _, word) => {
    expect(Quoting.word(text)).toBe(word)
  })
})

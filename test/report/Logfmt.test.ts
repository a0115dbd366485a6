import { expect, it } from "@effect/vitest"
import * as Logfmt from "../../src/report/Logfmt.ts"

it.each([
  [{ exit: 0, ok: true, name: "a-b/c" }, "exit=0 ok=true name=a-b/c"],
  [{ name: "two words" }, `name="two words"`],
  [{ name: `a"b=c` }, `name="a\\"b=c"`],
  [{ name: "a\nb" }, `name="a\\nb"`],
  [{ name: "\u001B[2J" }, `name="\\u001b[2J"`],
  [{ name: "\u009B2J" }, `name="\\u009b2J"`],
  [{ name: "a\u202Eb" }, `name="a\\u202eb"`],
  [{ name: "" }, `name=""`]
])("quotes a value only if necessary: %j", (fields, line) => {
  expect(Logfmt.line(fields as Parameters<typeof Logfmt.line>[0])).toBe(line)
})

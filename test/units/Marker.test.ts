import { Either } from "effect"
import { describe, expect, it } from "vitest"
import { type File, namesOf } from "../../src/units/Job.ts"
import { decide, identityOf, mark } from "../../src/units/Marker.ts"

const body = "[Service]\n"

const file = (identity: string | undefined, isExample = false): File => ({
  folder: "/etc/systemd/system",
  name: "a",
  text: mark(identity, body),
  isExample
})

const mine = "--input=/a --bucket=b"
const write = Either.right("write")
const keep = Either.right("keep")
const changed = Either.left("was changed after `units` had made it")
const foreign = Either.left("was not made by `units`")

describe("an existing file", () => {
  it.each([
    ["does not exist", undefined, file(mine), write],
    ["has the same text", file(mine).text, file(mine), write],
    ["was made for the same job, with another text", mark(mine, "[Service]\nNice=1\n"), file(mine), write],
    ["was printed, with its path, and saved", `# /etc/cron.d/a\n${mark(mine, "1 * * * *\n")}`, file(mine), write],
    [
      "was made for another job",
      mark("--input=/c", body),
      file(mine),
      Either.left("belongs to another job (--input=/c)")
    ],
    ["was made for any job", mark(undefined, "[Service]\nNice=1\n"), file(undefined), write],
    ["was changed: a line was added", `${file(mine).text}Nice=1\n`, file(mine), changed],
    ["was changed: its job", file(mine).text.replace("/a", "/c"), file(mine), changed],
    ["was changed: a line is gone", mark(mine, `${body}Nice=1\n`).replace("Nice=1\n", ""), file(mine), changed],
    ["has no marker", body, file(mine), foreign],
    ["is empty", "", file(mine), foreign],
    ["has a marker further down", `\n\n${file(mine).text}`, file(mine), foreign],
    ["is an unchanged example", mark(undefined, "older\n"), file(undefined, true), write],
    ["is an example that was changed", `${file(undefined).text}# mine\n`, file(undefined, true), keep],
    ["has the name of an example", body, file(undefined, true), keep]
  ])("that %s", (_, existing, wanted, expected) => {
    expect(decide(existing, wanted)).toEqual(expected)
  })
})

describe("the identity of a job", () => {
  it.each([
    [[], "the variables in /etc/ibsr-export/export-x.env"],
    [["--quiet"], "the variables in /etc/ibsr-export/export-x.env"],
    [["--bucket=b", "--force", "--input=/a"], "--input=/a --bucket=b"],
    [
      ["--endpoint=https://s:1", "--prefix=p", "--bucket=b", "--input=/a"],
      "--input=/a --bucket=b --prefix=p --endpoint=https://s:1"
    ],
    [["--input=/a\n[Service]"], '"--input=/a\\n[Service]"'],
    [["--input=/a b"], '"--input=/a b"']
  ])("with the flags %j is %s", (flags, identity) => {
    expect(identityOf({ args: ["s3", ...flags], names: namesOf("x") })).toBe(identity)
  })
})

import { readFile } from "node:fs/promises"
import { describe, expect, it } from "vitest"
import * as Help from "../../src/cli/docs/Help.ts"
import * as ManPage from "../../src/cli/docs/ManPage.ts"
import * as ExitCode from "../../src/domain/ExitCode.ts"
import * as Service from "../../src/units/Service.ts"
import { jobWith } from "../fixtures/Job.ts"

interface Row {
  readonly code: number
  readonly name: string
  readonly meaning: string
  readonly retrySoon: boolean
}

/** The exit codes of `s3` in a text; `shape` has a group for each column. */
const read = (text: string, shape: RegExp, soon: string): ReadonlyArray<Row> =>
  [...text.matchAll(shape)].map(([, code, name = "", meaning = "", retry]) => ({
    code: Number(code),
    name,
    meaning,
    retrySoon: retry === soon
  }))

const manPage = ManPage.page().replaceAll("\\-", "-")
const exitStatusOfS3 = manPage.slice(manPage.indexOf('.SH "EXIT STATUS"')).split('.SS "Of ')[0] ?? ""

const unit = Service.text(jobWith())
const setting = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1]?.match(/\d+/g)?.map(Number)

describe("the exit codes", () => {
  it("are the same table in the code, --help, the manual page and the README", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8")
    const texts = {
      help: read(Help.page("s3").replaceAll(/\n {10,}/g, " "), /^ +(\d+) {2}(\S+) +(.*?)( \*)?$/gm, " *"),
      manual: read(exitStatusOfS3, /^\.TP\n\\fB(\d+)\\fR (\S+)\n(.*?)( \*)?$/gm, " *"),
      readme: read(readme, /^\| (\d+) \| ([a-z-]+) \| (.*) \| (yes|no) \|$/gm, "yes")
    }
    for (const rows of Object.values(texts)) expect(rows).toEqual(ExitCode.table)
  })

  it("match RestartPreventExitStatus, which adds systemd's own setup failures", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8")
    const hopeless = read(readme, /^\| (\d+) \| ([a-z-]+) \| (.*) \| (yes|no) \|$/gm, "yes")
      .filter(({ code, retrySoon }) => !retrySoon && code !== 0)
      .map(({ code }) => code)
    const prevented = setting("RestartPreventExitStatus") ?? []
    expect(hopeless.length).toBeGreaterThan(10)
    expect(prevented.filter((code) => code < 200)).toEqual(hopeless)
    expect(prevented.filter((code) => code >= 200)).toEqual([200, 203, 216, 217, 226, 238, 243])
    expect(setting("SuccessExitStatus")).toEqual([ExitCode.ofSignal.SIGTERM.code])
  })
})

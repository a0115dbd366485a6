import { execFileSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import * as Crontab from "../../src/units/Crontab.ts"
import { namesOf } from "../../src/units/Job.ts"
import { jobWith } from "../fixtures/Job.ts"

const job = (...args: ReadonlyArray<string>) => jobWith({ args: ["s3", ...args], user: "ibsr" })

/** The only line that is not a comment. */
const jobLine = (text: string) => text.split("\n").find((line) => !line.startsWith("#"))!

/** The command of the line, without the time and the user. */
const command = (text: string) => jobLine(text).split(" ").slice(6).join(" ")

/** Like Debian's cron and cronie: removes a backslash before `%` or `\`, and keeps any other. */
const throughCron = (text: string) => {
  let out = ""
  for (let at = 0; at < text.length; at++) {
    const next = text[at + 1]
    if (text[at] === "%") throw new Error("ends here")
    if (text[at] === "\\" && (next === "%" || next === "\\")) out += text[++at]
    else out += text[at]
  }
  return out
}

/** As crontab(5) says: removes a backslash only before `%`. */
const throughPlainCron = (text: string) => text.replaceAll("\\%", "%")

const throughShell = (text: string) =>
  execFileSync("/bin/sh", ["-c", `run() { printf '%s\\0' "$@"; }; run ${text}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1)

const awkward = [
  ["plain", "a b", "%", "\\%", "\\\\%", "\\", "\\\\", "\\\\\\", "a'b", "\\'", "'%", "'\\%'", "%%", "a\\b\\%c"],
  ['$HOME `id` "q"', "日本/ü", ";", "#", "*", "&", "\\n", "~", "{a,b}", " outer "]
].flat()

describe("the crontab line", () => {
  it.each([
    ["Debian's", throughCron],
    ["a plain", throughPlainCron]
  ])("passes every value unchanged through %s cron and sh", (_, through) => {
    const words = awkward.map((value) => `--include=${value}`)
    const arrived = throughShell(through(command(Crontab.file(job(...words), "h").text)))
    expect(arrived).toEqual(["/usr/bin/ibsr-export", "s3", ...words, "--quiet", "--state-dir=/var/lib/ibsr-export"])
  })

  it("has a minute, a user, --quiet, and a state directory", () => {
    expect(jobLine(Crontab.file(job("--bucket=b"), "host-17").text)).toBe(
      "50 * * * * ibsr /usr/bin/ibsr-export s3 --bucket=b --quiet --state-dir=/var/lib/ibsr-export"
    )
  })

  it("of a named job has its own file, minute, and state directory", () => {
    const named = Crontab.file({ ...job("--bucket=b"), names: namesOf("payload") }, "host-17")
    expect(named.name).toBe("ibsr-upload-payload")
    expect(jobLine(named.text)).toBe(
      "41 * * * * ibsr /usr/bin/ibsr-export s3 --bucket=b --quiet --state-dir=/var/lib/ibsr-export-payload"
    )
  })

  it("keeps the given state directory", () => {
    const { text } = Crontab.file(job("--quiet", "--state-dir=/srv/state"), "h")
    expect(command(text)).toBe("/usr/bin/ibsr-export s3 --quiet --state-dir=/srv/state")
    expect(text).not.toContain("/var/lib/ibsr-export")
  })

  it("ends with a line break, as cron requires", () => {
    expect(Crontab.file(job(), "h").text.endsWith("\n")).toBe(true)
  })
})

describe("the minute", () => {
  it("is constant for a job of a host, and late enough for the previous hour to be final", () => {
    const minuteOf = (at: number) => Crontab.minute(`host-${at}.example.com`, "ibsr-upload")
    const minutes = Array.from({ length: 1000 }, (_, at) => minuteOf(at))
    expect(minutes).toEqual(minutes.map((_, at) => minuteOf(at)))
    expect(Math.min(...minutes)).toBe(3)
    expect(Math.max(...minutes)).toBe(59)
    const busiest = Math.max(...[...Map.groupBy(minutes, (minute) => minute).values()].map(({ length }) => length))
    expect(busiest).toBeLessThan(60)
  })
})

describe("error messages", () => {
  it.each([
    [{ ...job(), user: undefined }, ["--cron needs --user, the user that cron runs it as"]],
    [{ ...job(), groups: ["g"] }, ["--group: cron uses the groups of the user; add the user to the group instead"]],
    [job("--include=a\nb"), ["--cron: a crontab line cannot contain a line break"]],
    // the rest of the command has 75 bytes; the limit was measured with Debian's crontab(1)
    [job(`--include=${"x".repeat(923)}`), []],
    [job(`--include=${"x".repeat(924)}`), ["--cron: cron accepts commands of up to 998 bytes"]],
    [job(`--include=${"ü".repeat(461)}`), ["--cron: cron accepts commands of up to 998 bytes"]],
    [job(), []]
  ])("name each problem of a job that cron cannot run: %#", (wanted, problems) => {
    expect(Crontab.problems(wanted)).toEqual(problems)
  })
})

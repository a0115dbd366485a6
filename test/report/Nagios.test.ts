import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import * as ExitCode from "../../src/domain/ExitCode.ts"
import * as Nagios from "../../src/report/Nagios.ts"
import type { Status, Target } from "../../src/report/Status.ts"

const now = Date.parse("2026-11-24T15:00:00.000Z")
const thresholds = { warning: Duration.hours(2), critical: Duration.hours(6) }
const runAt = (millisAgo: number, exitCode: number | null) => {
  const at = new Date(now - millisAgo).toISOString()
  return { id: "r", startedAt: at, endedAt: exitCode === null ? null : at, exitCode, cause: null }
}
const hour = 3_600_000
const target = (
  successAgo: number | undefined,
  lastExit: number | null = 0,
  changed: Partial<Target> = {}
): Target => ({
  bucket: "b",
  prefix: "p",
  endpoint: null,
  region: null,
  input: "/in",
  mostRecent: true,
  lastRun: runAt(0, lastExit),
  lastSuccess: successAgo === undefined ? null : runAt(successAgo, 0),
  lastFailure: null,
  newestFile: null,
  stored: 312,
  storedBytes: 1_100_000,
  waiting: 2,
  oldestWaiting: null,
  lost: 1,
  lostFiles: [],
  ...changed
})
const status = (...targets: ReadonlyArray<Target>): Status => ({
  schemaVersion: 1,
  ledger: "/state/ledger.db",
  nextRun: null,
  targets
})

describe("Nagios.stateOf", () => {
  it.each([
    [undefined, 0, "critical"],
    [undefined, null, "critical"],
    [undefined, 30, "critical"],
    [6 * hour + 1, 0, "critical"],
    [6 * hour + 1, null, "critical"],
    [6 * hour, 0, "warning"],
    [2 * hour + 1, 0, "warning"],
    [2 * hour + 1, null, "warning"],
    [2 * hour + 1, 143, "warning"],
    [2 * hour, 0, "ok"],
    [0, 0, "ok"],
    [0, null, "ok"],
    // small corrections of the clock are normal
    [-5 * 60_000, 0, "ok"],
    // the clock was ahead: nobody knows how long ago that was
    [-5 * 60_000 - 1, 0, "critical"],
    [-100_000 * hour, 32, "critical"],
    [-100_000 * hour, null, "critical"],
    // an exit code that only another version has
    [0, 99, "warning"],
    ...ExitCode.table
      .filter(({ code }) => code !== 0)
      .map(({ code, name, retrySoon }) => {
        const failed = retrySoon ? "warning" : "critical"
        return [0, code, name === "interrupted" ? "ok" : failed] as const
      })
  ] as const)("given a last success %s ms ago and last exit code %s, returns %s", (ago, exit, state) => {
    expect(Nagios.stateOf(target(ago, exit), thresholds, now)).toBe(state)
  })

  it("returns ok without a last run, if the last success is recent", () => {
    expect(Nagios.stateOf(target(0, 0, { lastRun: null }), thresholds, now)).toBe("ok")
  })
})

describe("Nagios.inUse", () => {
  const ranAgo = (millis: number, success: number | undefined, changed: Partial<Target> = {}) =>
    target(success, 23, { prefix: `${millis}`, lastRun: runAt(millis, 23), mostRecent: false, ...changed })
  const counted = (...targets: ReadonlyArray<Target>) =>
    Nagios.inUse(targets, thresholds, now).map(({ prefix }) => Number(prefix))
  it("keeps targets that have ever succeeded, and targets that were tried recently", () => {
    expect(counted(ranAgo(0, 0), ranAgo(7 * hour, undefined))).toEqual([0])
    expect(counted(ranAgo(0, 0), ranAgo(6 * hour, undefined))).toEqual([0, 6 * hour])
    expect(counted(ranAgo(0, 0), ranAgo(7 * hour, 8 * hour))).toEqual([0, 7 * hour])
  })

  it("always keeps the target of the ledger's last run, even if the clock was wrong", () => {
    const last = { mostRecent: true }
    expect(counted(ranAgo(7 * hour, undefined), ranAgo(8 * hour, undefined, last))).toEqual([8 * hour])
    expect(counted(ranAgo(-8 * hour, undefined), ranAgo(9 * hour, undefined, last))).toEqual([9 * hour])
    expect(Nagios.check(status(ranAgo(8 * hour, undefined, last)), thresholds, now).code).toBe(2)
  })
})

describe("the plugin output", () => {
  it("has performance data after the pipe", () => {
    expect(Nagios.check(status(target(12 * 60_000)), thresholds, now)).toEqual({
      code: 0,
      line:
        "IBSR-EXPORT OK - s3://b/p: last success 12 min 0 s ago, last run exit 0 (ok), 2 waiting, 1 lost | " +
        "age=720s;7200;21600;0 waiting=2;;;0 lost=1;;;0 stored=312;;;0 stored_bytes=1100000B;;;0"
    })
  })

  it.each([
    [target(3 * hour), 1, "WARNING - s3://b/p: last success 3 h 0 min ago, last run exit 0 (ok), "],
    [target(7 * hour, 30), 2, "CRITICAL - s3://b/p: last success 7 h 0 min ago, last run exit 30 (network), "],
    [
      target(-24 * hour, 32),
      2,
      "CRITICAL - s3://b/p: last success in the future (2026-11-25T15:00:00.000Z): the host's clock was ahead, last run exit 32 (unavailable), "
    ],
    [target(undefined, null), 2, "CRITICAL - s3://b/p: never succeeded, last run not ended, "],
    [target(undefined, 0, { lastRun: null }), 2, "CRITICAL - s3://b/p: never succeeded, no run, "]
  ])("gives the reasons for its state: %#", (reported, code, text) => {
    const answer = Nagios.check(status(reported), thresholds, now)
    expect(answer.code).toBe(code)
    expect(answer.line.startsWith(`IBSR-EXPORT ${text}`)).toBe(true)
  })

  it("has age=U if no run has succeeded", () => {
    expect(Nagios.check(status(target(undefined)), thresholds, now).line).toContain("| age=U;7200;21600;0 ")
  })

  it("has the state of the worst target, names it first, and labels performance data by target", () => {
    const [good, bad] = [target(0), target(7 * hour, 0, { prefix: "q" })]
    const { code, line } = Nagios.check(status(good, bad), thresholds, now)
    expect(code).toBe(2)
    expect(line).toMatch(/^IBSR-EXPORT CRITICAL - s3:\/\/b\/q: .*; s3:\/\/b\/p: .* \| 's3:\/\/b\/q age'=25200s;/)
    expect(line).toContain(" 's3://b/p age'=0s;")
  })

  it("escapes special characters in a name", () => {
    const odd = target(0, 0, { prefix: "a|b'c=d\ne" })
    const { line } = Nagios.check(status(odd, odd), thresholds, now)
    expect(line.split("|")).toHaveLength(2)
    expect(line).not.toContain("\n")
    expect(line.split("|")[1]).toContain("'s3://b/a_b_c_d\\ne age'=0s;")
  })

  it("is UNKNOWN if no run has used the ledger or the ledger cannot be read", () => {
    expect(Nagios.check(status(), thresholds, now)).toEqual({
      code: 3,
      line: "IBSR-EXPORT UNKNOWN - no run has used /state/ledger.db yet"
    })
    expect(Nagios.unknown("a|b\nc")).toEqual({ code: 3, line: "IBSR-EXPORT UNKNOWN - a¦b\\nc" })
  })
})

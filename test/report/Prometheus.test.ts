import { describe, expect, it } from "@effect/vitest"
import { DeadlineExceeded } from "../../src/domain/Errors.ts"
import * as Outcome from "../../src/domain/Outcome.ts"
import * as Prometheus from "../../src/report/Prometheus.ts"
import { reportOf, uploaded } from "../fixtures/Report.ts"
import { statusTarget } from "../fixtures/StatusTarget.ts"

const { Excluded, Unchanged } = Outcome.Outcome

const failed = { endedBy: new DeadlineExceeded({ deadline: "5 s" }) }
const facts = (changed: Partial<Prometheus.Facts> = {}): Prometheus.Facts => ({
  report: reportOf([uploaded(7, 3), Unchanged(), Unchanged(), Excluded()], {
    ...failed,
    traits: { checksum: "SHA256", clockOffsetMillis: -2000, unencrypted: false }
  }),
  remembered: statusTarget,
  previous: undefined,
  ...changed
})

/** The value of a metric without labels of its own. */
const valueOf = (name: string, changed: Partial<Prometheus.Facts>) => {
  const line = Prometheus.render(facts(changed))
    .split("\n")
    .find((text) => text.startsWith(`ibsr_export_${name}{`))
  return line === undefined ? undefined : Number(line.split(" ").at(-1))
}

describe("the metrics", () => {
  it("describe the run and the ledger, each with HELP and TYPE", () => {
    const rendered = Prometheus.render(facts())
    expect(rendered.endsWith("\n")).toBe(true)
    expect(rendered.split("\n").filter((line) => !line.startsWith("#"))).toEqual([
      `ibsr_export_build_info{target="s3://b/p",version="1.2.3"} 1`,
      `ibsr_export_last_run_timestamp_seconds{target="s3://b/p"} 0.84`,
      `ibsr_export_last_run_duration_seconds{target="s3://b/p"} 0.84`,
      `ibsr_export_last_run_exit_code{target="s3://b/p"} 33`,
      `ibsr_export_last_success_timestamp_seconds{target="s3://b/p"} 0.25`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="uploaded"} 1`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="unchanged"} 2`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="skipped"} 0`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="excluded"} 1`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="not_ready"} 0`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="live"} 0`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="vanished"} 0`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="failed"} 0`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="interrupted"} 0`,
      `ibsr_export_last_run_files{target="s3://b/p",outcome="not_tried"} 0`,
      `ibsr_export_last_run_uploaded_bytes{target="s3://b/p"} 7`,
      `ibsr_export_last_run_object_bytes{target="s3://b/p"} 3`,
      `ibsr_export_last_run_resumed_bytes{target="s3://b/p"} 0`,
      `ibsr_export_last_run_retries{target="s3://b/p"} 0`,
      `ibsr_export_last_run_lost_files{target="s3://b/p"} 0`,
      `ibsr_export_last_run_files_at_risk{target="s3://b/p"} 0`,
      `ibsr_export_clock_offset_seconds{target="s3://b/p"} -2`,
      `ibsr_export_waiting_files{target="s3://b/p"} 2`,
      `ibsr_export_oldest_waiting_timestamp_seconds{target="s3://b/p"} 0.5`,
      `ibsr_export_stored_files{target="s3://b/p"} 312`,
      `ibsr_export_stored_bytes{target="s3://b/p"} 1100000000`,
      `ibsr_export_lost_files_total{target="s3://b/p"} 3`,
      ""
    ])
    const names = new Set([...rendered.matchAll(/^(\w+)\{/gm)].map(([, name]) => name))
    expect(names.size).toBe(18)
    for (const name of names) {
      const type = name!.endsWith("_total") ? "counter" : "gauge"
      expect(rendered).toMatch(new RegExp(`^# HELP ${name} .+\\n# TYPE ${name} ${type}\\n${name}\\{`, "m"))
    }
  })

  it("omit unknown values", () => {
    const unknown = facts({ report: reportOf([]), remembered: undefined })
    const names = [...Prometheus.render(unknown).matchAll(/^# TYPE ibsr_export_(\w+)/gm)].map(([, name]) => name)
    expect(names).not.toContain("clock_offset_seconds")
    expect(names).not.toContain("waiting_files")
    expect(names).not.toContain("lost_files_total")
    expect(names).toContain("last_success_timestamp_seconds")
    expect(valueOf("oldest_waiting_timestamp_seconds", { remembered: { ...statusTarget, oldestWaiting: null } })).toBe(
      undefined
    )
  })

  it("escape special characters in a label", () => {
    const report = reportOf([])
    const odd = { ...report, target: { ...report.target, prefix: `a"b\\c\nd` } }
    expect(Prometheus.render(facts({ report: odd }))).toContain(`{target="s3://b/a\\"b\\\\c\\\\nd"} `)
  })
})

describe("the published time of the last success", () => {
  const good = reportOf([])
  const bad = reportOf([], failed)
  const never = { ...statusTarget, lastSuccess: null }
  const ahead = { ...never, lastSuccess: { ...statusTarget.lastSuccess!, endedAt: "2040-01-01T00:00:00.000Z" } }
  const published = (at: number, target = "s3://b/p") =>
    `# HELP x\nibsr_export_last_success_timestamp_seconds{target="${target}"} ${at}\n`
  it.each([
    ["is this run", good, statusTarget, undefined, 0.84],
    ["is this run, even if the run could not write to the ledger", good, undefined, published(0.3), 0.84],
    ["is the ledger's", bad, statusTarget, undefined, 0.25],
    ["is the ledger's, if that value is newer than the published one", bad, statusTarget, published(0.1), 0.25],
    ["stays unchanged if the ledger cannot be read", bad, undefined, published(0.3), 0.3],
    ["stays unchanged if the ledger was lost", bad, never, published(0.3), 0.3],
    ["ignores another target's value", bad, never, published(0.3, "s3://b/q"), 0],
    ["ignores a value that is not a number", bad, never, published(Number.NaN), 0],
    ["ignores a value in the future", bad, never, published(1e9), 0],
    ["ignores a success in the ledger in the future", bad, ahead, published(0.3), 0.3],
    ["is this run, even if an earlier one was in the future", good, ahead, published(1e9), 0.84],
    ["is 0 if no run has succeeded", bad, never, undefined, 0]
  ] as const)("%s", (_, report, remembered, before, expected) => {
    expect(valueOf("last_success_timestamp_seconds", { report, remembered, previous: before })).toBe(expected)
  })
})

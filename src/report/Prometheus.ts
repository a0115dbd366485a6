/**
 * A run, and what the ledger says after it, for Prometheus.
 *
 * Sources: "Exposition formats" and "Metric and label naming" in its documentation. A file is all that there is of a
 * job, so several of them lie side by side where their targets differ.
 */
import * as Location from "../domain/Location.ts"
import type { Report } from "./Report.ts"
import type { Target } from "./Status.ts"

export interface Facts {
  readonly report: Report
  /** What the ledger says of its target; undefined where it could not be read, or does not know it. */
  readonly remembered: Target | undefined
  /** What was published before, if anything was. */
  readonly previous: string | undefined
}

interface Metric {
  readonly name: string
  readonly type: "gauge" | "counter"
  readonly help: string
  /** Undefined: not known, so that there is no such line. */
  readonly samples: ReadonlyArray<readonly [labels: Labels, value: number | undefined]>
}

type Labels = Readonly<Record<string, string>>

const gauge = (name: string, help: string, value: number | undefined): Metric => ({
  name,
  type: "gauge",
  help,
  samples: [[{}, value]]
})

const seconds = (iso: string) => Date.parse(iso) / 1000

const endOf = ({ run }: Report) => (Date.parse(run.startedAt) + Math.round(run.durationSeconds * 1000)) / 1000

const lastSuccess = "last_success_timestamp_seconds"

/** Of all that know of one, because a ledger can be lost, and a run may not have been able to write to it; else 0. */
const succeededAt = ({ previous: before, remembered, report }: Facts): number => {
  const target = Location.url(report.target)
  const line = before?.split("\n").find((line) => line.startsWith(`ibsr_export_${lastSuccess}${labelled({ target })} `))
  const published = Number(line?.split(" ").at(-1))
  return Math.max(
    0,
    report.result.exitCode === 0 ? endOf(report) : 0,
    remembered?.lastSuccess?.endedAt == null ? 0 : seconds(remembered.lastSuccess.endedAt),
    Number.isFinite(published) ? published : 0
  )
}

const outcomes = (totals: Report["totals"]): Metric["samples"] => [
  [{ outcome: "uploaded" }, totals.uploaded],
  [{ outcome: "unchanged" }, totals.unchanged],
  [{ outcome: "skipped" }, totals.skipped],
  [{ outcome: "excluded" }, totals.excluded],
  [{ outcome: "not_ready" }, totals.notReady],
  [{ outcome: "live" }, totals.live],
  [{ outcome: "vanished" }, totals.vanished],
  [{ outcome: "failed" }, totals.failed],
  [{ outcome: "interrupted" }, totals.interrupted],
  [{ outcome: "not_tried" }, totals.notTried]
]

const metrics = (facts: Facts): ReadonlyArray<Metric> => {
  const { remembered, report } = facts
  const oldest = remembered?.oldestWaiting
  return [
    {
      name: "build_info",
      type: "gauge",
      help: "What wrote this; always 1.",
      samples: [[{ version: report.tool.version }, 1]]
    },
    gauge("last_run_timestamp_seconds", "When the last run ended.", endOf(report)),
    gauge("last_run_duration_seconds", "How long it took.", report.run.durationSeconds),
    gauge("last_run_exit_code", "Its exit code; 0 is good.", report.result.exitCode),
    gauge(lastSuccess, "When the last run ended that ended with 0; 0 if none has.", succeededAt(facts)),
    {
      name: "last_run_files",
      type: "gauge",
      help: "Files that the last run saw, by what became of them.",
      samples: outcomes(report.totals)
    },
    gauge("last_run_uploaded_bytes", "Bytes of the files that it uploaded.", report.totals.uploadedBytes),
    gauge(
      "last_run_object_bytes",
      "Bytes of their objects, which are fewer if they are compressed.",
      report.totals.objectBytes
    ),
    gauge(
      "last_run_resumed_bytes",
      "Bytes of them that an earlier run had sent, in uploads that this one went on with.",
      report.totals.resumedBytes
    ),
    gauge("last_run_retries", "Requests that it sent once more.", report.totals.retries),
    gauge(
      "last_run_lost_files",
      "Files that were rotated away before all of them was stored, since the run before it.",
      report.totals.lost
    ),
    gauge(
      "last_run_files_at_risk",
      "Files not wholly stored that will be rotated away before the next run; 100 at most.",
      report.filesAtRisk.length
    ),
    gauge(
      "clock_offset_seconds",
      "What the store's clock has in advance of this host's; missing if the last run asked it nothing.",
      report.store?.clockOffsetSeconds
    ),
    gauge("waiting_files", "Files of which something was seen that is not stored.", remembered?.waiting),
    gauge(
      "oldest_waiting_timestamp_seconds",
      "Since when the oldest of them waits; missing if none does.",
      oldest == null ? undefined : seconds(oldest.since)
    ),
    gauge("stored_files", "Files of which something is stored.", remembered?.stored),
    gauge("stored_bytes", "What is stored of them, in bytes, before any compression.", remembered?.storedBytes),
    {
      name: "lost_files_total",
      type: "counter",
      help: "Files that were rotated away before all of them was stored, ever.",
      samples: [[{}, remembered?.lost]]
    }
  ]
}

const labelled = (labels: Labels) => {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    return `${name}="${escaped}"`
  })
  return `{${pairs.join(",")}}`
}

/** The whole file. */
export const render = (facts: Facts): string => {
  const target = Location.url(facts.report.target)
  return metrics(facts)
    .flatMap(({ help, name, samples, type }) => {
      const full = `ibsr_export_${name}`
      const known = samples.flatMap(([labels, value]) =>
        value === undefined ? [] : [`${full}${labelled({ target, ...labels })} ${value}\n`]
      )
      return known.length === 0 ? [] : [`# HELP ${full} ${help}\n`, `# TYPE ${full} ${type}\n`, ...known]
    })
    .join("")
}

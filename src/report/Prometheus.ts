/**
 * Metrics of a run, and of the ledger after that run, for Prometheus. Every sample has the target as a label, because jobs
 * for different targets write different files.
 *
 * Sources: "Exposition formats" and "Metric and label naming" in the Prometheus documentation.
 */
import * as Location from "../domain/Location.ts"
import type { Report } from "./Report.ts"
import { isFuture, type Target } from "./Status.ts"
import { escapeControls } from "./Text.ts"

export interface Facts {
  readonly report: Report
  /** The target in the ledger; undefined if the ledger is unreadable or does not know the target. */
  readonly remembered: Target | undefined
  /** The content of the previous run's file, if there is one. */
  readonly previous: string | undefined
}

interface Metric {
  readonly name: string
  readonly type: "gauge" | "counter"
  readonly help: string
  /** A sample whose value is undefined is left out. */
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

/**
 * The time of the latest known success, or 0. The ledger alone is not enough: it may be lost, or a run may have failed
 * to write to it. A success in the future counts as unknown, because it would hide later failures.
 */
const succeededAt = ({ previous, remembered, report }: Facts): number => {
  const target = Location.url(report.target)
  const start = `ibsr_export_${lastSuccess}${labelled({ target })} `
  const sample = previous?.split("\n").find((line) => line.startsWith(start))
  const published = Number(sample?.split(" ").at(-1))
  const now = endOf(report)
  const known = [
    report.result.exitCode === 0 ? now : 0,
    remembered?.lastSuccess?.endedAt == null ? 0 : seconds(remembered.lastSuccess.endedAt),
    Number.isFinite(published) ? published : 0
  ]
  return Math.max(0, ...known.filter((time) => !isFuture(time * 1000, now * 1000)))
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
      help: "The version that wrote this; always 1.",
      samples: [[{ version: report.tool.version }, 1]]
    },
    gauge("last_run_timestamp_seconds", "When the last run ended.", endOf(report)),
    gauge("last_run_duration_seconds", "How long the last run took.", report.run.durationSeconds),
    gauge("last_run_exit_code", "Exit code of the last run; 0 is success.", report.result.exitCode),
    gauge(lastSuccess, "When the last successful run ended; 0 if there is none.", succeededAt(facts)),
    {
      name: "last_run_files",
      type: "gauge",
      help: "Files that the last run saw, by outcome.",
      samples: outcomes(report.totals)
    },
    gauge("last_run_uploaded_bytes", "Bytes of the files that the last run uploaded.", report.totals.uploadedBytes),
    gauge(
      "last_run_object_bytes",
      "Bytes of the objects of these files: fewer if compressed.",
      report.totals.objectBytes
    ),
    gauge(
      "last_run_resumed_bytes",
      "Bytes of these files that an earlier run had sent, in multipart uploads that the last run resumed.",
      report.totals.resumedBytes
    ),
    gauge("last_run_retries", "Requests that the last run sent again.", report.totals.retries),
    gauge(
      "last_run_lost_files",
      "Files rotated away before they were completely stored, since the run before.",
      report.totals.lost
    ),
    gauge(
      "last_run_files_at_risk",
      "Files not completely stored that will be rotated away before the next run; at most 100.",
      report.filesAtRisk.length
    ),
    gauge(
      "clock_offset_seconds",
      "How far the store's clock is ahead of this host's; missing if the last run sent no request.",
      report.store?.clockOffsetSeconds
    ),
    gauge("waiting_files", "Files that are not completely stored.", remembered?.waiting),
    gauge(
      "oldest_waiting_timestamp_seconds",
      "Since when the oldest of these files has been waiting; missing if there is none.",
      oldest == null ? undefined : seconds(oldest.since)
    ),
    gauge(
      "newest_file_timestamp_seconds",
      "When a file last changed, of those that are at least partly stored; missing if there is none.",
      remembered?.newestFile == null ? undefined : seconds(remembered.newestFile.changedAt)
    ),
    gauge("stored_files", "Files that are at least partly stored.", remembered?.stored),
    gauge("stored_bytes", "Bytes of these files that are stored, before compression.", remembered?.storedBytes),
    {
      name: "lost_files_total",
      type: "counter",
      help: "Files rotated away before they were completely stored, over all runs.",
      samples: [[{}, remembered?.lost]]
    }
  ]
}

const labelled = (labels: Labels) => {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = escapeControls(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"')
    return `${name}="${escaped}"`
  })
  return `{${pairs.join(",")}}`
}

/** The content of the metrics file. */
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

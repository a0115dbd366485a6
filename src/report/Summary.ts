/** The summary: the last lines of a report. */
import { Duration, Record } from "effect"
import * as DurationText from "../domain/DurationText.ts"
import * as Location from "../domain/Location.ts"
import * as Size from "../domain/Size.ts"
import type { Line, Reader, Severity } from "./Journal.ts"
import * as Logfmt from "./Logfmt.ts"
import type { Report } from "./Report.ts"
import * as Ending from "./Ending.ts"
import { escapeControls } from "./Text.ts"

/** Renders, for example, `failed 1 of 3, uploaded 2 (1.2 MB) in 0.8 s: s3://bucket/prefix`. Omits counts that are 0. */
export const prose = (report: Report): string => {
  const { totals } = report
  const planned = report.plan ?? []
  const counts: ReadonlyArray<readonly [count: number, text: string]> = [
    [totals.failed, `failed ${totals.failed} of ${totals.selected}`],
    report.run.dryRun
      ? [planned.length, `would upload ${planned.length} (${Size.format(bytesOf(planned))})`]
      : [totals.uploaded, `uploaded ${totals.uploaded} (${uploaded(totals)})`],
    [totals.resumed, `resumed ${totals.resumed} (${Size.format(totals.resumedBytes)} not sent again)`],
    [totals.unchanged, `unchanged ${totals.unchanged}`],
    [totals.skipped, `skipped ${totals.skipped}`],
    [totals.excluded, `excluded ${totals.excluded}`],
    [totals.notReady, `not ready ${totals.notReady}`],
    [totals.live, `live ${totals.live}`],
    [totals.vanished, `vanished ${totals.vanished}`],
    [totals.interrupted, `interrupted ${totals.interrupted}`],
    [totals.notTried, `not tried ${totals.notTried}${report.complete ? "" : " or more"}`],
    [totals.lost, `lost ${totals.lost}`],
    [totals.endNotSeen, `end not seen ${totals.endNotSeen}`]
  ]
  const texts = counts.filter(([count]) => count > 0).map(([, text]) => text)
  const what = texts.length === 0 ? "uploaded 0" : texts.join(", ")
  return `${what} in ${DurationText.format(Duration.seconds(report.run.durationSeconds))}: ${escapeControls(Location.describe(report.target))}`
}

/** Shows both sizes if objects are smaller than their files. */
const uploaded = ({ objectBytes, uploadedBytes }: Report["totals"]) =>
  [
    Size.format(uploadedBytes),
    ...(objectBytes === uploadedBytes ? [] : [`compressed to ${Size.format(objectBytes)}`])
  ].join(", ")

/** The summary for the journal, where people search by field. Sizes are in bytes. A count that is 0 is omitted. */
export const logfmt = ({ complete, plan, result, run, target, totals }: Report): string => {
  const counts = {
    selected: totals.selected,
    uploaded: totals.uploaded,
    planned: plan?.length ?? 0,
    resumed: totals.resumed,
    unchanged: totals.unchanged,
    skipped: totals.skipped,
    excluded: totals.excluded,
    not_ready: totals.notReady,
    live: totals.live,
    vanished: totals.vanished,
    interrupted: totals.interrupted,
    not_tried: totals.notTried,
    lost: totals.lost,
    end_not_seen: totals.endNotSeen,
    failed: totals.failed,
    retries: totals.retries,
    bytes: plan === null ? totals.uploadedBytes : bytesOf(plan),
    // the size of compressed objects is not known in advance
    object_bytes: plan === null ? totals.objectBytes : 0,
    resumed_bytes: totals.resumedBytes
  }
  return `summary ${Logfmt.line({
    ...(result.cause === null || result.hint === null ? {} : { cause: result.cause, hint: result.hint }),
    result: result.name,
    exit: result.exitCode,
    ...Record.filter(counts, (count) => count > 0),
    complete,
    seconds: run.durationSeconds,
    target: Location.describe(target),
    run: run.id
  })}`
}

/** The counts. In a file or a pipe, they start with the time, because a file may collect the lines of many runs. */
export const counts = (report: Report, { isJournal, isTerminal }: Reader): Line => ({
  text: isJournal ? logfmt(report) : isTerminal ? prose(report) : `${endTime(report)} ${prose(report)}`,
  severity: severityOf(report)
})

/** The last line of a run that did not succeed: `exit N name: cause. Remedy.` */
export const ending = (report: Report): Line | undefined => {
  const { cause, exitCode, hint, name } = report.result
  return cause === null || hint === null
    ? undefined
    : { text: Ending.line({ code: exitCode, name }, { cause, hint }), severity: severityOf(report) }
}

/** When the run ended: ISO 8601, UTC, in whole seconds. */
const endTime = ({ run }: Report) => {
  const endedAt = new Date(Date.parse(run.startedAt) + 1000 * run.durationSeconds)
  return `${endedAt.toISOString().slice(0, -".000Z".length)}Z`
}

/** The severity of a stopped run is lower than that of a failed one. */
const severityOf = ({ result }: Report): Severity => {
  if (result.exitCode === 0) return "notice"
  return result.name === "interrupted" ? "warning" : "error"
}

const bytesOf = (plan: NonNullable<Report["plan"]>) => plan.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

/** The summary: the last line of a report. */
import { Duration } from "effect"
import * as DurationText from "../domain/DurationText.ts"
import * as Size from "../domain/Size.ts"
import type { Line, Reader, Severity } from "./Journal.ts"
import * as Logfmt from "./Logfmt.ts"
import type { Report } from "./Report.ts"

/** For example `uploaded 2 (1.2 MB), skipped 1, failed 0 in 0.8 s`. Rare outcomes are omitted if they are 0. */
export const prose = (report: Report): string => {
  const { totals } = report
  const planned = report.plan ?? []
  const counts: ReadonlyArray<readonly [count: number, text: string, always?: boolean]> = [
    report.run.dryRun
      ? [planned.length, `would upload ${planned.length} (${Size.format(bytesOf(planned))})`, true]
      : [totals.uploaded, `uploaded ${totals.uploaded} (${uploaded(totals)})`, true],
    [totals.resumed, `resumed ${totals.resumed} (${Size.format(totals.resumedBytes)} not sent again)`],
    [totals.unchanged, `unchanged ${totals.unchanged}`],
    [totals.skipped, `skipped ${totals.skipped}`, true],
    [totals.excluded, `excluded ${totals.excluded}`],
    [totals.notReady, `not ready ${totals.notReady}`],
    [totals.live, `live ${totals.live}`],
    [totals.vanished, `vanished ${totals.vanished}`],
    [totals.interrupted, `interrupted ${totals.interrupted}`],
    [totals.notTried, `not tried ${totals.notTried}${report.complete ? "" : " or more"}`],
    [totals.lost, `lost ${totals.lost}`],
    [totals.endNotSeen, `end not seen ${totals.endNotSeen}`],
    [totals.failed, `failed ${totals.failed}`, true]
  ]
  const { exitCode, name } = report.result
  const texts = counts.filter(([count, , always]) => always === true || count > 0).map(([, text]) => text)
  return `${texts.join(", ")} in ${DurationText.format(Duration.seconds(report.run.durationSeconds))}${
    exitCode === 0 ? "" : `: ${name} (exit ${exitCode})`
  }`
}

/** Gives two sizes if objects are smaller than their files. */
const uploaded = ({ objectBytes, uploadedBytes }: Report["totals"]) =>
  [
    Size.format(uploadedBytes),
    ...(objectBytes === uploadedBytes ? [] : [`compressed to ${Size.format(objectBytes)}`])
  ].join(", ")

/** The summary for the journal, where people search by field: it always has the same fields, and sizes in bytes. */
export const logfmt = ({ complete, plan, result, run, totals }: Report): string =>
  `summary ${Logfmt.line({
    result: result.name,
    exit: result.exitCode,
    selected: totals.selected,
    uploaded: totals.uploaded,
    ...(plan === null ? {} : { planned: plan.length }),
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
    complete,
    retries: totals.retries,
    ...(plan === null
      ? { bytes: totals.uploadedBytes, object_bytes: totals.objectBytes }
      : // the size of compressed objects is not known in advance
        { bytes: bytesOf(plan) }),
    resumed_bytes: totals.resumedBytes,
    seconds: run.durationSeconds,
    run: run.id
  })}`

/** In a file or a pipe, the line starts with the time, because a file may collect the lines of many runs. */
export const line = (report: Report, { isJournal, isTerminal }: Reader): Line => ({
  text: isJournal ? logfmt(report) : isTerminal ? prose(report) : `${endTime(report)} ${prose(report)}`,
  severity: severityOf(report)
})

/** When the run ended: ISO 8601, UTC, in whole seconds. */
const endTime = ({ run }: Report) => {
  const endedAt = new Date(Date.parse(run.startedAt) + 1000 * run.durationSeconds)
  return `${endedAt.toISOString().slice(0, -".000Z".length)}Z`
}

/** A run that was stopped has not failed. */
const severityOf = ({ result }: Report): Severity => {
  if (result.exitCode === 0) return "notice"
  return result.name === "interrupted" ? "warning" : "error"
}

const bytesOf = (plan: NonNullable<Report["plan"]>) => plan.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

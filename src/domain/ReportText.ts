/** The report for people. */
import { Duration } from "effect"
import type { Report } from "./Report.ts"
import * as Size from "./Size.ts"
import * as Span from "./Span.ts"

/** Names come from a file system: a control character in one must not reach a terminal or start a line of its own. */
const shown = (text: string) => text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1))

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`

/** One line, such as `uploaded 2 (1.2 MB), skipped 1, failed 0 in 0.8 s`. What never happens often is left out at 0. */
export const summary = (report: Report): string => {
  const { totals } = report
  const planned = report.plan ?? []
  const bytes = planned.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const counts: ReadonlyArray<readonly [count: number, text: string, always?: boolean]> = [
    report.run.dryRun
      ? [planned.length, `would upload ${planned.length} (${Size.format(bytes)})`, true]
      : [totals.uploaded, `uploaded ${totals.uploaded} (${Size.format(totals.uploadedBytes)})`, true],
    [totals.skipped, `skipped ${totals.skipped}`, true],
    [totals.vanished, `vanished ${totals.vanished}`],
    [totals.interrupted, `interrupted ${totals.interrupted}`],
    [totals.notTried, `not tried ${totals.notTried}${report.complete ? "" : " or more"}`],
    [totals.failed, `failed ${totals.failed}`, true]
  ]
  const { exitCode, name } = report.result
  const told = counts.filter(([count, , always]) => always === true || count > 0).map(([, text]) => text)
  return `${told.join(", ")} in ${Span.format(Duration.seconds(report.run.durationSeconds))}${
    exitCode === 0 ? "" : `: ${name} (exit ${exitCode})`
  }`
}

const origin = (failure: Report["failures"][number]) => {
  const parts = [failure.status, failure.code, failure.requestId === null ? null : `request ${failure.requestId}`]
  const text = parts.filter((part) => part !== null).join(", ")
  return text === "" ? "" : ` [${shown(text)}]`
}

/** Failures of one class together, so that the hint stands once. */
const failures = (report: Report): ReadonlyArray<string> =>
  [...Map.groupBy(report.failures, ({ class: name, hint }) => `${name}: ${hint}`)].flatMap(([heading, group]) => [
    heading,
    ...group.map((failure) => {
      const key = failure.key === null ? "" : ` -> ${shown(failure.key)}`
      return `  ${shown(failure.file)}${key}: ${shown(failure.message)}${origin(failure)}`
    })
  ])

/** All lines; the summary is always the last. */
export const render = (report: Report): ReadonlyArray<string> => {
  const { endedBy } = report.result
  return [
    ...(report.plan ?? []).map(
      ({ file, key, requests, sizeBytes }) =>
        `${shown(file)} -> s3://${report.target.bucket}/${shown(key)} (${Size.format(sizeBytes)}, ${plural(requests, "request")})`
    ),
    ...failures(report),
    ...(report.failuresOmitted > 0 ? [`and ${plural(report.failuresOmitted, "more failure")}`] : []),
    ...report.openMultipartUploads.map(
      ({ key, reason, uploadId }) =>
        `multipart upload left open: ${shown(key)}, upload id ${shown(uploadId)} (${shown(reason)})`
    ),
    ...(endedBy === null ? [] : [`${endedBy.class}: ${shown(endedBy.message)}`, `  ${endedBy.hint}`]),
    summary(report)
  ]
}

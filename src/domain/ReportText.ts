/** The report for people. */
import { Duration } from "effect"
import * as Learned from "./Learned.ts"
import type { Report } from "./Report.ts"
import * as Size from "./Size.ts"
import * as Span from "./Span.ts"
import { plural, shown } from "./Text.ts"

/** One line, such as `uploaded 2 (1.2 MB), skipped 1, failed 0 in 0.8 s`. What never happens often is left out at 0. */
export const summary = (report: Report): string => {
  const { totals } = report
  const planned = report.plan ?? []
  const bytes = planned.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const counts: ReadonlyArray<readonly [count: number, text: string, always?: boolean]> = [
    report.run.dryRun
      ? [planned.length, `would upload ${planned.length} (${Size.format(bytes)})`, true]
      : [totals.uploaded, `uploaded ${totals.uploaded} (${Size.format(totals.uploadedBytes)})`, true],
    [totals.unchanged, `unchanged ${totals.unchanged}`],
    [totals.skipped, `skipped ${totals.skipped}`, true],
    [totals.notReady, `not ready ${totals.notReady}`],
    [totals.live, `live ${totals.live}`],
    [totals.vanished, `vanished ${totals.vanished}`],
    [totals.interrupted, `interrupted ${totals.interrupted}`],
    [totals.notTried, `not tried ${totals.notTried}${report.complete ? "" : " or more"}`],
    [totals.lost, `lost ${totals.lost}`],
    [totals.failed, `failed ${totals.failed}`, true]
  ]
  const { exitCode, name } = report.result
  const told = counts.filter(([count, , always]) => always === true || count > 0).map(([, text]) => text)
  return `${told.join(", ")} in ${Span.format(Duration.seconds(report.run.durationSeconds))}${
    exitCode === 0 ? "" : `: ${name} (exit ${exitCode})`
  }`
}

/** Files named in a group of failures; `--output json` names more, the log all. */
const named = 3

type Failure = Report["failures"][number]

const fileLine = ({ file, key, requestId }: Failure) =>
  [
    `  ${shown(file)}`,
    ...(key === null ? [] : [` -> ${shown(key)}`]),
    ...(requestId === null ? [] : [` [request ${shown(requestId)}]`])
  ].join("")

/** What failed in the same way stands together: a hundred denials are one problem. */
const failures = (report: Report): ReadonlyArray<string> =>
  [...Map.groupBy(report.failures, (failure) => `${failure.class}: ${shown(failure.message)}`)].flatMap(
    ([heading, group]) => [
      heading,
      `  hint: ${group[0]?.hint ?? ""}`,
      ...group.slice(0, named).map(fileLine),
      ...(group.length > named ? [`  and ${plural(group.length - named, "more file")}`] : [])
    ]
  )

/** All went well, and nothing is to be mended: not the ledger, nor the encryption, nor the clock. */
export const isUneventful = ({ ledger, result, store }: Report): boolean =>
  result.exitCode === 0 &&
  ledger?.setAside == null &&
  store?.unencrypted !== true &&
  Math.abs(store?.clockOffsetSeconds ?? 0) < muchOff

const warnings = (report: Report): ReadonlyArray<string> =>
  [
    ...(report.ledger?.setAside == null
      ? []
      : [`the ledger could not be used: it is now ${report.ledger.setAside}, and everything was sent anew`]),
    ...(report.store?.checksum === "MD5"
      ? ["the store does not implement CRC-32 checksums: bodies go with Content-MD5 instead"]
      : []),
    ...(report.store?.unencrypted === true
      ? ["the store has not confirmed --sse: objects may be stored without encryption"]
      : []),
    ...clock(report.store?.clockOffsetSeconds ?? 0),
    ...report.lostFiles.map((file) => `${file} was rotated away before all of it was stored`),
    ...report.filesAtRisk.map(
      ({ file, rotatedAt }) =>
        `${file} is not wholly stored, and will be rotated away at ${rotatedAt}, before the next run`
    ),
    ...report.replacedFiles.map(
      ({ file, key }) => `${file} no longer begins with what was stored: it went to ${key}, beside the older object`
    ),
    ...report.tornFiles.map((file) => `${file} ends in half a line: its writer was cut off`)
  ].map((text) => `warning: ${shown(text)}`)

/** Seconds from which on it matters: stores refuse signatures that are off by a quarter of an hour. */
const muchOff = 300

const clock = (offsetSeconds: number) =>
  Math.abs(offsetSeconds) < muchOff
    ? []
    : [
        `${Learned.clocks(offsetSeconds * 1000)}: requests were signed by the store's, but which files are final goes by the host's`
      ]

/** What ended the run, unless it stands among the failures of files. */
const ending = ({ failures, result: { endedBy } }: Report): ReadonlyArray<string> =>
  endedBy === null || failures.some(({ hint, message }) => message === endedBy.message && hint === endedBy.hint)
    ? []
    : [`${endedBy.class}: ${shown(endedBy.message)}`, `  hint: ${endedBy.hint}`]

/** All lines; the summary is always the last. */
export const render = (report: Report): ReadonlyArray<string> => [
  ...(report.plan ?? []).map(
    ({ file, key, requests, sizeBytes }) =>
      `${shown(file)} -> s3://${report.target.bucket}/${shown(key)} (${Size.format(sizeBytes)}, ${plural(requests, "request")})`
  ),
  ...failures(report),
  ...(report.failuresOmitted > 0 ? [`and ${plural(report.failuresOmitted, "more failure")}`] : []),
  ...warnings(report),
  ...report.openMultipartUploads.map(
    ({ key, reason, uploadId }) =>
      `multipart upload left open: ${shown(key)}, upload id ${shown(uploadId)} (${shown(reason)})`
  ),
  ...ending(report),
  summary(report)
]

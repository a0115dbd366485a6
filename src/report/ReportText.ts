/** The report for people. */
import type { Severity, Line } from "./Journal.ts"
import * as StoreTraits from "../domain/StoreTraits.ts"
import type { Report } from "./Report.ts"
import * as Size from "../domain/Size.ts"
import { plural, escapeControls } from "./Text.ts"

/** Files named in a group of failures; `--output json` names more, the log all. */
const named = 3

type Failure = Report["failures"][number]

const fileLine = ({ file, key, requestId }: Failure) =>
  [
    `  ${escapeControls(file)}`,
    ...(key === null ? [] : [` -> ${escapeControls(key)}`]),
    ...(requestId === null ? [] : [` [request ${escapeControls(requestId)}]`])
  ].join("")

/** What failed in the same way stands together: a hundred denials are one problem. */
const failures = (report: Report): ReadonlyArray<string> =>
  [...Map.groupBy(report.failures, (failure) => `${failure.class}: ${escapeControls(failure.message)}`)].flatMap(
    ([heading, group]) => [
      heading,
      `  hint: ${group[0]?.hint ?? ""}`,
      ...group.slice(0, named).map(fileLine),
      ...(group.length > named ? [`  and ${plural(group.length - named, "more file")}`] : [])
    ]
  )

/** All went well, and nothing is to be mended: not the ledger, nor encryption, clock, or metrics. */
export const isUneventful = ({ ledger, metrics, result, store }: Report): boolean =>
  result.exitCode === 0 &&
  ledger?.setAside == null &&
  metrics?.error == null &&
  store?.unencrypted !== true &&
  Math.abs(store?.clockOffsetSeconds ?? 0) < muchOff

const warnings = (report: Report): ReadonlyArray<string> =>
  [
    ...(report.ledger?.setAside == null
      ? []
      : [`the ledger could not be used: it is now ${report.ledger.setAside}, and everything was sent anew`]),
    ...(report.store?.checksum === "MD5"
      ? ["the store does not implement SHA-256 checksums: bodies go with Content-MD5 instead"]
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
    ...report.tornFiles.map((file) => `${file} ends in half a line: its writer was cut off`),
    ...(report.metrics?.error == null
      ? []
      : [`the metrics could not be written to ${report.metrics.path}: ${report.metrics.error}`])
  ].map((text) => `warning: ${escapeControls(text)}`)

/** Seconds from which on it matters: stores refuse signatures that are off by a quarter of an hour. */
const muchOff = 300

const clock = (offsetSeconds: number) =>
  Math.abs(offsetSeconds) < muchOff
    ? []
    : [
        `${StoreTraits.describeClockOffset(offsetSeconds * 1000)}: requests were signed by the store's, but which files are final goes by the host's`
      ]

/** What ended the run, unless it stands among the failures of files. */
const ending = ({ failures, result: { endedBy } }: Report): ReadonlyArray<string> =>
  endedBy === null || failures.some(({ hint, message }) => message === endedBy.message && hint === endedBy.hint)
    ? []
    : [`${endedBy.class}: ${escapeControls(endedBy.message)}`, `  hint: ${endedBy.hint}`]

/** All of it, but for the summary that ends it. */
export const body = (report: Report): ReadonlyArray<Line> => [
  ...told(
    "info",
    (report.plan ?? []).map(
      ({ compression, file, key, requests, sizeBytes }) =>
        `${escapeControls(file)} -> s3://${report.target.bucket}/${escapeControls(key)} (${Size.format(sizeBytes)}${
          compression === null ? ", " : ` before ${compression}, ${requests === 1 ? "" : "at most "}`
        }${plural(requests, "request")})`
    )
  ),
  ...told("error", failures(report)),
  ...told("error", report.failuresOmitted > 0 ? [`and ${plural(report.failuresOmitted, "more failure")}`] : []),
  ...told("warning", warnings(report)),
  ...told(
    "info",
    report.keptUploads.map(
      ({ key, sizeBytes, storedBytes }) =>
        `kept for the next run: ${escapeControls(key)}, of which ${Size.format(storedBytes)} of ${Size.format(sizeBytes)} are stored`
    )
  ),
  ...told(
    "warning",
    report.openMultipartUploads.map(
      ({ key, reason, uploadId }) =>
        `multipart upload left open: ${escapeControls(key)}, upload id ${escapeControls(uploadId)} (${escapeControls(reason)})`
    )
  ),
  ...told("error", ending(report))
]

const told = (severity: Severity, lines: ReadonlyArray<string>): ReadonlyArray<Line> =>
  lines.map((text) => ({ text, severity }))

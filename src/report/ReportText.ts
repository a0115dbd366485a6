/** The report as text. */
import * as ExitCode from "../domain/ExitCode.ts"
import * as Size from "../domain/Size.ts"
import * as StoreTraits from "../domain/StoreTraits.ts"
import type { Line, Severity } from "./Journal.ts"
import type { Report } from "./Report.ts"
import { escapeControls, plural } from "./Text.ts"

/**
 * The maximum number of files named per group of failures. `--output json` names more, and the log names all of them.
 */
const maxNamed = 3

type Failure = Report["failures"][number]

const fileLine = ({ file, key, requestId }: Failure) =>
  [
    `  ${escapeControls(file)}`,
    ...(key === null ? [] : [` -> ${escapeControls(key)}`]),
    ...(requestId === null ? [] : [` [request ${escapeControls(requestId)}]`])
  ].join("")

/** Groups equal failures, because a hundred denials are a single problem. */
const failureTexts = (report: Report): ReadonlyArray<string> =>
  [
    ...Map.groupBy(
      report.failures,
      (failure) => `${failure.class} [${failure.exitCode}]: ${escapeControls(failure.message)}`
    )
  ].flatMap(([heading, group]) => [
    heading,
    `  hint: ${group[0]?.hint ?? ""}`,
    ...group.slice(0, maxNamed).map(fileLine),
    ...(group.length > maxNamed ? [`  and ${plural(group.length - maxNamed, "more file")}`] : [])
  ])

/** Whether the run succeeded without a warning about setup, patterns, ledger, encryption, clock, manifests or metrics. */
export const isUneventful = ({
  ledger,
  manifests,
  metrics,
  result,
  setupWarnings,
  store,
  unmatchedPatterns
}: Report): boolean =>
  result.exitCode === 0 &&
  setupWarnings.length === 0 &&
  unmatchedPatterns.length === 0 &&
  ledger?.setAside == null &&
  metrics?.error == null &&
  (manifests === null || manifestWarnings(manifests).length === 0) &&
  store?.unencrypted !== true &&
  Math.abs(store?.clockOffsetSeconds ?? 0) < largeClockOffset

const checksumWarnings = {
  SHA256: [],
  MD5: ["the store does not implement SHA-256 checksums: bodies are sent with Content-MD5 instead"],
  none: ["the store accepts no checksums: only the signature protects the bodies"]
} satisfies Record<NonNullable<Report["store"]>["checksum"], ReadonlyArray<string>>

const warnings = (report: Report): ReadonlyArray<string> =>
  [
    ...report.setupWarnings,
    ...(report.ledger?.setAside == null
      ? []
      : [`the ledger was unusable: it was moved to ${report.ledger.setAside}, and everything was sent again`]),
    ...(report.store === null ? [] : checksumWarnings[report.store.checksum]),
    ...(report.store?.unencrypted === true
      ? ["the store did not confirm --sse: objects may be stored without encryption"]
      : []),
    ...clockWarning(report.store?.clockOffsetSeconds ?? 0),
    ...report.unmatchedPatterns.map(
      (pattern) => `--include ${pattern} matches no file; excluded: ${report.totals.excluded}`
    ),
    ...report.lostFiles.map((file) => `${file} was rotated away before it was completely stored`),
    ...report.endNotSeenFiles.map(
      (file) => `${file} was deleted; every line that a run saw is stored, but its end was not seen`
    ),
    ...report.filesAtRisk.map(
      ({ file, rotatedAt }) =>
        `${file} is not completely stored, and will be rotated away at ${rotatedAt}, before the next run`
    ),
    ...report.replacedFiles.map(
      ({ file, key }) =>
        `${file} does not replace what was stored before: it was stored as ${key}, next to the older object`
    ),
    ...report.tornFiles.map((file) => `${file} ends in an incomplete line: its writer was interrupted`),
    ...(report.manifests === null ? [] : manifestWarnings(report.manifests)),
    ...(report.metrics?.error == null
      ? []
      : [`the metrics could not be written to ${report.metrics.path}: ${report.metrics.error}`])
  ].map((text) => `warning: ${escapeControls(text)}`)

const manifestWarnings = ({ failures, file, waiting }: NonNullable<Report["manifests"]>): ReadonlyArray<string> => [
  ...failures
    .slice(0, maxNamed)
    .map(
      ({ directory, hint, message }) =>
        `the manifest of ${directory === "" ? "the prefix" : directory} could not be stored: ${message}; hint: ${hint}`
    ),
  ...(waiting > 0 ? [`the next run stores ${plural(waiting, "manifest")}`] : []),
  ...(file?.error == null ? [] : [`the manifests could not be written to ${file.path}: ${file.error}`])
]

/** In seconds. This is a third of the clock skew at which stores refuse a signature, 15 minutes. */
const largeClockOffset = 300

const clockWarning = (offsetSeconds: number) =>
  Math.abs(offsetSeconds) < largeClockOffset
    ? []
    : [
        `${StoreTraits.describeClockOffset(offsetSeconds * 1000)} according to its answers: check it, because the host's time decides which files are final`
      ]

/** The failure that ended the run, unless it is already listed as the failure of a file. */
const runFailure = ({ failures, result: { endedBy } }: Report): ReadonlyArray<string> =>
  endedBy === null || failures.some(({ hint, message }) => message === endedBy.message && hint === endedBy.hint)
    ? []
    : [`${endedBy.class} [${endedBy.exitCode}]: ${escapeControls(endedBy.message)}`, `  hint: ${endedBy.hint}`]

const { code, name } = ExitCode.ofError.SourceUnreadable

const lossHint = ({ lossHint: hint, totals }: Report): ReadonlyArray<string> =>
  hint === null ? [] : [`${name} [${code}]: ${plural(totals.lost, "file")} lost`, `  hint: ${hint}`]

/** The report without its last lines, the summary. */
export const body = (report: Report): ReadonlyArray<Line> => [
  ...lines(
    "info",
    (report.plan ?? []).map(
      ({ compression, file, key, requests, sizeBytes }) =>
        `${escapeControls(file)} -> s3://${report.target.bucket}/${escapeControls(key)} (${Size.format(sizeBytes)}${
          compression === null ? ", " : ` before ${compression}, ${requests === 1 ? "" : "at most "}`
        }${plural(requests, "request")})`
    )
  ),
  ...lines("error", failureTexts(report)),
  ...lines("error", report.failuresOmitted > 0 ? [`and ${plural(report.failuresOmitted, "more failure")}`] : []),
  ...lines("warning", warnings(report)),
  ...lines(
    "info",
    report.keptUploads.map(
      ({ key, sizeBytes, storedBytes }) =>
        `kept for the next run: ${escapeControls(key)}, with ${Size.format(storedBytes)} of ${Size.format(sizeBytes)} stored`
    )
  ),
  ...lines(
    "warning",
    report.openMultipartUploads.map(
      ({ key, reason, uploadId }) =>
        `multipart upload left open: ${escapeControls(key)}, upload id ${escapeControls(uploadId)} (${escapeControls(reason)})`
    )
  ),
  ...lines("error", [...runFailure(report), ...lossHint(report)])
]

const lines = (severity: Severity, texts: ReadonlyArray<string>): ReadonlyArray<Line> =>
  texts.map((text) => ({ text, severity }))

/** The status of the targets in a ledger: one value, printed as text or as JSON. */
import { Schema } from "effect"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Location from "../domain/Location.ts"
import * as Size from "../domain/Size.ts"
import * as AgeText from "./AgeText.ts"
import { Count, described, optional } from "./Report.ts"
import { escapeControls, plural } from "./Text.ts"

const Run = Schema.Struct({
  id: Schema.String,
  startedAt: described(Schema.String, "ISO 8601, UTC"),
  endedAt: optional(Schema.String, "null: the run is still running, was killed, or could not write to the ledger"),
  exitCode: Schema.NullOr(Count),
  cause: optional(Schema.String, "why it failed; null: it succeeded, or an older version did not record it")
})

const Target = Schema.Struct({
  bucket: Schema.String,
  prefix: Schema.String,
  endpoint: optional(Schema.String, "null: AWS"),
  region: optional(Schema.String, "null: no flag, variable or profile has named it"),
  input: described(Schema.String, "--input of the last run"),
  mostRecent: described(Schema.Boolean, "whether the ledger's last run used this target"),
  lastRun: Schema.NullOr(Run),
  lastSuccess: optional(Run, "the last run with exit code 0"),
  lastFailure: optional(Run, "the last run with any other exit code"),
  newestFile: optional(
    Schema.Struct({ file: Schema.String, changedAt: described(Schema.String, "ISO 8601, UTC") }),
    "the file that changed last; null: no run has seen a file"
  ),
  stored: described(Count, "files that are at least partly stored"),
  storedBytes: described(Count, "bytes of these files that are stored, before compression"),
  waiting: described(Count, "files that are not completely stored"),
  oldestWaiting: Schema.NullOr(
    Schema.Struct({ file: Schema.String, since: described(Schema.String, "ISO 8601, UTC") })
  ),
  lost: described(Count, "files rotated away before they were completely stored"),
  lostFiles: described(Schema.Array(Schema.String), "the last 100 of these files by name")
})

export const Status = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  ledger: described(Schema.String, "path of the ledger"),
  nextRun: optional(Schema.String, "when systemd starts the next run: ISO 8601, UTC; null: it is not known"),
  targets: Schema.Array(Target)
})
export type Status = typeof Status.Type

export type Target = typeof Target.Type

/** In milliseconds. Small corrections of a clock are normal. */
const clockTolerance = 5 * 60_000

/** Whether a time in the ledger shows that the host's clock was ahead. Both are in milliseconds since 1970. */
export const isFuture = (millis: number, now: number): boolean => millis - now > clockTolerance

const runText = (run: typeof Run.Type | null, now: number) => {
  if (run === null) return "none"
  const startedAt = at(run.startedAt, now)
  if (run.exitCode === null) return `${startedAt}, not ended: still running, killed, or unable to write to the ledger`
  const name = ExitCode.table.find(({ code }) => code === run.exitCode)?.name
  const cause = run.cause === null ? "" : `: ${escapeControls(run.cause)}`
  return `${startedAt}, exit ${run.exitCode}${name === undefined ? "" : ` (${name})`}${cause}`
}

/** A time with its age, because some readers look for the time and others for the age. */
const at = (time: string, now: number) => `${time} (${AgeText.of(time, now)})`

const files = (count: number) => plural(count, "file")

/** The last failure, unless it is also the last run. */
const failureText = ({ lastFailure, lastRun }: Target, now: number) =>
  lastFailure === null || lastFailure.id === lastRun?.id ? [] : [`  last failure  ${runText(lastFailure, now)}`]

const targetText = (target: Target, all: ReadonlyArray<Target>, now: number): ReadonlyArray<string> => [
  escapeControls(`${Location.describe(target)}${Location.regionSuffix(target, all)}`),
  `  input         ${escapeControls(target.input)}`,
  `  last run      ${runText(target.lastRun, now)}`,
  `  last success  ${runText(target.lastSuccess, now)}`,
  ...failureText(target, now),
  `  newest file   ${
    target.newestFile === null
      ? "none"
      : `${at(target.newestFile.changedAt, now)}: ${escapeControls(target.newestFile.file)}`
  }`,
  `  stored        ${files(target.stored)} (${Size.format(target.storedBytes)})`,
  `  waiting       ${files(target.waiting)}${
    target.oldestWaiting === null
      ? ""
      : `, the oldest since ${at(target.oldestWaiting.since, now)}: ${escapeControls(target.oldestWaiting.file)}`
  }`,
  `  lost          ${files(target.lost)}`,
  ...target.lostFiles.map((file) => `    ${escapeControls(file)}`)
]

/** The targets with this bucket and this prefix. Undefined matches any bucket or prefix. */
export const only = (
  status: Status,
  { bucket, prefix }: { readonly bucket: string | undefined; readonly prefix: string | undefined }
): Status => ({
  ...status,
  targets: status.targets.filter(
    (target) => target.bucket === (bucket ?? target.bucket) && target.prefix === (prefix ?? target.prefix)
  )
})

/** `now` is in milliseconds since 1970. */
export const render = ({ ledger, nextRun, targets }: Status, now: number): ReadonlyArray<string> => [
  `ledger ${escapeControls(ledger)}`,
  ...(nextRun === null ? [] : [`next run ${at(nextRun, now)}`]),
  ...(targets.length === 0
    ? ["no run has used this ledger yet"]
    : targets.flatMap((target) => targetText(target, targets, now)))
]

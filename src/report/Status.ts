/** The status of the targets in a ledger: one value, printed as text or as JSON. */
import { Schema } from "effect"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Location from "../domain/Location.ts"
import * as Size from "../domain/Size.ts"
import { Count, described, optional } from "./Report.ts"
import { escapeControls, plural } from "./Text.ts"

const Run = Schema.Struct({
  id: Schema.String,
  startedAt: described(Schema.String, "ISO 8601, UTC"),
  endedAt: optional(Schema.String, "null: the run is still running, was killed, or could not write to the ledger"),
  exitCode: Schema.NullOr(Count)
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
  targets: Schema.Array(Target)
})
export type Status = typeof Status.Type

export type Target = typeof Target.Type

/** In milliseconds. Small corrections of a clock are normal. */
const clockTolerance = 5 * 60_000

/** Whether a time in the ledger shows that the host's clock was ahead. Both are in milliseconds since 1970. */
export const isFuture = (millis: number, now: number): boolean => millis - now > clockTolerance

const runText = (run: typeof Run.Type | null) => {
  if (run === null) return "none"
  if (run.exitCode === null)
    return `${run.startedAt}, not ended: still running, killed, or unable to write to the ledger`
  const name = ExitCode.table.find(({ code }) => code === run.exitCode)?.name
  return `${run.startedAt}, exit ${run.exitCode}${name === undefined ? "" : ` (${name})`}`
}

const files = (count: number) => plural(count, "file")

const targetText = (target: Target, _: number, all: ReadonlyArray<Target>): ReadonlyArray<string> => [
  escapeControls(`${Location.describe(target)}${Location.regionSuffix(target, all)}`),
  `  input         ${escapeControls(target.input)}`,
  `  last run      ${runText(target.lastRun)}`,
  `  last success  ${runText(target.lastSuccess)}`,
  `  stored        ${files(target.stored)} (${Size.format(target.storedBytes)})`,
  `  waiting       ${files(target.waiting)}${
    target.oldestWaiting === null
      ? ""
      : `, the oldest since ${target.oldestWaiting.since}: ${escapeControls(target.oldestWaiting.file)}`
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

export const render = (status: Status): ReadonlyArray<string> =>
  status.targets.length === 0 ? ["no run has used this ledger yet"] : status.targets.flatMap(targetText)

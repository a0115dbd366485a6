/** What a ledger says of its targets: one value, which is printed as text or as JSON. */
import { Schema } from "effect"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Size from "../domain/Size.ts"
import { Count, described, optional } from "./Report.ts"
import { plural, escapeControls } from "./Text.ts"

const Run = Schema.Struct({
  id: Schema.String,
  startedAt: described(Schema.String, "ISO 8601, UTC"),
  endedAt: optional(Schema.String, "null: it is running, was killed, or could not write to the ledger"),
  exitCode: Schema.NullOr(Count)
})

const Target = Schema.Struct({
  bucket: Schema.String,
  prefix: Schema.String,
  endpoint: optional(Schema.String, "null: AWS"),
  input: described(Schema.String, "of the last run"),
  lastRun: Schema.NullOr(Run),
  lastSuccess: optional(Run, "the last run that ended with 0"),
  stored: described(Count, "files of which something is stored"),
  storedBytes: described(Count, "what is stored of them, before any compression"),
  waiting: described(Count, "files of which something was seen that is not stored"),
  oldestWaiting: Schema.NullOr(
    Schema.Struct({ file: Schema.String, since: described(Schema.String, "ISO 8601, UTC") })
  ),
  lost: described(Count, "files rotated away before all of them was stored"),
  lostFiles: described(Schema.Array(Schema.String), "the last 100 of them by name")
})

export const Status = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  ledger: described(Schema.String, "its path"),
  targets: Schema.Array(Target)
})
export type Status = typeof Status.Type

export type Target = typeof Target.Type

const run = (run: typeof Run.Type | null) => {
  if (run === null) return "none"
  if (run.exitCode === null)
    return `${run.startedAt}, has not ended: it is running, was killed, or could not write here`
  const name = ExitCode.table.find(({ code }) => code === run.exitCode)?.name
  return `${run.startedAt}, exit ${run.exitCode}${name === undefined ? "" : ` (${name})`}`
}

const files = (count: number) => plural(count, "file")

const target = (target: Target): ReadonlyArray<string> => [
  `s3://${target.bucket}/${escapeControls(target.prefix)}${target.endpoint === null ? "" : ` at ${target.endpoint}`}`,
  `  input         ${escapeControls(target.input)}`,
  `  last run      ${run(target.lastRun)}`,
  `  last success  ${run(target.lastSuccess)}`,
  `  stored        ${files(target.stored)} (${Size.format(target.storedBytes)})`,
  `  waiting       ${files(target.waiting)}${
    target.oldestWaiting === null
      ? ""
      : `, the oldest since ${target.oldestWaiting.since}: ${escapeControls(target.oldestWaiting.file)}`
  }`,
  `  lost          ${files(target.lost)}`,
  ...target.lostFiles.map((file) => `    ${escapeControls(file)}`)
]

/** Those with this bucket and this prefix, as far as they are given. */
export const only = (
  status: Status,
  { bucket, prefix }: { readonly bucket: string | undefined; readonly prefix: string | undefined }
): Status => ({
  ...status,
  targets: status.targets.filter(
    (target) => target.bucket === (bucket ?? target.bucket) && target.prefix === (prefix ?? target.prefix)
  )
})

/** For people. */
export const render = (status: Status): ReadonlyArray<string> =>
  status.targets.length === 0 ? ["no run has used this ledger yet"] : status.targets.flatMap(target)

/** What `verify` found: one value, printed as text or as JSON. */
import { Schema } from "effect"
import { Corrupt, Incomplete } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Finding from "../domain/Finding.ts"
import * as Size from "../domain/Size.ts"
import * as Ending from "./Ending.ts"
import { Count, described, optional } from "./Report.ts"
import { escapeControls, plural } from "./Text.ts"

const time = (description: string) => optional(Schema.String, `${description}: ISO 8601, UTC`)

const Directory = Schema.Struct({
  directory: described(Schema.String, "relative to source, with a slash at its end; empty: the source itself"),
  manifest: optional(
    Schema.Struct({
      host: Schema.String,
      tool: Schema.Struct({ name: Schema.String, version: Schema.String }),
      key: described(Schema.String, "of the manifest")
    }),
    "null: there is none"
  ),
  objects: described(Count, "objects, without the manifest"),
  bytes: described(Count, "their bytes"),
  proven: described(Count, "objects whose content is what the manifest says"),
  live: described(Count, "objects that a later run may replace by longer ones"),
  generations: described(Count, "objects with content that a file has no longer"),
  torn: described(Count, "objects that end in an incomplete line"),
  firstLine: time("time of the first line"),
  lastLine: time("time of the last line"),
  findings: described(
    Schema.Array(Schema.Struct({ kind: Schema.String, file: Schema.String, detail: Schema.String })),
    "the first 100 of each kind"
  ),
  omitted: described(Count, "number of further findings"),
  notes: described(Schema.Array(Schema.String), "what does not change the result")
})
export type Directory = typeof Directory.Type

/** A new field does not change `schemaVersion`. A change of meaning increments it. */
export const Verification = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  tool: Schema.Struct({ name: Schema.String, version: Schema.String }),
  source: described(Schema.String, "the directory or the URL that was verified"),
  result: Schema.Struct({
    exitCode: Count,
    name: described(Schema.String, "as in the table of exit codes"),
    cause: Schema.String,
    hint: optional(Schema.String, "what to do about the cause; null: nothing")
  }),
  findings: described(Count, "number of all findings"),
  directories: Schema.Array(Directory)
}).annotations({ title: "ibsr-export verify", description: "What verify found in a directory or a prefix of a bucket" })
export type Verification = typeof Verification.Type

/** The maximum number of findings of one kind that are named for a directory. */
export const maxListed = 100

export const make = (version: string, source: string, directories: ReadonlyArray<Directory>): Verification => {
  const found = directories.flatMap(({ findings }) => findings as ReadonlyArray<Finding.Finding>)
  const count = directories.reduce((sum, { findings, omitted }) => sum + findings.length + omitted, 0)
  const first = firstOf(found)
  const exit = first === undefined ? ok : ExitCode.ofError[errorOf(first)._tag]
  return {
    schemaVersion: 1,
    tool: { name: "ibsr-export", version },
    source,
    result: {
      exitCode: exit.code,
      name: exit.name,
      cause: first === undefined ? proof(directories) : `${nameOf(first)}: ${first.detail}${others(count)}`,
      hint: first === undefined ? null : errorOf(first).hint
    },
    findings: count,
    directories
  }
}

const ok = { code: 0, name: "ok" }

const firstOf = (findings: ReadonlyArray<Finding.Finding>) =>
  Finding.order
    .map((kind) => findings.find((finding) => finding.kind === kind))
    .find((finding) => finding !== undefined)

const errorOf = ({ detail, kind }: Finding.Finding) => {
  const { remedy, verdict } = Finding.kinds[kind]
  return new { corrupt: Corrupt, incomplete: Incomplete }[verdict]({ detail, advice: remedy })
}

const others = (count: number) => (count > 1 ? `; ${plural(count, "finding")} in all` : "")

const nameOf = ({ file }: Pick<Finding.Finding, "file">) => (file === "" ? "the directory" : file)

const proof = (directories: ReadonlyArray<Directory>) => {
  const sum = (field: "bytes" | "objects" | "proven") => directories.reduce((total, row) => total + row[field], 0)
  const all = `${plural(sum("objects"), "object")} (${Size.format(sum("bytes"))})`
  return sum("proven") === sum("objects")
    ? `${all} are complete and correct`
    : `${all}: ${sum("proven")} are proven, and the others have no holes, torn lines or damage`
}

/** `exit N name: cause. Remedy.` */
export const ending = ({ result }: Verification): string =>
  result.hint === null
    ? `exit 0 ok: ${escapeControls(result.cause)}.`
    : Ending.line({ code: result.exitCode, name: result.name }, { cause: result.cause, hint: result.hint })

const header = ["directory", "objects", "bytes", "proven", "live", "generations", "first line", "last line"]

const cells = (row: Directory) => [
  row.directory === "" ? "." : escapeControls(row.directory),
  String(row.objects),
  Size.format(row.bytes),
  row.manifest === null ? "no manifest" : String(row.proven),
  String(row.live),
  String(row.generations),
  row.firstLine ?? "-",
  row.lastLine ?? "-"
]

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd()
  )
}

/** The report without its last line. */
export const body = ({ directories }: Verification): ReadonlyArray<string> => [
  ...table([header, ...directories.map(cells)]),
  ...directories.flatMap(({ directory, findings, notes, omitted }) => [
    ...findings.map((finding) => escapeControls(`${finding.kind}: ${nameOf(finding)}: ${finding.detail}`)),
    ...(omitted > 0 ? [`and ${plural(omitted, "more finding")} in ${directory === "" ? "." : directory}`] : []),
    ...notes.map((note) => escapeControls(`note: ${nameOf({ file: directory })}: ${note}`))
  ])
]

/** The result of a run: one value, which is printed as text or as JSON. */
import { Schema } from "effect"
import type { ExportError } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import type { StoreTraits } from "../domain/StoreTraits.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Tally from "../domain/Tally.ts"

export const Count = Schema.NonNegativeInt

export const described = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.annotations(schema, { description })

/** `null` where it does not apply. */
export const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.NullOr(schema).annotations({ description })

const Problem = Schema.Struct({
  class: described(Schema.String, "name of the failure class, as in the table of exit codes"),
  exitCode: described(Count, "the class's exit code"),
  message: Schema.String,
  hint: described(Schema.String, "what to do next"),
  code: optional(Schema.String, "the store's error code, or the system's"),
  status: optional(Count, "HTTP status"),
  requestId: optional(Schema.String, "the store's name for the request")
})

/** Fields are only added within one `schemaVersion`; a change of meaning raises it. */
export const Report = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  tool: described(Schema.Struct({ name: Schema.String, version: Schema.String }), "what wrote this"),
  run: Schema.Struct({
    id: described(Schema.String, "$INVOCATION_ID of systemd, else a random UUID"),
    startedAt: described(Schema.String, "ISO 8601, UTC"),
    durationSeconds: Schema.Number,
    dryRun: Schema.Boolean
  }),
  result: Schema.Struct({
    exitCode: Count,
    name: described(Schema.String, "as in the table of exit codes"),
    signal: optional(Schema.String, "the signal that stopped the run"),
    endedBy: optional(Problem, "the failure that ended the run before all files were tried")
  }),
  source: Schema.Struct({ input: Schema.String }),
  target: Schema.Struct({
    bucket: Schema.String,
    prefix: Schema.String,
    endpoint: optional(Schema.String, "null: AWS")
  }),
  ledger: optional(
    Schema.Struct({
      path: Schema.String,
      setAside: optional(Schema.String, "where a former ledger was put that could not be used")
    }),
    "what this host remembers of its uploads; null: it could not be opened"
  ),
  store: optional(
    Schema.Struct({
      checksum: described(
        Schema.Literal("SHA256", "MD5"),
        "what goes with every body; MD5 where SHA256 is not implemented"
      ),
      unencrypted: described(Schema.Boolean, "--sse was given, and not confirmed by every answer"),
      clockOffsetSeconds: described(Schema.Number, "what its clock has in advance of this host's")
    }),
    "what the store has told of itself; null: it was not asked anything"
  ),
  totals: Schema.Struct({
    selected: described(Count, "files that --include and --exclude let through"),
    uploaded: described(Count, "files stored by this run"),
    uploadedBytes: described(Count, "their bytes"),
    objectBytes: described(Count, "bytes of the objects they became: less with --compress"),
    resumed: described(Count, "of those, files of which an earlier run had sent a part"),
    resumedBytes: described(Count, "bytes of those parts, which were not sent again"),
    unchanged: described(Count, "files of which an earlier run stored all there is"),
    skipped: described(Count, "not regular files: the next three together"),
    skippedSymlinks: described(Count, "symbolic links, without --follow-symlinks"),
    skippedDeadLinks: described(Count, "symbolic links that lead nowhere or in a circle"),
    skippedSpecial: described(Count, "FIFOs, sockets and devices"),
    excluded: described(Count, "files that --include and --exclude leave out"),
    notReady: described(Count, "files of lines without even one whole line yet"),
    live: described(Count, "may still grow, with --final-only"),
    vanished: described(Count, "rotated away before they could be opened"),
    failed: described(Count, "files, and directories that could not be listed"),
    interrupted: described(Count, "begun, and cut off when the run ended early"),
    notTried: described(Count, "the run ended before their turn"),
    lost: described(Count, "rotated away since the last run without having been stored; not among the selected"),
    retries: described(Count, "requests sent once more, over all files")
  }),
  complete: described(Schema.Boolean, "false: the run was cut off before it had seen all of the input"),
  failures: described(
    Schema.Array(Schema.Struct({ file: Schema.String, key: Schema.NullOr(Schema.String), ...Problem.fields })),
    `the first ${Tally.maxListed} failures, one by one`
  ),
  failuresOmitted: described(Count, "failures beyond those"),
  tornFiles: described(
    Schema.Array(Schema.String),
    "stored as they are, though final and ending in half a line: their writer was cut off; the first 100"
  ),
  lostFiles: described(Schema.Array(Schema.String), "those lost, each told once; the first 100"),
  filesAtRisk: described(
    Schema.Array(Schema.Struct({ file: Schema.String, rotatedAt: Schema.String })),
    "not wholly stored, and rotated away before the next run is to be expected; rotatedAt is ISO 8601, UTC; the first 100"
  ),
  replacedFiles: described(
    Schema.Array(Schema.Struct({ file: Schema.String, key: Schema.String })),
    "they no longer begin with what was stored before, so their content went to a key of its own; the first 100"
  ),
  keptUploads: described(
    Schema.Array(Schema.Struct({ key: Schema.String, uploadId: Schema.String, storedBytes: Count, sizeBytes: Count })),
    "multipart uploads that were cut off; the next run sends what is missing; the first 100"
  ),
  openMultipartUploads: described(
    Schema.Array(Schema.Struct({ key: Schema.String, uploadId: Schema.String, reason: Schema.String })),
    "multipart uploads that could not be aborted: their parts cost storage until a lifecycle rule removes them"
  ),
  metrics: optional(
    Schema.Struct({
      path: Schema.String,
      error: optional(Schema.String, "why they could not be written")
    }),
    "what --metrics-file names; null: it is not given"
  ),
  plan: optional(
    Schema.Array(
      Schema.Struct({
        file: Schema.String,
        key: Schema.String,
        sizeBytes: described(Count, "of the file"),
        compression: optional(Schema.Literal("gzip", "zstd"), "of the object; null: it is as the file"),
        requests: described(Count, "at most, if it is compressed")
      })
    ),
    "with --dry-run: what would be sent"
  )
})
export type Report = typeof Report.Type

/** A multipart upload whose parts stay in the store. */
export type OpenUpload = Report["openMultipartUploads"][number]

/** What is known of a run when it is over. */
export interface Facts {
  readonly version: string
  readonly runId: string
  readonly startedAt: Date
  readonly durationMillis: number
  readonly signal: ExitCode.StopSignal | undefined
  readonly endedBy: ExportError | undefined
  readonly complete: boolean
  readonly tally: Tally.Tally
  readonly openUploads: ReadonlyArray<OpenUpload>
  readonly ledger: { readonly path: string; readonly setAside: string | undefined } | undefined
  readonly traits: StoreTraits | undefined
}

const problem = (error: ExportError): typeof Problem.Type => ({
  class: ExitCode.ofError[error._tag].name,
  exitCode: ExitCode.ofError[error._tag].code,
  message: error.message,
  hint: error.hint,
  code: "code" in error ? (error.code ?? null) : null,
  status: "status" in error ? (error.status ?? null) : null,
  requestId: "requestId" in error ? (error.requestId ?? null) : null
})

/** All but the metrics, which are made from it. */
export const make = (settings: Settings, facts: Facts): Report => {
  const { tally } = facts
  const exit = ExitCode.of({ signal: facts.signal, endedBy: facts.endedBy?._tag, failed: tally.failedClasses })
  return {
    schemaVersion: 1,
    tool: { name: "ibsr-export", version: facts.version },
    run: {
      id: facts.runId,
      startedAt: facts.startedAt.toISOString(),
      durationSeconds: facts.durationMillis / 1000,
      dryRun: settings.dryRun
    },
    result: {
      exitCode: exit.code,
      name: exit.name,
      signal: facts.signal ?? null,
      endedBy: facts.endedBy === undefined ? null : problem(facts.endedBy)
    },
    source: { input: settings.input },
    target: {
      bucket: settings.bucket,
      prefix: settings.prefix,
      endpoint: settings.endpoint?.href ?? null
    },
    ledger: facts.ledger === undefined ? null : { path: facts.ledger.path, setAside: facts.ledger.setAside ?? null },
    store:
      facts.traits === undefined
        ? null
        : {
            checksum: facts.traits.checksum,
            unencrypted: facts.traits.unencrypted,
            clockOffsetSeconds: Math.round(facts.traits.clockOffsetMillis / 1000)
          },
    totals: {
      selected: Tally.selected(tally),
      uploaded: tally.uploaded,
      uploadedBytes: tally.uploadedBytes,
      objectBytes: tally.objectBytes,
      resumed: tally.resumed,
      resumedBytes: tally.resumedBytes,
      unchanged: tally.unchanged,
      skipped: tally.skipped,
      skippedSymlinks: tally.skippedBy.symlink,
      skippedDeadLinks: tally.skippedBy["dead-link"],
      skippedSpecial: tally.skippedBy.special,
      excluded: tally.excluded,
      notReady: tally.notReady,
      live: tally.live,
      vanished: tally.vanished,
      failed: tally.failed,
      interrupted: tally.interrupted,
      notTried: tally.notTried,
      lost: tally.lost,
      retries: tally.retries
    },
    complete: facts.complete,
    failures: tally.failures.map((failure) => ({
      file: failure.relativePath,
      key: failure.key ?? null,
      ...problem(failure.error)
    })),
    failuresOmitted: tally.failed - tally.failures.length,
    tornFiles: tally.torn,
    lostFiles: tally.lostFiles,
    filesAtRisk: tally.atRisk.map(({ file, rotatedAt }) => ({ file, rotatedAt: new Date(rotatedAt).toISOString() })),
    replacedFiles: tally.replaced,
    keptUploads: tally.keptUploads,
    openMultipartUploads: facts.openUploads,
    metrics: null,
    plan: settings.dryRun
      ? tally.plan.map(({ compression, key, parts, relativePath, sizeBytes }) => ({
          file: relativePath,
          key,
          sizeBytes,
          compression: compression === "none" ? null : compression,
          // a multipart upload is created and completed by a request each
          requests: parts === 1 ? 1 : parts + 2
        }))
      : null
  }
}

/** The result of a run: one value, printed as text or as JSON. `RunFacts.ts` makes it. */
import { Schema } from "effect"
import * as Tally from "../domain/Tally.ts"

export const Count = Schema.NonNegativeInt

export const described = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.annotations(schema, { description })

/** A field that is `null` where it does not apply. */
export const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.NullOr(schema).annotations({ description })

const Problem = Schema.Struct({
  class: described(Schema.String, "name of the failure class, as in the table of exit codes"),
  exitCode: described(Count, "exit code of the class"),
  message: Schema.String,
  hint: described(Schema.String, "what to do next"),
  code: optional(Schema.String, "error code of the store or of the system"),
  status: optional(Count, "HTTP status"),
  requestId: optional(Schema.String, "the store's id of the request")
})
export type Problem = typeof Problem.Type

const ManifestResult = Schema.Struct({
  written: described(Count, "manifests stored by this run"),
  waiting: described(Count, "manifests that changed, and that the next run stores"),
  failures: described(
    Schema.Array(Schema.Struct({ directory: Schema.String, message: Schema.String, hint: Schema.String })),
    "why manifests could not be stored; they do not change the exit code"
  ),
  file: optional(
    Schema.Struct({ path: Schema.String, error: optional(Schema.String, "why the file could not be written") }),
    "the file that --manifest-file names; null: not given"
  )
})
export type ManifestResult = typeof ManifestResult.Type

/** A new field does not change `schemaVersion`. A change of meaning increments it. */
export const Report = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  tool: described(Schema.Struct({ name: Schema.String, version: Schema.String }), "the program that wrote this"),
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
    cause: optional(Schema.String, "why the run has this exit code; null: it succeeded"),
    hint: optional(Schema.String, "what to do about the cause"),
    endedBy: optional(Problem, "the failure that ended the run before all files were tried")
  }),
  source: Schema.Struct({ input: Schema.String }),
  target: Schema.Struct({
    bucket: Schema.String,
    prefix: Schema.String,
    endpoint: optional(Schema.String, "null: AWS"),
    region: optional(Schema.String, "null: no flag, variable or profile names it")
  }),
  ledger: optional(
    Schema.Struct({
      path: Schema.String,
      setAside: optional(Schema.String, "new path of an earlier, unusable ledger")
    }),
    "what this host remembers of its uploads; null: could not be opened"
  ),
  store: optional(
    Schema.Struct({
      checksum: described(
        Schema.Literal("SHA256", "MD5", "none"),
        "checksum sent with every body; MD5 if the store does not accept SHA256, none if it accepts neither"
      ),
      unencrypted: described(Schema.Boolean, "--sse was given, and not every response confirmed it"),
      clockOffsetSeconds: described(Schema.Number, "how far the store's clock is ahead of this host's")
    }),
    "what the store's responses revealed; null: no request was sent"
  ),
  totals: Schema.Struct({
    selected: described(Count, "files that match --include and --exclude"),
    uploaded: described(Count, "files stored by this run"),
    uploadedBytes: described(Count, "bytes of these files"),
    objectBytes: described(Count, "bytes of their objects: fewer with --compress"),
    resumed: described(Count, "uploaded files of which an earlier run had sent parts"),
    resumedBytes: described(Count, "bytes of these parts, which were not sent again"),
    unchanged: described(Count, "files that an earlier run stored completely"),
    skipped: described(Count, "entries that are not regular files: the sum of the next three"),
    skippedSymlinks: described(Count, "symbolic links, without --follow-symlinks"),
    skippedDeadLinks: described(Count, "symbolic links without a target, or in a cycle"),
    skippedSpecial: described(Count, "FIFOs, sockets and devices"),
    excluded: described(Count, "files that do not match --include and --exclude"),
    notReady: described(Count, ".jsonl files without a complete line yet"),
    live: described(Count, "files that may still grow, with --final-only"),
    vanished: described(Count, "files rotated away before they could be opened"),
    failed: described(Count, "files, and directories that could not be listed"),
    interrupted: described(Count, "files whose upload was interrupted by a signal or the deadline"),
    notTried: described(Count, "files that the run did not reach, or did not finish before a failure ended it"),
    lost: described(Count, "files rotated away since the last run before they were stored; not counted as selected"),
    endNotSeen: described(
      Count,
      "files deleted after every line that a run saw had been stored; not counted as selected"
    ),
    retries: described(Count, "retries of requests, for all files together")
  }),
  setupWarnings: described(
    Schema.Array(Schema.String),
    "what to correct in the setup of this job, although the run did not fail for it"
  ),
  unmatchedPatterns: described(
    Schema.Array(Schema.String),
    "--include patterns that matched no file, although other files were excluded"
  ),
  complete: described(Schema.Boolean, "false: the run ended before it had seen all of the input"),
  failures: described(
    Schema.Array(Schema.Struct({ file: Schema.String, key: Schema.NullOr(Schema.String), ...Problem.fields })),
    `the first ${Tally.maxListed} failures`
  ),
  failuresOmitted: described(Count, "number of further failures"),
  tornFiles: described(
    Schema.Array(Schema.String),
    "final files that end in an incomplete line because their writer was interrupted; stored unchanged; the first 100"
  ),
  lostFiles: described(Schema.Array(Schema.String), "lost files, each reported once; the first 100"),
  lossHint: optional(Schema.String, "how to prevent further losses"),
  endNotSeenFiles: described(
    Schema.Array(Schema.String),
    "deleted while their stored objects were live; nothing shows that a line is missing; the first 100"
  ),
  filesAtRisk: described(
    Schema.Array(Schema.Struct({ file: Schema.String, rotatedAt: Schema.String })),
    "not completely stored, and rotated away before the next run is expected; rotatedAt is ISO 8601, UTC; the nearest 100"
  ),
  replacedFiles: described(
    Schema.Array(Schema.Struct({ file: Schema.String, key: Schema.String })),
    "files that could not replace what was stored before, so their content went to a new key; the first 100"
  ),
  keptUploads: described(
    Schema.Array(Schema.Struct({ key: Schema.String, uploadId: Schema.String, storedBytes: Count, sizeBytes: Count })),
    "interrupted multipart uploads that the next run resumes; the first 100"
  ),
  openMultipartUploads: described(
    Schema.Array(Schema.Struct({ key: Schema.String, uploadId: Schema.String, reason: Schema.String })),
    "multipart uploads that could not be aborted; their parts cost storage until a lifecycle rule removes them"
  ),
  manifests: optional(ManifestResult, "with --manifest or --manifest-file; null: the run ended before it made any"),
  metrics: optional(
    Schema.Struct({
      path: Schema.String,
      error: optional(Schema.String, "why the file could not be written")
    }),
    "the file that --metrics-file names; null: not given"
  ),
  plan: optional(
    Schema.Array(
      Schema.Struct({
        file: Schema.String,
        key: Schema.String,
        sizeBytes: described(Count, "of the file"),
        compression: optional(Schema.Literal("gzip", "zstd"), "null: the object is the unchanged file"),
        requests: described(Count, "an upper bound if the object is compressed")
      })
    ),
    "with --dry-run: what would be sent"
  )
})
export type Report = typeof Report.Type

/** Whether the run tried every file of the input. */
export const sawAll = ({ complete, totals }: Report): boolean =>
  complete && totals.notTried === 0 && totals.interrupted === 0

/** A multipart upload whose parts stay in the store. */
export type OpenUpload = Report["openMultipartUploads"][number]

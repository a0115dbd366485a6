/** The facts about a run, and the report that is made from them. */
import type { ExportError } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import type { Settings } from "../domain/Settings.ts"
import type { StoreTraits } from "../domain/StoreTraits.ts"
import * as Tally from "../domain/Tally.ts"
import * as Ending from "./Ending.ts"
import type { ManifestResult, OpenUpload, Problem, Report } from "./Report.ts"

/** The facts from which a run's report is made. */
export interface RunFacts {
  readonly version: string
  readonly runId: string
  readonly startedAt: Date
  readonly durationMillis: number
  readonly signal: ExitCode.StopSignal | undefined
  readonly endedBy: ExportError | undefined
  readonly complete: boolean
  readonly setupWarnings: ReadonlyArray<string>
  /** Patterns of `--include` that matched no file. */
  readonly unmatched: ReadonlyArray<string>
  readonly tally: Tally.Tally
  readonly openUploads: ReadonlyArray<OpenUpload>
  readonly ledger: { readonly path: string; readonly setAside: string | undefined } | undefined
  readonly traits: StoreTraits | undefined
  readonly manifests: ManifestResult | undefined
}

const problem = (error: ExportError): Problem => ({
  class: ExitCode.ofError[error._tag].name,
  exitCode: ExitCode.ofError[error._tag].code,
  message: error.message,
  hint: error.hint,
  code: "code" in error ? (error.code ?? null) : null,
  status: "status" in error ? (error.status ?? null) : null,
  requestId: "requestId" in error ? (error.requestId ?? null) : null
})

/** Makes the report of a run. `metrics` is added later, because the metrics are made from the report. */
export const toReport = (settings: Settings, facts: RunFacts): Report => {
  const { tally } = facts
  const exit = ExitCode.of({
    signal: facts.signal,
    endedBy: facts.endedBy?._tag,
    failed: new Set(tally.failedClasses.keys())
  })
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
      ...(Ending.of(exit, facts) ?? { cause: null, hint: null }),
      endedBy: facts.endedBy === undefined ? null : problem(facts.endedBy)
    },
    source: { input: settings.input },
    target: {
      bucket: settings.bucket,
      prefix: settings.prefix,
      endpoint: settings.endpoint?.href ?? null,
      region: settings.region ?? null
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
      endNotSeen: tally.endNotSeen,
      retries: tally.retries
    },
    setupWarnings: facts.setupWarnings,
    // if no file is excluded, an unmatched pattern is no mistake: the input is empty, or another pattern matched
    // everything
    unmatchedPatterns: facts.complete && tally.excluded > 0 ? facts.unmatched : [],
    complete: facts.complete,
    failures: tally.failures.map((failure) => ({
      file: failure.relativePath,
      key: failure.key ?? null,
      ...problem(failure.error)
    })),
    failuresOmitted: tally.failed - tally.failures.length,
    tornFiles: tally.torn,
    lostFiles: tally.lostFiles,
    lossHint: tally.lossHint ?? null,
    endNotSeenFiles: tally.endNotSeenFiles,
    filesAtRisk: tally.atRisk.map(({ file, rotatedAt }) => ({ file, rotatedAt: new Date(rotatedAt).toISOString() })),
    replacedFiles: tally.replaced,
    keptUploads: tally.keptUploads,
    openMultipartUploads: facts.openUploads,
    manifests: facts.manifests ?? null,
    metrics: null,
    plan: settings.dryRun
      ? tally.plan.map(({ compression, key, parts, relativePath, sizeBytes }) => ({
          file: relativePath,
          key,
          sizeBytes,
          compression: compression === "none" ? null : compression,
          // creating a multipart upload takes one request, and completing it another
          requests: parts === 1 ? 1 : parts + 2
        }))
      : null
  }
}

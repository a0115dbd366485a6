import { Array, Chunk, Clock, Context, Duration, Effect, Either, Layer, Option, Stream } from "effect"
import * as ConcurrencyLimit from "../domain/ConcurrencyLimit.ts"
import * as DurationText from "../domain/DurationText.ts"
import { type ConfigError, type ExportError, NothingSelected, Stale } from "../domain/Errors.ts"
import * as LedgerConcern from "../domain/LedgerConcern.ts"
import * as ManifestDirectory from "../domain/ManifestDirectory.ts"
import { Outcome } from "../domain/Outcome.ts"
import * as RunInterval from "../domain/RunInterval.ts"
import * as Selection from "../domain/Selection.ts"
import type { Settings } from "../domain/Settings.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import type { StoreTraits } from "../domain/StoreTraits.ts"
import * as Tally from "../domain/Tally.ts"
import * as WorkerPool from "../fibers/WorkerPool.ts"
import * as Report from "../report/Report.ts"
import * as RunFacts from "../report/RunFacts.ts"
import * as BatchUpload from "./Export/BatchUpload.ts"
import * as ClosedHour from "./Export/ClosedHour.ts"
import { Deadline, type WorkResult } from "./Export/Deadline.ts"
import * as LossCheck from "./Export/LossCheck.ts"
import { Ledger, type OpenLedger } from "./Ledger.ts"
import { Metrics } from "./Metrics.ts"
import { Progress } from "./Progress.ts"
import { Reporter } from "./Reporter.ts"
import * as ChangeDetection from "./Source/ChangeDetection.ts"
import { Stop, type StopReason } from "./Stop.ts"
import { Traversal } from "./Traversal.ts"
import { Uploads } from "./Uploads.ts"

/** One run, from opening the ledger to publishing the report. */
export class Export extends Context.Tag("ibsr-export/Export")<
  Export,
  {
    /** Publishes the report and returns it. Never fails: a failed run has a report, too. */
    readonly run: Effect.Effect<Report.Report>
  }
>() {
  static readonly layer = (settings: Settings, identity: Identity) =>
    Layer.effect(
      Export,
      Effect.gen(function* () {
        const traversal = yield* Traversal
        const ledgers = yield* Ledger
        const uploads = yield* Uploads
        const batchUpload = yield* BatchUpload.make
        const reporter = yield* Reporter
        const metrics = yield* Metrics
        const progress = yield* Progress
        const stop = yield* Stop
        const deadline = yield* Deadline
        const selection = Selection.make(settings)
        const selectChanged = ChangeDetection.make(settings, selection, reporter)

        const run = Effect.gen(function* () {
          const startedAt = yield* Clock.currentTimeMillis
          const opened = yield* Effect.either(openLedger(startedAt))
          const ledger = Option.flatten(Either.getRight(opened))
          const result = yield* Option.match(ledger, {
            onNone: () => Effect.succeed(notStarted(Option.getOrUndefined(Either.getLeft(opened)))),
            onSome: (open) => exportFiles(open, startedAt)
          })
          const report = yield* reportOf(startedAt, ledger, result)
          const published = { ...report, metrics: yield* metrics.publish(report) }
          yield* reporter.publish(published)
          return published
        }).pipe(Effect.scoped)

        /** Opens the ledger. Returns none if a stop is requested while another run holds the lock. */
        const openLedger = (startedAt: number) =>
          Effect.raceFirst(
            Effect.asSome(identity.misconfigured ?? ledgers.open({ id: identity.runId, startedAt })),
            Effect.as(stop.requested, Option.none<OpenLedger>())
          )

        const exportFiles = (ledger: OpenLedger, startedAt: number): Effect.Effect<RunResult> =>
          Effect.gen(function* () {
            let manifests: Report.ManifestResult | undefined
            const steps = Effect.all(
              [
                uploadChanged(ledger),
                checkLosses(ledger, startedAt),
                Effect.map(writeManifests(ledger, startedAt), (written) => void (manifests = written))
              ],
              { discard: true }
            )
            const result = yield* progress.during(deadline.bound(steps))
            for (let left = result.abandoned; left > 0; left--) Tally.add(reporter.tally, Outcome.Interrupted())
            const traits = yield* uploads.traits
            if (traits !== undefined && traits.checksum !== ledger.checksum)
              yield* Effect.ignore(ledger.rememberChecksum(traits.checksum))
            return yield* Effect.match(ledger.flush, {
              onFailure: (error) => ({ ...result, traits, manifests, error }),
              onSuccess: () => ({ ...result, traits, manifests })
            })
          })

        /** Walks the whole input even after a stop is requested, so that the remaining files are counted. */
        const uploadChanged = (ledger: OpenLedger) => {
          const { count, size } = ConcurrencyLimit.batches(settings.concurrency)
          const closedHour = ClosedHour.make(settings, ledger, stop)
          const inBatches = (files: ReadonlyArray<SourceFile>) => Array.chunksOf(files, size)
          const batches = traversal.files(settings.input).pipe(
            Stream.mapChunksEffect(selectChanged(ledger)),
            Stream.mapChunksEffect((files) =>
              Effect.map(closedHour.postpone(Chunk.toReadonlyArray(files)), (now) => Chunk.fromIterable(inBatches(now)))
            )
          )
          return Effect.flatMap(batchUpload(ledger), (uploadBatch) =>
            WorkerPool.forEach(batches, count, uploadBatch).pipe(
              Effect.zipRight(closedHour.wait),
              Effect.flatMap((postponed) => Effect.forEach(inBatches(postponed), uploadBatch, { discard: true }))
            )
          )
        }

        const checkLosses = (ledger: OpenLedger, startedAt: number) =>
          Effect.gen(function* () {
            const reason = yield* stop.reason
            if (Option.exists(reason, ({ _tag }) => _tag === "Signal")) return
            const now = yield* Clock.currentTimeMillis
            yield* LossCheck.checkLosses(ledger, settings, intervalOf(ledger, startedAt), now, reporter)
            if (Option.isNone(reason)) yield* uploads.abortStale(ledger)
          })

        /** Writes the manifests. Returns undefined if the user wants none, or if the run was stopped. */
        const writeManifests = (ledger: OpenLedger, startedAt: number) =>
          Effect.gen(function* () {
            const isStopped = Option.isSome(yield* stop.reason)
            if (!ManifestDirectory.isWanted(settings) || settings.dryRun || isStopped) return undefined
            const { createAside: create, ready } = uploads
            // loaded on first use, because most runs write no manifests
            const Manifests = yield* Effect.promise(() => import("./Export/Manifests.ts"))
            const origin = { version: identity.version, runInterval: intervalOf(ledger, startedAt) }
            return yield* Manifests.write(ledger, settings, origin, { create, ready: ready(ledger) }, stop)
          })

        /** Builds the report, and records the exit code in the ledger. */
        const reportOf = (startedAt: number, ledger: Option.Option<OpenLedger>, result: RunResult) =>
          Effect.gen(function* () {
            const reason = Option.getOrUndefined(yield* stop.reason)
            const endedAt = yield* Clock.currentTimeMillis
            if (reason?._tag === "Failure" && reason.error._tag !== "DeadlineExceeded")
              Tally.countInterruptedAsNotTried(reporter.tally)
            const report = RunFacts.toReport(settings, {
              ...identity,
              setupWarnings: [
                ...identity.setupWarnings,
                ...Option.match(ledger, { onNone: () => [], onSome: concernsOf })
              ],
              startedAt: new Date(startedAt),
              durationMillis: endedAt - startedAt,
              signal: reason?._tag === "Signal" ? reason.signal : undefined,
              endedBy:
                endedBy(reason, result.error) ??
                nothingSelected(settings, reporter.tally) ??
                stale(settings, reporter.tally, result, endedAt),
              complete: result.complete,
              unmatched: selection.unmatched(),
              tally: reporter.tally,
              openUploads: reporter.openUploads,
              ledger: Option.getOrUndefined(ledger),
              traits: result.traits,
              manifests: result.manifests
            })
            yield* Effect.ignore(
              Effect.transposeMapOption(ledger, (open) =>
                open.runEnded({ ...report.result, endedAt, sawAll: Report.sawAll(report) })
              )
            )
            return report
          })

        return { run }
      })
    )
}

/** The expected time between two runs, in milliseconds. */
const intervalOf = ({ previousRuns }: OpenLedger, startedAt: number) =>
  RunInterval.expected([startedAt, ...previousRuns])

const concernsOf = ({ concerns, path }: OpenLedger) => concerns.map(LedgerConcern.sentence(path))

interface Identity extends Pick<RunFacts.RunFacts, "version" | "runId" | "setupWarnings"> {
  /** Why endpoint or region is not known. The run then only reports this error. */
  readonly misconfigured: ConfigError | undefined
}

interface RunResult extends WorkResult {
  /** Undefined if the store has not responded. */
  readonly traits?: StoreTraits | undefined
  readonly manifests?: Report.ManifestResult | undefined
}

const notStarted = (error: WorkResult["error"]): RunResult => ({ complete: false, abandoned: 0, error })

/** An unusable ledger takes precedence over the reason for the stop. */
const endedBy = (reason: StopReason | undefined, error: ExportError | undefined) =>
  error?._tag !== "StateUnusable" && reason?._tag === "Failure" ? reason.error : error

const nothingSelected = ({ failIfEmpty, input }: Settings, tally: Tally.Tally) =>
  failIfEmpty && Tally.selected(tally) === 0 ? new NothingSelected({ input }) : undefined

/** Only if nothing else has failed: the failures are more important. */
const stale = (
  { input, staleAfter }: Settings,
  { failedClasses, newestAt }: Tally.Tally,
  { complete }: RunResult,
  now: number
) => {
  if (staleAfter === undefined || failedClasses.size > 0 || !complete) return undefined
  if (newestAt === undefined) return new Stale({ input, detail: "no file was selected" })
  const idle = Duration.millis(now - newestAt)
  return Duration.greaterThan(idle, staleAfter)
    ? new Stale({ input, detail: `no selected file has changed for ${DurationText.format(idle)}` })
    : undefined
}

import { Chunk, Clock, Context, Effect, Either, Layer, Option, Stream } from "effect"
import * as ConcurrencyLimit from "../domain/ConcurrencyLimit.ts"
import { InternalError, NothingSelected } from "../domain/Errors.ts"
import * as FailureClass from "../domain/FailureClass.ts"
import type { StoreTraits } from "../domain/StoreTraits.ts"
import * as Outcome from "../domain/Outcome.ts"
import * as Report from "../report/Report.ts"
import type { Settings } from "../domain/Settings.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import * as Tally from "../domain/Tally.ts"
import { type WorkResult, Deadline } from "./Export/Deadline.ts"
import { Ledger, type OpenLedger } from "./Ledger.ts"
import { Metrics } from "./Metrics.ts"
import { cached } from "../fibers/Cached.ts"
import { Progress } from "./Progress.ts"
import { Reporter, type FileOutcome } from "./Reporter.ts"
import * as LossCheck from "./Export/LossCheck.ts"
import * as ChangeDetection from "./Source/ChangeDetection.ts"
import { Stop } from "./Stop.ts"
import { Traversal } from "./Traversal.ts"
import { Uploads } from "./Uploads.ts"
import * as WorkerPool from "../fibers/WorkerPool.ts"

/** One run, from the first file to the report. */
export class Export extends Context.Tag("ibsr-export/Export")<
  Export,
  {
    /** Does the work, publishes the report, and returns it. A run that fails is a report like any other. */
    readonly run: Effect.Effect<Report.Report>
  }
>() {
  static readonly layer = (settings: Settings, identity: { readonly version: string; readonly runId: string }) =>
    Layer.effect(
      Export,
      Effect.gen(function* () {
        const traversal = yield* Traversal
        const ledgers = yield* Ledger
        const uploads = yield* Uploads
        const reporter = yield* Reporter
        const metrics = yield* Metrics
        const progress = yield* Progress
        const stop = yield* Stop
        const ending = yield* Deadline
        const screened = ChangeDetection.make(settings, reporter)

        /** Asked when the first file needs it: most runs find little to send, and some nothing. */
        const readiness = (ledger: OpenLedger) =>
          cached(
            Effect.raceFirst(uploads.ready(ledger.checksum), stop.requested).pipe(
              Effect.catchAll((error) =>
                error._tag === "Interrupted" ? Effect.void : stop.request({ _tag: "Failure", error })
              )
            )
          )

        /** Counts what became of files, and ends the run if none that is left can fare better. */
        const tell = (all: ReadonlyArray<FileOutcome>) =>
          Effect.zipRight(
            reporter.addOutcomes(all),
            Effect.suspend(() => {
              const error = all.flatMap(({ outcome }) => (outcome._tag === "Failed" ? [outcome.error] : []))
              const last = error.find((one) => FailureClass.endsRun(one, reporter.tally))
              return last === undefined ? Effect.void : stop.request({ _tag: "Failure", error: last })
            })
          )

        const some = (ledger: OpenLedger, ready: Effect.Effect<void>) => (files: ReadonlyArray<SourceFile>) =>
          Effect.flatMap(Effect.zipRight(ready, stop.reason), (reason) => {
            if (Option.isSome(reason)) {
              const sighted = Effect.forEach(files, (file) => ledger.markPending(file.relativePath), { discard: true })
              return Effect.zipRight(Effect.ignore(sighted), tell(files.map(toldAs(Outcome.Outcome.NotTried()))))
            }
            const left = new Set<FileOutcome["file"]>(files)
            const telling = (told: ReadonlyArray<FileOutcome>) => {
              for (const { file } of told) left.delete(file)
              return tell(told)
            }
            const cutOff = Effect.suspend(() => tell(Array.from(left, toldAs(Outcome.Outcome.Interrupted()))))
            const done = Effect.catchAllDefect(uploads.uploadAll(ledger, files, telling), (cause) => {
              const error = new InternalError({ detail: String(cause), cause })
              return tell(Array.from(left, (file) => toldAs(Outcome.failedWithoutKey(file, error))(file)))
            })
            return ending.withinGrace(done, cutOff, () => left.size)
          })

        /** All files; when there is a reason to stop, those left are still counted. Then what became of the others. */
        const work = (ledger: OpenLedger, startedAt: number): Effect.Effect<Done> =>
          Effect.gen(function* () {
            const { count, size } = ConcurrencyLimit.batches(settings.concurrency)
            const files = Stream.mapChunksEffect(traversal.files(settings.input), screened(ledger)).pipe(
              Stream.mapChunks((chunk) => Chunk.map(Chunk.chunksOf(chunk, size), Chunk.toReadonlyArray))
            )
            const ready = yield* readiness(ledger)
            const everything = WorkerPool.forEach(files, count, some(ledger, ready))
            const end = yield* progress.during(ending.bound(Effect.zipRight(everything, review(ledger, startedAt))))
            for (let left = end.abandoned; left > 0; left--) {
              Tally.add(reporter.tally, Outcome.Outcome.Interrupted())
            }
            const traits = yield* uploads.traits
            if (traits !== undefined && traits.checksum !== ledger.checksum)
              yield* Effect.ignore(ledger.rememberChecksum(traits.checksum))
            return yield* Effect.match(ledger.flush, {
              onFailure: (error) => ({ ...end, traits, error }),
              onSuccess: () => ({ ...end, traits })
            })
          })

        const review = (ledger: OpenLedger, startedAt: number) =>
          Effect.gen(function* () {
            // who was told to stop does not look for more
            const reason = yield* stop.reason
            if (Option.exists(reason, ({ _tag }) => _tag === "Signal")) return
            const now = yield* Clock.currentTimeMillis
            yield* LossCheck.checkLosses(
              ledger,
              settings,
              LossCheck.nextRunAt(now, startedAt, ledger.previousRunAt),
              reporter
            )
            if (Option.isNone(reason)) yield* uploads.tidy(ledger)
          })

        const run = Effect.gen(function* () {
          const startedAt = yield* Clock.currentTimeMillis
          // it may be waited for
          const opened = yield* Effect.raceFirst(
            Effect.asSome(ledgers.open({ id: identity.runId, startedAt })),
            Effect.as(stop.requested, Option.none<OpenLedger>())
          ).pipe(Effect.either)
          const ledger = Option.flatten(Either.getRight(opened))
          const end = yield* Option.match(ledger, {
            onNone: () => Effect.succeed(nothingDone(Option.getOrUndefined(Either.getLeft(opened)))),
            onSome: (open) => work(open, startedAt)
          })

          const reason = Option.getOrUndefined(yield* stop.reason)
          const failure = end.error?._tag !== "StateUnusable" && reason?._tag === "Failure" ? reason.error : end.error
          const endedAt = yield* Clock.currentTimeMillis
          const report = Report.make(settings, {
            ...identity,
            startedAt: new Date(startedAt),
            durationMillis: endedAt - startedAt,
            signal: reason?._tag === "Signal" ? reason.signal : undefined,
            endedBy: failure ?? emptiness(settings, reporter.tally),
            complete: end.complete,
            tally: reporter.tally,
            openUploads: reporter.openUploads,
            ledger: Option.getOrUndefined(ledger),
            traits: end.traits
          })
          yield* Effect.ignore(
            Effect.transposeMapOption(ledger, (open) => open.runEnded(report.result.exitCode, endedAt))
          )
          const told = { ...report, metrics: yield* metrics.publish(report) }
          yield* reporter.publish(told)
          return told
        }).pipe(Effect.scoped)

        return { run }
      })
    )
}

const toldAs =
  (outcome: Outcome.Outcome) =>
  (file: FileOutcome["file"]): FileOutcome => ({ file, outcome })

interface Done extends WorkResult {
  /** Of the store; undefined if it was not asked anything. */
  readonly traits?: StoreTraits | undefined
}

const nothingDone = (error: WorkResult["error"]): Done => ({ complete: false, abandoned: 0, error })

const emptiness = ({ failIfEmpty, input }: Settings, tally: Tally.Tally) =>
  failIfEmpty && Tally.selected(tally) === 0 ? new NothingSelected({ input }) : undefined

import { Clock, Context, Effect, Layer, Option } from "effect"
import { DeadlineExceeded, type ExportError, NothingSelected } from "../domain/Errors.ts"
import * as Outcome from "../domain/Outcome.ts"
import * as Report from "../domain/Report.ts"
import * as Selection from "../domain/Selection.ts"
import type { Settings } from "../domain/Settings.ts"
import type { Found } from "../domain/SourceFile.ts"
import * as Span from "../domain/Span.ts"
import * as Verdict from "../domain/Verdict.ts"
import { KeyMapping } from "./KeyMapping.ts"
import { Reporter } from "./Reporter.ts"
import { Stop, type StopReason } from "./Stop.ts"
import { Traversal } from "./Traversal.ts"
import { Uploads } from "./Uploads.ts"
import * as Workers from "./Workers.ts"

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
        const keys = yield* KeyMapping
        const uploads = yield* Uploads
        const reporter = yield* Reporter
        const stop = yield* Stop
        const selection = Selection.make(settings)

        const tryOne = (found: Found): Effect.Effect<Outcome.Outcome> => {
          if (found._tag === "Unreadable") {
            const { error, relativePath } = found
            return Effect.succeed(
              selection.excludes(relativePath)
                ? Outcome.Outcome.Excluded()
                : Outcome.Outcome.Failed({ relativePath, key: undefined, error, retries: 0 })
            )
          }
          const relativePath = found._tag === "File" ? found.file.relativePath : found.relativePath
          if (!selection.keeps(relativePath)) return Effect.succeed(Outcome.Outcome.Excluded())
          if (found._tag === "Skipped") return Effect.succeed(Outcome.Outcome.Skipped({ why: found.why }))
          return Effect.flatMap(stop.reason, (reason) =>
            Option.isSome(reason)
              ? Effect.succeed(Outcome.Outcome.NotTried())
              : Effect.matchEffect(keys.keyOf(found.file), {
                  onFailure: (error) =>
                    Effect.succeed(Outcome.Outcome.Failed({ relativePath, key: undefined, error, retries: 0 })),
                  onSuccess: (key) => uploads.upload(found.file, key)
                })
          )
        }

        const one = (found: Found) =>
          Effect.gen(function* () {
            const outcome = yield* Effect.onInterrupt(tryOne(found), () =>
              reporter.outcome(Outcome.Outcome.Interrupted())
            )
            yield* reporter.outcome(outcome)
            if (outcome._tag === "Failed" && Verdict.endsRun(outcome.error, reporter.tally)) {
              yield* stop.request({ _tag: "Failure", error: outcome.error })
            }
          })

        /** All of it; when there is a reason to stop, the files left are still counted. */
        const work = Effect.gen(function* () {
          yield* Effect.raceFirst(uploads.ready, Effect.asVoid(stop.requested))
          yield* Workers.forEach(traversal.files(settings.input), settings.concurrency, one)
        })

        /** What is in flight when the run is to stop gets `--grace` to finish; a deadline is a deadline. */
        const cutOff = Effect.flatMap(stop.requested, (reason) => Effect.sleep(isDeadline(reason) ? 0 : settings.grace))

        const deadline = settings.deadline
        const atDeadline =
          deadline === undefined
            ? Effect.void
            : stop
                .request({ _tag: "Failure", error: new DeadlineExceeded({ deadline: Span.format(deadline) }) })
                .pipe(Effect.delay(deadline))

        const run = Effect.gen(function* () {
          const startedAt = yield* Clock.currentTimeMillis
          yield* Effect.forkScoped(atDeadline)
          const end = yield* work.pipe(
            Effect.as({ complete: true }),
            Effect.raceFirst(Effect.as(cutOff, { complete: false })),
            Effect.catchAll((error) => Effect.succeed({ complete: false, error }))
          )
          const reason = Option.getOrUndefined(yield* stop.reason)
          const report = Report.make(settings, {
            ...identity,
            startedAt: new Date(startedAt),
            durationMillis: (yield* Clock.currentTimeMillis) - startedAt,
            signal: reason?._tag === "Signal" ? reason.signal : undefined,
            endedBy: reason?._tag === "Failure" ? reason.error : "error" in end ? end.error : emptyInput(),
            complete: end.complete,
            tally: reporter.tally,
            openUploads: reporter.openUploads
          })
          yield* reporter.publish(report)
          return report
        }).pipe(Effect.scoped)

        const emptyInput = (): ExportError | undefined =>
          settings.failIfEmpty && Outcome.selected(reporter.tally) === 0
            ? new NothingSelected({ input: settings.input })
            : undefined

        return { run }
      })
    )
}

const isDeadline = (reason: StopReason) => reason._tag === "Failure" && reason.error._tag === "DeadlineExceeded"

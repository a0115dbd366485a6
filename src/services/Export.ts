import { Clock, Context, Duration, Effect, Either, Layer, Option } from "effect"
import { DeadlineExceeded, NothingSelected } from "../domain/Errors.ts"
import * as Outcome from "../domain/Outcome.ts"
import * as Report from "../domain/Report.ts"
import * as Selection from "../domain/Selection.ts"
import type { Settings } from "../domain/Settings.ts"
import { type Found, pathOf, type SourceFile } from "../domain/SourceFile.ts"
import * as Span from "../domain/Span.ts"
import * as Verdict from "../domain/Verdict.ts"
import { KeyMapping } from "./KeyMapping.ts"
import { Progress } from "./Progress.ts"
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
        const progress = yield* Progress
        const stop = yield* Stop
        const selection = Selection.make(settings)

        // what is in flight when the run is to stop gets `--grace` to finish; a deadline is a deadline
        const graceOver = Effect.flatMap(stop.requested, (reason) =>
          Effect.sleep(isDeadline(reason) ? Duration.zero : settings.grace)
        )
        const cutOff = Effect.as(graceOver, Outcome.Outcome.Interrupted())

        const upload = (file: SourceFile): Effect.Effect<Outcome.Outcome> =>
          Effect.flatMap(stop.reason, (reason) =>
            Option.isSome(reason)
              ? Effect.succeed(Outcome.Outcome.NotTried())
              : Either.match(keys.keyOf(file), {
                  onLeft: (error) => Effect.succeed(Outcome.failed(file, error)),
                  onRight: (key) => Effect.raceFirst(uploads.upload(file, key), cutOff)
                })
          )

        const one = (found: Found) =>
          Either.match(Selection.admit(selection, found), { onLeft: Effect.succeed, onRight: upload }).pipe(
            Effect.tap((outcome) => reporter.outcome(pathOf(found), outcome)),
            Effect.flatMap((outcome) =>
              outcome._tag === "Failed" && Verdict.endsRun(outcome.error, reporter.tally)
                ? stop.request({ _tag: "Failure", error: outcome.error })
                : Effect.void
            )
          )

        // when there is a reason to stop, the files left are still counted
        const everything = Effect.zipRight(
          Effect.raceFirst(uploads.ready, Effect.asVoid(stop.requested)),
          Workers.forEach(traversal.files(settings.input), settings.concurrency, one)
        )

        const run = Effect.gen(function* () {
          const startedAt = yield* Clock.currentTimeMillis
          yield* Effect.forkScoped(stopAtDeadline(stop, settings))
          const end = yield* progress.during(everything).pipe(
            Effect.as({ complete: true }),
            Effect.raceFirst(Effect.as(Effect.zipRight(graceOver, Effect.sleep(countingTime)), { complete: false })),
            Effect.catchAll((error) => Effect.succeed({ complete: false, error }))
          )
          const reason = Option.getOrUndefined(yield* stop.reason)
          const failure = reason?._tag === "Failure" ? reason.error : "error" in end ? end.error : undefined
          const report = Report.make(settings, {
            ...identity,
            startedAt: new Date(startedAt),
            durationMillis: (yield* Clock.currentTimeMillis) - startedAt,
            signal: reason?._tag === "Signal" ? reason.signal : undefined,
            endedBy: failure ?? emptiness(settings, reporter.tally),
            complete: end.complete,
            tally: reporter.tally,
            openUploads: reporter.openUploads
          })
          yield* reporter.publish(report)
          return report
        }).pipe(Effect.scoped)

        return { run }
      })
    )
}

/** What the files left get to be counted, after everything else is over: a million take eight seconds at most. */
const countingTime = Duration.seconds(10)

type StopService = Context.Tag.Service<Stop>

const stopAtDeadline = (stop: StopService, { deadline }: Settings) =>
  deadline === undefined
    ? Effect.void
    : Effect.delay(
        stop.request({ _tag: "Failure", error: new DeadlineExceeded({ deadline: Span.format(deadline) }) }),
        deadline
      )

const isDeadline = (reason: StopReason) => reason._tag === "Failure" && reason.error._tag === "DeadlineExceeded"

const emptiness = ({ failIfEmpty, input }: Settings, tally: Outcome.Tally) =>
  failIfEmpty && Outcome.selected(tally) === 0 ? new NothingSelected({ input }) : undefined

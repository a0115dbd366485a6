import { Clock, Context, Effect, Either, Layer, Option } from "effect"
import { NothingSelected } from "../domain/Errors.ts"
import * as Outcome from "../domain/Outcome.ts"
import * as Report from "../domain/Report.ts"
import * as Selection from "../domain/Selection.ts"
import type { Settings } from "../domain/Settings.ts"
import { type Found, pathOf, type SourceFile } from "../domain/SourceFile.ts"
import * as Verdict from "../domain/Verdict.ts"
import { Ending } from "./Ending.ts"
import { KeyMapping } from "./KeyMapping.ts"
import { Progress } from "./Progress.ts"
import { Reporter } from "./Reporter.ts"
import { Stop } from "./Stop.ts"
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
        const ending = yield* Ending
        const selection = Selection.make(settings)

        const upload = (file: SourceFile): Effect.Effect<Outcome.Outcome> =>
          Effect.flatMap(stop.reason, (reason) =>
            Option.isSome(reason)
              ? Effect.succeed(Outcome.Outcome.NotTried())
              : Either.match(keys.keyOf(file), {
                  onLeft: (error) => Effect.succeed(Outcome.failed(file, error)),
                  onRight: (key) => ending.inTime(uploads.upload(file, key))
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
          Effect.raceFirst(uploads.ready, stop.requested),
          Workers.forEach(traversal.files(settings.input), settings.concurrency, one)
        )

        const run = Effect.gen(function* () {
          const startedAt = yield* Clock.currentTimeMillis
          const end = yield* progress.during(ending.bound(everything))
          for (let left = end.abandoned; left > 0; left--) {
            Outcome.add(reporter.tally, Outcome.Outcome.Interrupted())
          }
          const reason = Option.getOrUndefined(yield* stop.reason)
          const failure = reason?._tag === "Failure" ? reason.error : end.error
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
        })

        return { run }
      })
    )
}

const emptiness = ({ failIfEmpty, input }: Settings, tally: Outcome.Tally) =>
  failIfEmpty && Outcome.selected(tally) === 0 ? new NothingSelected({ input }) : undefined

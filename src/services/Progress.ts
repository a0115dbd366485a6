import { Clock, Context, Duration, Effect, identity, Layer, Schedule } from "effect"
import { promises as fs } from "node:fs"
import * as Selection from "../domain/Selection.ts"
import type { Settings } from "../domain/Settings.ts"
import type { Tally } from "../domain/Tally.ts"
import * as WorkerPool from "../fibers/WorkerPool.ts"
import * as ProgressLine from "../report/ProgressLine.ts"
import { Reporter } from "./Reporter.ts"
import { Traversal } from "./Traversal.ts"

/** Shows the progress of a run on a terminal. */
export class Progress extends Context.Tag("ibsr-export/Progress")<
  Progress,
  {
    /** Shows progress until `work` ends, and then erases the progress line. */
    readonly during: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>() {
  static readonly layerNone = Layer.succeed(Progress, { during: identity })

  /** Draws one line. Walks the input a second time, during the uploads, to count the total. */
  static readonly layerTerminal = (settings: Settings, terminal: Terminal) =>
    Layer.effect(
      Progress,
      Effect.gen(function* () {
        const traversal = yield* Traversal
        const { tally } = yield* Reporter
        const selection = Selection.make(settings)
        const total = { files: 0, bytes: 0 }
        let counted = false

        const count = WorkerPool.forEach(traversal.files(settings.input), 1, (found) =>
          found._tag === "File" && selection.keeps(found.file.relativePath)
            ? Effect.map(Effect.option(Effect.tryPromise(() => fs.stat(found.file.path))), (stat) => {
                total.files++
                total.bytes += stat._tag === "Some" ? stat.value.size : 0
              })
            : Effect.void
        ).pipe(
          Effect.tap(() => Effect.sync(() => (counted = true))),
          // ignored, because the uploads hit the same failure and report it
          Effect.ignore
        )

        const samples: Array<ProgressLine.Sample> = []
        const draw = Effect.map(Clock.currentTimeMillis, (atMillis) => {
          const done = amountDone(tally)
          samples.push({ atMillis, done })
          while (atMillis - samples[0]!.atMillis > ProgressLine.windowMillis) samples.shift()
          const rate = ProgressLine.rateOf(samples)
          terminal.show(
            ProgressLine.render({ done, total, counted, rate, lastRetry: tally.lastRetry }, terminal.columns())
          )
        })

        return {
          during: (work) =>
            Effect.scoped(
              Effect.gen(function* () {
                yield* Effect.addFinalizer(() => Effect.sync(terminal.clear))
                // not awaited, because a dead file server may make the count hang
                yield* Effect.forkScoped(Effect.disconnect(count))
                yield* Effect.forkScoped(Effect.repeat(draw, Schedule.spaced(interval)))
                return yield* work
              })
            )
        }
      })
    )
}

/** Parts count as soon as they are stored, so that a single large file makes progress. */
const amountDone = (tally: Tally): ProgressLine.Amount => {
  const parts = [...tally.activeUploads].flatMap(({ stored }) => [...stored.values()])
  return {
    files: tally.uploaded + tally.unchanged + tally.failed + tally.vanished + tally.notReady + tally.live,
    bytes: tally.uploadedBytes + parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }
}

const interval = Duration.millis(200)

export interface Terminal {
  /** Replaces the line that is shown. */
  readonly show: (line: string) => void
  readonly clear: () => void
  readonly columns: () => number
}

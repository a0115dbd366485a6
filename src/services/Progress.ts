import { Clock, Context, Duration, Effect, identity, Layer, Schedule } from "effect"
import { promises as fs } from "node:fs"
import * as ProgressLine from "../report/ProgressLine.ts"
import * as Selection from "../domain/Selection.ts"
import type { Settings } from "../domain/Settings.ts"
import { Reporter } from "./Reporter.ts"
import { Traversal } from "./Traversal.ts"
import * as WorkerPool from "../fibers/WorkerPool.ts"

/** Shows how far a run is, to who watches it. */
export class Progress extends Context.Tag("ibsr-export/Progress")<
  Progress,
  {
    /** Shows it while `work` lasts, and leaves no trace. */
    readonly during: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>() {
  /** Nobody watches. */
  static readonly layerNone = Layer.succeed(Progress, { during: identity })

  /** A line on a terminal. What is left is counted by a walk of its own, beside the uploads. */
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
          // the uploads meet the same failure, and tell it
          Effect.ignore
        )

        const draw = (startedAt: number) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            const files = tally.uploaded + tally.unchanged + tally.failed + tally.vanished + tally.notReady + tally.live
            const done = { files, bytes: tally.uploadedBytes }
            const line = ProgressLine.render(
              { done, total, counted, elapsedMillis: now - startedAt },
              terminal.columns()
            )
            // back to the start of the line, so that a line of the log is written over it
            terminal.write(`\r\u001B[K${line}\r`)
          })

        return {
          during: (work) =>
            Effect.scoped(
              Effect.gen(function* () {
                const startedAt = yield* Clock.currentTimeMillis
                yield* Effect.addFinalizer(() => Effect.sync(() => terminal.write("\r\u001B[K")))
                // it may hang in a dead file server, and nothing depends on it
                yield* Effect.forkScoped(Effect.disconnect(count))
                yield* Effect.forkScoped(Effect.repeat(draw(startedAt), Schedule.spaced(interval)))
                return yield* work
              })
            )
        }
      })
    )
}

const interval = Duration.millis(200)

export interface Terminal {
  readonly write: (text: string) => void
  readonly columns: () => number
}

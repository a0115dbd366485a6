import { Context, Deferred, Duration, Effect, Layer, Number } from "effect"
import { DeadlineExceeded, type ExportError } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/Settings.ts"
import * as DurationText from "../../domain/DurationText.ts"
import { cancellable } from "../../fibers/Cancellable.ts"
import { Stop } from "../Stop.ts"

/** How the work of a run came to its end. */
export interface WorkResult {
  /** All of the input was seen. */
  readonly complete: boolean
  readonly error?: ExportError | undefined
  /** Uploads that were given up without having ended. */
  readonly abandoned: number
}

/**
 * How a run ends, whatever hangs: `Stop` keeps new requests from being begun; those in flight get `--grace` from then
 * on, and nothing once `--deadline` has passed.
 */
export class Deadline extends Context.Tag("ibsr-export/Ending")<
  Deadline,
  {
    /** Does the work, or, when its time is over, interrupts it and does the other. `files`: that are in it then. */
    readonly withinGrace: (
      work: Effect.Effect<void>,
      over: Effect.Effect<void>,
      files: () => number
    ) => Effect.Effect<void>
    /** Does the work, and ends at most `lastTime` after time is over. */
    readonly bound: <A>(work: Effect.Effect<A, ExportError>) => Effect.Effect<WorkResult>
  }
>() {
  /** The deadline counts from the making of this layer. */
  static readonly layer = (settings: Pick<Settings, "deadline" | "grace">) =>
    Layer.scoped(
      Deadline,
      Effect.gen(function* () {
        const stop = yield* Stop
        const over = yield* Deferred.make<void>()
        const inFlight = new Map<() => void, () => number>()
        const breakOffAll = Effect.sync(() => {
          for (const breakOff of inFlight.keys()) breakOff()
        })
        yield* Effect.forkScoped(
          Effect.zipRight(timeIsOver(stop, settings), Effect.zipRight(Deferred.succeed(over, undefined), breakOffAll))
        )

        return {
          withinGrace: (work, over, files) =>
            cancellable(work, (breakOff) => {
              const end = () => breakOff(over)
              inFlight.set(end, files)
              return () => inFlight.delete(end)
            }),
          bound: (work) =>
            Effect.match(work, {
              onSuccess: (): Omit<WorkResult, "abandoned"> => ({ complete: true }),
              onFailure: (error) => ({ complete: false, error })
            }).pipe(
              // what does not even end when it is interrupted (a read from a dead file server) is left behind
              Effect.disconnect,
              Effect.raceFirst(
                Effect.zipRight(Deferred.await(over), Effect.as(Effect.sleep(lastTime), { complete: false }))
              ),
              Effect.map((end) => ({
                ...end,
                abandoned: Number.sumAll(Array.from(inFlight.values(), (files) => files()))
              }))
            )
        }
      })
    )
}

/** A creation in flight gets five seconds to be answered, and its abort as many; a million files take eight to count. */
const lastTime = Duration.seconds(12)

/** The deadline at once; `--grace` after any other reason to stop, if the deadline does not come first. */
const timeIsOver = (stop: Context.Tag.Service<Stop>, { deadline, grace }: Pick<Settings, "deadline" | "grace">) => {
  const stopped = Effect.zipRight(stop.requested, Effect.sleep(grace))
  if (deadline === undefined) return stopped
  const error = new DeadlineExceeded({ deadline: DurationText.format(deadline) })
  return Effect.raceFirst(stopped, Effect.delay(stop.request({ _tag: "Failure", error }), deadline))
}

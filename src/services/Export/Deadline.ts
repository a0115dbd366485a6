import { Context, Deferred, Duration, Effect, Layer, Number, Option } from "effect"
import * as DurationText from "../../domain/DurationText.ts"
import { DeadlineExceeded, type ExportError } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/Settings.ts"
import { cancellable } from "../../fibers/Cancellable.ts"
import { Stop } from "../Stop.ts"

/** The result of a run's work. */
export interface WorkResult {
  /** Whether the run walked the whole input. */
  readonly complete: boolean
  readonly error?: ExportError | undefined
  /** Number of files whose upload did not end even after it was interrupted. */
  readonly abandoned: number
}

/**
 * Ends a run on time, even if a file system or the store hangs. Once a stop is requested, no new request starts.
 * Requests in flight get `--grace` to finish. When `--deadline` passes, they get no grace.
 */
export class Deadline extends Context.Tag("ibsr-export/Deadline")<
  Deadline,
  {
    /**
     * Runs `work`. When time is up, interrupts it and runs `onTimeUp` instead. `files` returns the number of files in
     * `work` that have no outcome yet.
     */
    readonly withinGrace: (
      work: Effect.Effect<void>,
      onTimeUp: Effect.Effect<void>,
      files: () => number
    ) => Effect.Effect<void>
    /** Runs `work`. Abandons it if it is still running `cleanupTime` after the time limit. */
    readonly bound: <A>(work: Effect.Effect<A, ExportError>) => Effect.Effect<WorkResult>
  }
>() {
  /** `--deadline` counts from the creation of this layer. */
  static readonly layer = (settings: Pick<Settings, "deadline" | "grace">) =>
    Layer.scoped(
      Deadline,
      Effect.gen(function* () {
        const stop = yield* Stop
        const timeIsUp = yield* Deferred.make<void>()
        const inFlight = new Map<() => void, () => number>()
        const cancelAll = Effect.sync(() => {
          for (const cancel of inFlight.keys()) cancel()
        })
        yield* untilTimeIsUp(stop, settings).pipe(
          Effect.zipRight(Deferred.succeed(timeIsUp, undefined)),
          Effect.zipRight(cancelAll),
          Effect.forkScoped
        )

        return {
          withinGrace: (work, onTimeUp, files) =>
            cancellable(work, (cancelWith) => {
              const cancel = () => cancelWith(onTimeUp)
              inFlight.set(cancel, files)
              return () => inFlight.delete(cancel)
            }),
          bound: (work) =>
            Effect.match(work, {
              onSuccess: (): Omit<WorkResult, "abandoned"> => ({ complete: true }),
              onFailure: (error) => ({ complete: false, error })
            }).pipe(
              // abandons work that does not react to interruption, such as a read from a dead file server
              Effect.disconnect,
              Effect.raceFirst(
                Effect.zipRight(Deferred.await(timeIsUp), Effect.as(Effect.sleep(cleanupTime), { complete: false }))
              ),
              Effect.map((result) => ({
                ...result,
                abandoned: Number.sumAll(Array.from(inFlight.values(), (files) => files()))
              }))
            )
        }
      })
    )
}

/** 5 s for a CreateMultipartUpload in flight, and 5 s for its abort. Counting a million files takes 8 s. */
const cleanupTime = Duration.seconds(12)

/** Tells a person at a terminal how long the stop may take. */
const announce = (stop: Context.Tag.Service<Stop>, grace: Duration.Duration) =>
  Effect.flatMap(
    stop.reason,
    Option.match({
      onNone: () => Effect.void,
      onSome: (reason) => {
        if (reason._tag === "Failure") return Effect.void
        const again = reason.signal === "SIGINT" ? "press Ctrl-C again" : "send the signal again"
        return Effect.logWarning(
          `${reason.signal}: stopping, up to ${DurationText.format(grace)}; ${again} to stop now`
        )
      }
    })
  )

/** Completes at the deadline, or when `--grace` has passed after another reason to stop, whichever comes first. */
const untilTimeIsUp = (stop: Context.Tag.Service<Stop>, { deadline, grace }: Pick<Settings, "deadline" | "grace">) => {
  const graceIsOver = stop.requested.pipe(Effect.zipRight(announce(stop, grace)), Effect.zipRight(Effect.sleep(grace)))
  if (deadline === undefined) return graceIsOver
  const error = new DeadlineExceeded({ deadline: DurationText.format(deadline) })
  return Effect.raceFirst(graceIsOver, Effect.delay(stop.request({ _tag: "Failure", error }), deadline))
}

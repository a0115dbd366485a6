import { Context, Deferred, Effect, FiberId, Layer, Option } from "effect"
import type { ExportError } from "../domain/Errors.ts"
import type { StopSignal } from "../domain/ExitCode.ts"

/** Why a run ends before all files were tried. */
export type StopReason =
  | { readonly _tag: "Signal"; readonly signal: StopSignal }
  /** A failure that every further file would meet too, or the deadline. */
  | { readonly _tag: "Failure"; readonly error: ExportError }

/**
 * The wish to end the run early, from wherever it comes: signal, deadline, a failure that no file can escape.
 * Once it is there no request is begun; what happens to those in flight is `Export`'s to say.
 */
export class Stop extends Context.Tag("ibsr-export/Stop")<
  Stop,
  {
    /** The first reason counts, but a signal counts more than a failure. */
    readonly request: (reason: StopReason) => Effect.Effect<void>
    /** Whether there is a reason yet, without waiting. */
    readonly reason: Effect.Effect<Option.Option<StopReason>>
    /** The same, for who asks often. */
    readonly peek: () => Option.Option<StopReason>
    /** Waits for a reason. */
    readonly requested: Effect.Effect<void>
  }
>() {
  /** Outside of any layer, because signals may come before there is one. */
  static readonly make = (): Context.Tag.Service<Stop> => {
    const requested = Deferred.unsafeMake<void>(FiberId.none)
    let reason: Option.Option<StopReason> = Option.none()
    return {
      request: (why) =>
        Effect.suspend(() => {
          if (Option.isNone(reason) || (reason.value._tag === "Failure" && why._tag === "Signal"))
            reason = Option.some(why)
          return Effect.asVoid(Deferred.succeed(requested, undefined))
        }),
      reason: Effect.sync(() => reason),
      peek: () => reason,
      requested: Deferred.await(requested)
    }
  }

  static readonly layer = Layer.sync(Stop, Stop.make)
}

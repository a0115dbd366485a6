import { Context, Deferred, Effect, FiberId, Layer, Option } from "effect"
import type { ExportError } from "../domain/Errors.ts"
import type { StopSignal } from "../domain/ExitCode.ts"

/** Why a run ends before it has tried all files. */
export type StopReason =
  | { readonly _tag: "Signal"; readonly signal: StopSignal }
  /** The deadline, or a failure that every other file would hit as well. */
  | { readonly _tag: "Failure"; readonly error: ExportError }

/**
 * The request to end the run early, after a signal, the deadline, or a failure that every file would hit. After the
 * request, the run starts no further request to the store, and `Export` decides what happens to the requests in flight.
 */
export class Stop extends Context.Tag("ibsr-export/Stop")<
  Stop,
  {
    /** Keeps the first reason, except that a signal replaces a failure. */
    readonly request: (reason: StopReason) => Effect.Effect<void>
    /** The reason, if a stop was requested. Does not wait. */
    readonly reason: Effect.Effect<Option.Option<StopReason>>
    /** The reason without an effect, for frequent callers. */
    readonly peek: () => Option.Option<StopReason>
    /** Waits until a stop is requested. */
    readonly requested: Effect.Effect<void>
  }
>() {
  /** Needs no layer, because a signal may arrive before the layers are built. */
  static readonly make = (): Context.Tag.Service<Stop> => {
    const requested = Deferred.unsafeMake<void>(FiberId.none)
    let reason: Option.Option<StopReason> = Option.none()
    return {
      request: (next) =>
        Effect.suspend(() => {
          if (Option.isNone(reason) || (reason.value._tag === "Failure" && next._tag === "Signal"))
            reason = Option.some(next)
          return Effect.asVoid(Deferred.succeed(requested, undefined))
        }),
      reason: Effect.sync(() => reason),
      peek: () => reason,
      requested: Deferred.await(requested)
    }
  }

  static readonly layer = Layer.sync(Stop, Stop.make)
}

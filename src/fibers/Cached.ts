import { Effect } from "effect"

/**
 * As `Effect.cached`, but what is there already is had without a wait, for what every request asks for: a tenth of the
 * steps. A failure is not kept apart: it stays with `Effect.cached`.
 */
export const cached = <A, E, R>(make: Effect.Effect<A, E, R>): Effect.Effect<Effect.Effect<A, E, R>> =>
  Effect.map(Effect.cached(make), (cached) => {
    let had: Effect.Effect<A> | undefined
    const first = Effect.tap(cached, (value) =>
      Effect.sync(() => {
        had = Effect.succeed(value)
      })
    )
    return Effect.suspend((): Effect.Effect<A, E, R> => had ?? first)
  })

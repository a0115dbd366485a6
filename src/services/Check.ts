/** Finds out, step by step, whether an upload with these settings would work. */
import { Effect, Layer } from "effect"
import { userInfo } from "node:os"
import type { ConfigError } from "../domain/Errors.ts"
import * as Location from "../domain/Location.ts"
import type { Settings } from "../domain/Settings.ts"
import * as Check from "../report/Check.ts"
import * as InputSteps from "./Check/InputSteps.ts"
import * as LedgerStep from "./Check/LedgerStep.ts"
import * as ScheduleStep from "./Check/ScheduleStep.ts"
import * as StoreSteps from "./Check/StoreSteps.ts"
import type { ObjectStore } from "./ObjectStore.ts"
import type { StoreProbe } from "./StoreProbe.ts"
import { Traversal } from "./Traversal.ts"

export interface Options extends Settings, StoreSteps.Options {
  /** The sources of values, such as `bucket from --bucket`. */
  readonly origins: ReadonlyArray<string>
}

/** `misconfigured`: why endpoint or region is not known. */
export const run = (
  settings: Options,
  misconfigured: ConfigError | undefined,
  store: Layer.Layer<ObjectStore | StoreProbe, ConfigError>
): Effect.Effect<Check.Check> =>
  Effect.gen(function* () {
    const target = Location.describe({ ...settings, endpoint: settings.endpoint?.origin ?? null })
    const [input, ledger, reached, schedule] = yield* Effect.all(
      [
        Effect.provide(InputSteps.run(settings), Traversal.layer(settings)),
        LedgerStep.run(settings),
        misconfigured === undefined
          ? reach(settings, store)
          : Effect.succeed([Check.failed("configuration", misconfigured)]),
        ScheduleStep.run
      ],
      { concurrency: "unbounded" }
    )
    const configured = Check.ok("configuration", `${target} as ${user()}; ${settings.origins.join(", ")}`)
    return Check.make(target, complete([configured, ...input, ledger, ...reached, schedule]))
  })

const reach = (settings: StoreSteps.Options, store: Layer.Layer<ObjectStore | StoreProbe, ConfigError>) =>
  StoreSteps.run(settings).pipe(
    Effect.provide(store),
    Effect.catchAll((error) => Effect.succeed([Check.failed("configuration", error)]))
  )

/**
 * Returns all steps in their order. If a step has several results, the last one counts. A step without a result depends
 * on a step that failed.
 */
const complete = (results: ReadonlyArray<Check.Result>): ReadonlyArray<Check.Result> => {
  const known = new Map(results.map((result) => [result.step, result]))
  return Check.steps.map((step) => known.get(step) ?? Check.skip(step, "an earlier step failed"))
}

/** `userInfo` throws for a user without an entry in passwd. */
const user = () => {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.()}`
  }
}

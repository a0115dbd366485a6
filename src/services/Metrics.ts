import * as FileSystem from "@effect/platform/FileSystem"
import { Cause, Context, Duration, Effect, Layer, Option } from "effect"
import { resolve } from "node:path"
import * as Location from "../domain/Location.ts"
import * as Prometheus from "../report/Prometheus.ts"
import type { Report } from "../report/Report.ts"
import * as AtomicFile from "./AtomicFile.ts"
import { LedgerStatus } from "./Ledger.ts"
import { detailOf } from "./SystemError.ts"

/** Publishes a run's figures to a monitoring system. */
export class Metrics extends Context.Tag("ibsr-export/Metrics")<
  Metrics,
  {
    /** Replaces the figures of the previous run. Never fails the run: an error is returned, for the report. */
    readonly publish: (report: Report) => Effect.Effect<Report["metrics"]>
  }
>() {
  /** The layer without `--metrics-file`: publishes nothing. */
  static readonly layerNone = Layer.succeed(Metrics, { publish: () => Effect.succeed(null) })

  /** Writes a file for the textfile collector of Prometheus' node_exporter. */
  static readonly layerFile = (file: string) =>
    Layer.effect(
      Metrics,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const ledger = yield* LedgerStatus
        return {
          publish: (report) =>
            Effect.gen(function* () {
              const path = resolve(file)
              const status = yield* Effect.option(ledger.read)
              const remembered = Option.getOrUndefined(status)?.targets.find((target) =>
                Location.equals(target, report.target)
              )
              const error = yield* replace(path, (previous) =>
                Prometheus.render({ report, remembered, previous })
              ).pipe(
                Effect.matchCause({ onFailure: (cause) => detailOf(Cause.squash(cause)), onSuccess: () => null }),
                Effect.disconnect,
                Effect.timeoutTo({
                  duration: writeTimeout,
                  onSuccess: (result) => result,
                  onTimeout: () => "the file system does not respond"
                })
              )
              return { path, error }
            }).pipe(Effect.provideService(FileSystem.FileSystem, fs))
        }
      })
    )
}

/** The limit for writing the file, because its file system may hang. */
const writeTimeout = Duration.seconds(5)

/** Replaces the file atomically. All users may read it, whatever the umask is. */
const replace = (path: string, render: (previous: string | undefined) => string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const target = yield* AtomicFile.targetOf(path)
    const previous = yield* Effect.option(fs.readFileString(target))
    yield* AtomicFile.write(target, render(Option.getOrUndefined(previous)), 0o644)
  })

import { Context, Duration, Effect, Layer, Option } from "effect"
import { promises as fs } from "node:fs"
import { resolve } from "node:path"
import * as Location from "../domain/Location.ts"
import * as Prometheus from "../report/Prometheus.ts"
import type { Report } from "../report/Report.ts"
import { LedgerStatus } from "./Ledger.ts"
import { detailOf } from "./SystemError.ts"
import * as AtomicFile from "./AtomicFile.ts"

/** Leaves figures of a run where a monitoring system finds them. */
export class Metrics extends Context.Tag("ibsr-export/Metrics")<
  Metrics,
  {
    /** Replaces those of the run before. What goes wrong changes nothing about the run: it is returned, to be reported. */
    readonly publish: (report: Report) => Effect.Effect<Report["metrics"]>
  }
>() {
  /** Nobody asked for them. */
  static readonly layerNone = Layer.succeed(Metrics, { publish: () => Effect.succeed(null) })

  /** A file for the textfile collector of Prometheus' node_exporter. */
  static readonly layerFile = (file: string) =>
    Layer.effect(
      Metrics,
      Effect.map(LedgerStatus, ({ read }) => ({
        publish: (report) =>
          Effect.gen(function* () {
            const path = resolve(file)
            const status = yield* Effect.option(read)
            const remembered = Option.getOrUndefined(status)?.targets.find((target) =>
              Location.same(target, report.target)
            )
            const error = yield* Effect.promise(() =>
              replace(path, (before) => Prometheus.render({ report, remembered, before })).then(
                () => null,
                (cause: unknown) => detailOf(cause)
              )
            ).pipe(
              Effect.disconnect,
              Effect.timeoutTo({
                duration: patience,
                onSuccess: (error) => error,
                onTimeout: () => "the file system does not answer"
              })
            )
            return { path, error }
          })
      }))
    )
}

/** For a file system that hangs. */
const patience = Duration.seconds(5)

/** Whoever reads it sees the old content or the new one; everybody may read it, whatever the umask. */
const replace = async (path: string, content: (before: string | undefined) => string) => {
  // behind a link lies the file that is meant; where there is none yet, it is made here
  const real = await fs.realpath(path).catch(() => path)
  const there = await fs.stat(real).catch(() => undefined)
  // a device would be replaced, too
  if (there !== undefined && !there.isFile()) throw new Error("it is not a regular file")
  const before = await fs.readFile(real, "utf8").catch(() => undefined)
  await AtomicFile.write(real, content(before), 0o644)
}

/** The program: arguments in, exit code out; and the one place where the layers meet. */
import { CliConfig, Command } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Cause, Console, Effect, Layer, Option } from "effect"
import packageJson from "../../package.json" with { type: "json" }
import { type ConfigError, InternalError, type UsageError } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import type { Settings } from "../domain/Settings.ts"
import { Ending } from "../services/Ending.ts"
import { Export } from "../services/Export.ts"
import { KeyMapping } from "../services/KeyMapping.ts"
import { Progress, type Terminal } from "../services/Progress.ts"
import { Reporter } from "../services/Reporter.ts"
import { Stop } from "../services/Stop.ts"
import { Traversal } from "../services/Traversal.ts"
import { Uploads } from "../services/Uploads.ts"
import * as Argv from "./Argv.ts"
import * as Help from "./Help.ts"
import * as Logging from "./Logging.ts"
import * as Options from "./Options.ts"
import * as S3Command from "./S3Command.ts"

/** What the program knows of the process it runs in. */
export interface Process {
  readonly args: ReadonlyArray<string>
  /** Names this run in reports. */
  readonly runId: string
  /** What shows people how far a run is, if there is anybody to see it. */
  readonly terminal: Terminal | undefined
}

const { version } = packageJson
const flags = Object.values(Options.s3)

/** Never fails: every end has an exit code. */
export const run = (process: Process): Effect.Effect<number, never, Stop> => {
  const request = Argv.parse({ s3: flags }, process.args)
  switch (request._tag) {
    case "Help":
      return Effect.as(Console.log(request.command === "s3" ? Help.s3(flags) : Help.root), 0)
    case "Version":
      return Effect.as(Console.log(`ibsr-export ${version}`), 0)
    case "Refused":
      return told(request.error)
    case "Run":
      return perform(process, request.args)
  }
}

const perform = (process: Process, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    let code: number = ExitCode.ofError.InternalError.code
    const command = Command.make("ibsr-export").pipe(
      Command.withSubcommands([
        S3Command.make(({ log, output, settings }) =>
          Effect.flatMap(Export, (job) => job.run).pipe(
            Effect.tap((report) => Effect.sync(() => (code = report.result.exitCode))),
            Effect.provide(
              Layer.provideMerge(
                services(settings, process.runId, output.quiet ? undefined : process.terminal),
                Layer.merge(Reporter.layer(output), Logging.layer(log, process.terminal !== undefined))
              )
            ),
            Effect.asVoid
          )
        )
      ])
    )
    yield* Command.run(command, { name: "ibsr-export", version })(["node", "ibsr-export", ...args])
    return code
  }).pipe(
    Effect.provide(Layer.merge(NodeContext.layer, CliConfig.layer({ isCaseSensitive: true }))),
    Effect.catchAllCause((cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: (error) => told(error._tag === "UsageError" ? error : defect(error)),
        onNone: () => told(defect(Cause.squash(cause)))
      })
    )
  )

/** Everything that one run is made of. */
const services = (settings: Settings, runId: string, terminal: Terminal | undefined) =>
  Export.layer(settings, { version, runId }).pipe(
    Layer.provide(
      settings.dryRun ? Uploads.layerDryRun(settings) : Layer.provide(Uploads.layer(settings), s3(settings))
    ),
    Layer.provide(terminal === undefined ? Progress.layerNone : Progress.layerTerminal(settings, terminal)),
    Layer.provide(Ending.layer(settings)),
    Layer.provide(Traversal.layer(settings)),
    Layer.provide(KeyMapping.layer(settings.prefix))
  )

/** Loaded late: the SDK takes longer to load than all the rest, and `--help` does not need it. */
const s3 = (settings: Settings) =>
  Layer.unwrapEffect(
    Effect.map(
      Effect.promise(() => import("../services/ObjectStore/S3.ts")),
      (S3) => S3.layer(settings)
    )
  )

const defect = (cause: unknown) =>
  new InternalError({ detail: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), cause })

/** A failure before there is a run to report on. */
const told = (error: UsageError | ConfigError | InternalError) =>
  Console.error(`ibsr-export: ${error.message.replaceAll("\n", "\nibsr-export: ")}\n  ${error.hint}`).pipe(
    Effect.as(ExitCode.ofError[error._tag].code)
  )

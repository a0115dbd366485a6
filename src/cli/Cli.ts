/** The program: arguments in, exit code out; and the one place where the layers meet. */
import { CliConfig, Command } from "@effect/cli"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { type FileSystem, Terminal as Prompts } from "@effect/platform"
import { Cause, Effect, Layer, Option } from "effect"
import type { Env } from "../domain/Env.ts"
import { InternalError, type StateUnusable, type UsageError } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import type { Settings } from "../domain/Settings.ts"
import { Deadline } from "../services/Export/Deadline.ts"
import { Export } from "../services/Export.ts"
import { KeyMapping } from "../services/KeyMapping.ts"
import * as SqliteLedger from "../services/Ledger/Sqlite.ts"
import * as SqliteStatus from "../services/Ledger/SqliteStatus.ts"
import { Metrics } from "../services/Metrics.ts"
import { ObjectStore } from "../services/ObjectStore.ts"
import { Progress, type Terminal } from "../services/Progress.ts"
import { Reporter } from "../services/Reporter.ts"
import { Stop } from "../services/Stop.ts"
import { printToStdout, Stdio } from "../services/Stdio.ts"
import { Traversal } from "../services/Traversal.ts"
import { Uploads } from "../services/Uploads.ts"
import * as Argv from "./flags/Argv.ts"
import * as Help from "./docs/Help.ts"
import * as Logging from "./Logging.ts"
import * as Manual from "./docs/Manual.ts"
import * as S3 from "./commands/S3.ts"
import * as Status from "./commands/Status.ts"
import { texts } from "./docs/Texts.ts"
import * as Units from "./commands/Units.ts"
import * as Version from "./Version.ts"

/** What the program knows of the process it runs in. */
export interface Process {
  readonly args: ReadonlyArray<string>
  /** This program, if it is one file that can be started by itself. */
  readonly executable: string | undefined
  /** What runs it. */
  readonly node: Omit<Version.Build, "commit">
  readonly env: Env
  /** Names this run in reports. */
  readonly runId: string
  /** What shows people how far a run is, if there is anybody to see it. */
  readonly terminal: Terminal | undefined
}

const { version } = Version

/** Never fails: every end has an exit code. */
export const run = (process: Process): Effect.Effect<number, never, Stop | Stdio> => {
  const request = Argv.parse(Manual.flags, process.args, Manual.texts)
  switch (request._tag) {
    case "Help":
      return Effect.as(printToStdout(Help.page(request.command)), 0)
    case "Version":
      return Effect.as(printToStdout(Version.line({ ...process.node, commit: Version.commit })), 0)
    case "Text":
      return Effect.as(printToStdout(texts[request.name as Manual.Text]().trimEnd()), 0)
    case "Refused":
      return told(request.error)
    case "Run":
      return perform(process, request.args)
  }
}

const perform = (process: Process, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    let code: number = ExitCode.ofError.InternalError.code
    const line = { words: args, env: process.env }
    const command = Command.make("ibsr-export").pipe(
      Command.withSubcommands([
        S3.make(line, ({ log, metricsFile, output, settings }) =>
          Effect.flatMap(Export, (job) => job.run).pipe(
            Effect.tap((report) => Effect.sync(() => (code = report.result.exitCode))),
            Effect.provide(
              Layer.provideMerge(
                services(
                  settings,
                  process,
                  metrics(settings, metricsFile),
                  output.quiet ? undefined : process.terminal
                ),
                Layer.merge(Reporter.layer(output), Logging.layer(log, process.terminal !== undefined))
              )
            ),
            Effect.asVoid
          )
        ),
        Status.make(line, (stateDir, use) =>
          use.pipe(
            Effect.provide(SqliteStatus.layer(stateDir)),
            Effect.map((answer) => void (code = answer))
          )
        ),
        Units.make(args, process.executable).pipe(
          Command.transformHandler(Effect.tap(() => Effect.sync(() => (code = 0))))
        )
      ])
    )
    yield* Command.run(command, { name: "ibsr-export", version })(["node", "ibsr-export", ...args])
    return code
  }).pipe(
    Effect.provide(
      Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, unattended, CliConfig.layer({ isCaseSensitive: true }))
    ),
    Effect.catchAllCause((cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: (error) => told(error._tag === "UsageError" || error._tag === "StateUnusable" ? error : defect(error)),
        onNone: () => told(defect(Cause.squash(cause)))
      })
    )
  )

/** Nobody is asked anything; Node's own would open stdin, which takes longer than to read the command line. */
const unattended = Layer.succeed(
  Prompts.Terminal,
  Prompts.Terminal.of({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    isTTY: Effect.succeed(false),
    readInput: Effect.die("nobody is asked"),
    readLine: Effect.die("nobody is asked"),
    display: () => Effect.die("nobody is asked")
  })
)

/** Everything that one run is made of. */
const services = (
  settings: Settings,
  { env, runId }: Pick<Process, "env" | "runId">,
  metrics: Layer.Layer<Metrics, never, FileSystem.FileSystem>,
  terminal: Terminal | undefined
) =>
  Export.layer(settings, { version, runId }).pipe(
    Layer.provide([
      settings.dryRun ? Uploads.layerDryRun(settings) : Layer.provide(Uploads.layer(settings), s3(settings, env)),
      settings.dryRun ? SqliteLedger.layerReadOnly(settings) : SqliteLedger.layer(settings),
      terminal === undefined ? Progress.layerNone : Progress.layerTerminal(settings, terminal),
      metrics
    ]),
    // a step costs a start a millisecond
    Layer.provide([Deadline.layer(settings), Traversal.layer(settings), KeyMapping.layer(settings)])
  )

const metrics = ({ dryRun, stateDir }: Settings, file: string | undefined) =>
  dryRun || file === undefined
    ? Metrics.layerNone
    : Layer.provide(Metrics.layerFile(file), SqliteStatus.layer(stateDir))

/** The SDK takes longer to load than a run that finds nothing new takes altogether. */
const s3 = (settings: Settings, env: Env) =>
  ObjectStore.layerLazy(
    Effect.map(
      Effect.promise(() => import("../services/ObjectStore/S3/Store.ts")),
      (S3) => S3.layer(settings, env)
    )
  )

const defect = (cause: unknown) =>
  new InternalError({ detail: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), cause })

/** A failure before there is a run to report on. */
const told = (error: UsageError | StateUnusable | InternalError) =>
  Effect.map(Stdio, ({ stderr }) => {
    const text = `ibsr-export: ${error.message.replaceAll("\n", "\nibsr-export: ")}\n  ${error.hint}`
    stderr.writeLine({ text, severity: "error" })
    return ExitCode.ofError[error._tag].code
  })

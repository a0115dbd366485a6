/** The program: arguments in, exit code out. */
import { type FileSystem, type Path, Terminal } from "@effect/platform"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Cause, Effect, Either, Layer, Option } from "effect"
import {
  type ConfigError,
  type InputUnusable,
  InternalError,
  type Locked,
  type SourceUnreadable,
  type StateUnusable,
  type StoreError,
  UsageError
} from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Ending from "../report/Ending.ts"
import { escapeControls } from "../report/Text.ts"
import { printToStdout, Stdio } from "../services/Stdio.ts"
import type { Stop } from "../services/Stop.ts"
import type * as App from "./App.ts"
import * as CurrentDirectory from "./CurrentDirectory.ts"
import * as S3 from "./commands/S3.ts"
import * as Bash from "./docs/Bash.ts"
import * as Explanations from "./docs/Explanations.ts"
import * as Fish from "./docs/Fish.ts"
import * as Help from "./docs/Help.ts"
import * as ManPage from "./docs/ManPage.ts"
import * as Manual from "./docs/Manual.ts"
import * as Zsh from "./docs/Zsh.ts"
import * as Argv from "./flags/Argv.ts"
import * as Version from "./Version.ts"

/** The process that the program runs in. */
export interface Process extends App.Host {
  readonly args: ReadonlyArray<string>
  /** The path of the binary; undefined if Node runs the program from a script. */
  readonly executable: string | undefined
  readonly node: Omit<Version.Build, "commit">
}

/** Never fails: every result is an exit code. */
export const run = (process: Process): Effect.Effect<number, never, Stop | Stdio> => {
  const request = Argv.parse(Manual.flags, process.args, Manual.texts)
  switch (request._tag) {
    case "Help":
      return Effect.as(printHelp(Help.page(request.command, request.isShort)), 0)
    case "Nothing":
      return Effect.zipRight(printHelp(Help.root), fail(new UsageError({ problems: ["no command was given"] })))
    case "Version":
      return Effect.as(printToStdout(Version.line({ ...process.node, commit: Version.commit })), 0)
    case "Text":
      return Effect.as(printToStdout(texts[request.text]().trimEnd()), 0)
    case "Explain":
      return Either.match(Explanations.page(request.subject), {
        onLeft: fail,
        onRight: (page) => Effect.as(printHelp(page), 0)
      })
    case "Refused":
      return fail(request.error)
    case "Run":
      return command(request.command, request.args, process).pipe(
        Effect.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, unattended)),
        Effect.catchAllCause((cause) =>
          fail(
            Option.match(Cause.failureOption(cause), {
              onNone: () => defect(Cause.squash(cause)),
              onSome: (error) =>
                error._tag === "UsageError"
                  ? new UsageError({ problems: error.problems, command: request.command })
                  : error
            })
          )
        )
      )
  }
}

const printHelp = (page: string) =>
  Effect.map(Stdio, ({ stdout }) =>
    stdout.writeLine({ text: stdout.hasColors ? Help.withBoldHeadings(page) : page, severity: "info" })
  )

/** Failures that no report covers. */
type Failure =
  UsageError | ConfigError | InputUnusable | Locked | SourceUnreadable | StateUnusable | StoreError | InternalError

const command = (
  name: keyof typeof Manual.commands,
  args: ReadonlyArray<string>,
  process: Process
): Effect.Effect<number, Failure, Stop | Stdio | FileSystem.FileSystem | Path.Path | Terminal.Terminal> => {
  const line = { args, env: process.env }
  switch (name) {
    case "s3":
      return S3.run(line, process)
    case "check":
      return loaded(import("./commands/Check.ts"), (Check) => Check.run(line))
    case "policy":
      return loaded(import("./commands/Policy.ts"), (Policy) => Policy.run(line))
    case "status":
      return loaded(import("./commands/Status.ts"), (Status) => Status.run(line))
    case "verify":
      return loaded(import("./commands/Verify.ts"), (Verify) => Verify.run(line))
    case "units":
      return loaded(import("./commands/Units.ts"), (Units) => Units.run(line, process.executable))
  }
}

/** Runs a command that is loaded on first use, because an upload, which starts every hour, does not need it. */
const loaded = <M, A, E, R>(module: Promise<M>, use: (command: M) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    Effect.promise(() => module),
    use
  )

/** The commands that only print a text for another program: the manual page and the completion scripts. */
export const texts: Readonly<Record<Manual.Text, () => string>> = {
  man: ManPage.page,
  "completion bash": Bash.script,
  "completion zsh": Zsh.script,
  "completion fish": Fish.script
}

/** @effect/cli never prompts here. Node's own terminal would open stdin, which takes longer than parsing the flags. */
const unattended = Layer.succeed(
  Terminal.Terminal,
  Terminal.Terminal.of({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    isTTY: Effect.succeed(false),
    readInput: Effect.die("no prompts"),
    readLine: Effect.die("no prompts"),
    display: () => Effect.die("no prompts")
  })
)

const defect = (cause: unknown) =>
  CurrentDirectory.isMissing(cause) ? CurrentDirectory.missing(undefined, cause) : internalError(cause)

const internalError = (cause: unknown) =>
  new InternalError({ detail: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), cause })

/** Prints a failure that no report covers. The last line has the same form as the last line of a report. */
const fail = (error: Failure) =>
  Effect.map(Stdio, ({ stderr }) => {
    const exit = ExitCode.ofError[error._tag]
    const problems = error.message.split("\n")
    const several = problems.length > 1 ? problems.map((text) => `ibsr-export: ${escapeControls(text)}`) : []
    for (const text of [...several, Ending.line(exit, Ending.ofError(error))])
      stderr.writeLine({ text, severity: "error" })
    return exit.code
  })

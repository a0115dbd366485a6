/** `ibsr-export s3`: one run. Its result is the exit code. */
import { Effect, Either, Option } from "effect"
import type { Env } from "../../domain/Env.ts"
import { UsageError } from "../../domain/Errors.ts"
import * as Settings from "../../domain/Settings.ts"
import type { Report } from "../../report/Report.ts"
import * as Summary from "../../report/Summary.ts"
import { Export } from "../../services/Export.ts"
import * as HostIdentity from "../../services/HostIdentity.ts"
import * as ConfiguredTarget from "../../services/ObjectStore/S3/ConfiguredTarget.ts"
import * as App from "../App.ts"
import * as CurrentDirectory from "../CurrentDirectory.ts"
import * as Argv from "../flags/Argv.ts"
import { s3Flags } from "../flags/S3Flags.ts"
import * as Variables from "../flags/Variables.ts"

export const run = (line: Argv.Line, host: App.Host) =>
  Effect.gen(function* () {
    const given = yield* Effect.mapError(settings(line), withWarnings(line))
    yield* CurrentDirectory.check(given)
    const elsewhere = host.supervise?.(given.input)
    if (elsewhere !== undefined) return yield* elsewhere
    const isEndpointFlag = line.args.includes(`--${s3Flags.endpoint.name}`)
    const target = yield* Effect.either(ConfiguredTarget.resolve({ ...given, isEndpointFlag }, line.env))
    const resolved = { ...given, ...Either.getOrElse(target, () => ({})) }
    const misconfigured = Option.getOrUndefined(Either.getLeft(target))
    const report = yield* Effect.flatMap(Export, (job) =>
      Effect.zipRight(notes(resolved), withPing(resolved, line.env, job.run))
    ).pipe(Effect.provide(App.layer(resolved, { ...host, misconfigured })))
    return report.result.exitCode
  })

/** Adds the warnings about unknown variables to a usage error: a variable that seems to be missing may be misspelt. */
const withWarnings =
  ({ env }: Argv.Line) =>
  <E>(error: E) =>
    error instanceof UsageError ? new UsageError({ problems: [...error.problems, ...Variables.warnings(env)] }) : error

const withPing = (
  { dryRun, ping: url }: Settings.Settings,
  env: Env,
  work: Effect.Effect<Report>
): Effect.Effect<Report> => {
  if (url === undefined || dryRun) return work
  return Effect.gen(function* () {
    // loaded on first use, because most runs send no ping
    const Ping = yield* Effect.promise(() => import("../../services/ObjectStore/Http/Ping.ts"))
    const ping = yield* Ping.start(url, env)
    const report = yield* work
    const lines = [Summary.prose(report), Summary.ending(report)?.text ?? ""]
    yield* ping.ended(report.result.exitCode, lines.join("\n").trimEnd())
    return report
  }).pipe(Effect.scoped)
}

const notes = ({ overwrite }: Settings.Settings) =>
  overwrite ? Effect.logInfo("--overwrite is the default now: the flag is not needed") : Effect.void

/** Returns the settings of a run. Replaces the placeholders in the prefix by names of the host. */
export const settings = (line: Argv.Line) =>
  Argv.values(s3Flags, line).pipe(
    Effect.flatMap(check),
    Effect.flatMap((checked) =>
      Effect.map(HostIdentity.resolvePrefix(checked.prefix, line.env), (prefix): Settings.Settings => ({
        ...checked,
        prefix
      }))
    )
  )

/** Checks rules that involve several flags; each value is already valid. */
export const check = (values: Settings.FlagValues) =>
  Either.mapLeft(Settings.make(values), (problems) => new UsageError({ problems }))

/** `ibsr-export s3`: one run. Its result is the exit code. */
import { Effect, Either } from "effect"
import { UsageError } from "../../domain/Errors.ts"
import * as Settings from "../../domain/Settings.ts"
import { Export } from "../../services/Export.ts"
import * as App from "../App.ts"
import * as Argv from "../flags/Argv.ts"
import { s3Flags } from "../flags/S3Flags.ts"

export const run = (line: Argv.Line, host: App.Host) =>
  Effect.flatMap(settings(line), (valid) =>
    Effect.flatMap(Export, (job) => Effect.zipRight(notes(valid), job.run)).pipe(
      Effect.map((report) => report.result.exitCode),
      Effect.provide(App.layer(valid, host))
    )
  )

const notes = ({ overwrite }: Settings.Settings) =>
  overwrite ? Effect.logInfo("--overwrite is the default now: the flag is not needed") : Effect.void

export const settings = (line: Argv.Line) => Effect.flatMap(Argv.values(s3Flags, line), check)

/** Checks what values that are each valid alone must satisfy together. */
export const check = (values: Settings.FlagValues) =>
  Either.mapLeft(Settings.make(values), (problems) => new UsageError({ problems }))

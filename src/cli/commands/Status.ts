/** `ibsr-export status`: prints the state of the ledger. Its result is the exit code. */
import { Clock, Duration, Effect } from "effect"
import { type StateUnusable, UsageError } from "../../domain/Errors.ts"
import * as Nagios from "../../report/Nagios.ts"
import * as Status from "../../report/Status.ts"
import { json } from "../../report/Text.ts"
import * as HostIdentity from "../../services/HostIdentity.ts"
import { LedgerStatus } from "../../services/Ledger.ts"
import * as SqliteStatus from "../../services/Ledger/SqliteStatus.ts"
import { printToStdout, Stdio } from "../../services/Stdio.ts"
import * as Argv from "../flags/Argv.ts"
import { statusFlags } from "../flags/StatusFlags.ts"
import * as Variables from "../flags/Variables.ts"

export const run = (line: Argv.Line) =>
  Effect.gen(function* () {
    const { stderr } = yield* Stdio
    for (const warning of Variables.warnings(line.env))
      stderr.writeLine({ text: `ibsr-export: warning: ${warning}`, severity: "warning" })
    const {
      bucket,
      critical,
      outputFormat,
      prefix: template,
      stateDir,
      warning
    } = yield* Argv.values(statusFlags, line)
    if (Duration.greaterThan(warning, critical))
      return yield* new UsageError({ problems: ["--warning must not be longer than --critical"] })
    const prefix = template === undefined ? undefined : yield* HostIdentity.resolvePrefix(template, line.env)
    const read = LedgerStatus.pipe(
      Effect.flatMap((ledger) => ledger.read),
      Effect.map((status) => Status.only(status, { bucket, prefix })),
      Effect.provide(SqliteStatus.layer(stateDir))
    )
    const answer =
      outputFormat === "nagios"
        ? nagios(read, { warning, critical })
        : Effect.map(read, (status) => ({ code: 0, line: renderings[outputFormat](status) }))
    return yield* Effect.flatMap(answer, ({ code, line: text }) => Effect.as(printToStdout(text), code))
  })

const renderings = {
  text: (status: Status.Status) => Status.render(status).join("\n"),
  json: (status: Status.Status) => json(status)
}

/** A Nagios plugin has exit codes of its own, including one for a ledger that cannot be read. */
const nagios = (read: Effect.Effect<Status.Status, StateUnusable>, thresholds: Nagios.Thresholds) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.match(read, {
      onFailure: (error) => Nagios.unknown(error.message),
      onSuccess: (status) => Nagios.check(status, thresholds, now)
    })
  )

/** `ibsr-export status`: what the ledger says. */
import { Command } from "@effect/cli"
import { Clock, Duration, Effect, Either } from "effect"
import { type StateUnusable, UsageError } from "../../domain/Errors.ts"
import * as Nagios from "../../report/Nagios.ts"
import * as Status from "../../report/Status.ts"
import { LedgerStatus } from "../../services/Ledger.ts"
import { Stdio } from "../../services/Stdio.ts"
import * as Given from "../flags/Given.ts"
import * as S3Flags from "../flags/S3Flags.ts"

/** `withLedger` provides what is in a state directory. The command's result is its exit code. */
export const make = <E, R>(
  line: Given.Line,
  withLedger: (stateDir: string, use: Effect.Effect<number, StateUnusable, LedgerStatus>) => Effect.Effect<void, E, R>
) => {
  const { complete, options } = Given.among(S3Flags.status, line)
  return Command.make("status", options, (parsed) =>
    Effect.gen(function* () {
      const { critical, onlyBucket, onlyPrefix, outputFormat, stateDir, warning } = yield* Either.mapLeft(
        Either.all(complete(parsed)),
        (problems) => new UsageError({ problems })
      )
      if (Duration.greaterThan(warning, critical))
        return yield* new UsageError({ problems: ["--warning must not be longer than --critical"] })
      const { stdout } = yield* Stdio
      const read = Effect.map(
        Effect.flatMap(LedgerStatus, (ledger) => ledger.read),
        (status) => Status.only(status, { bucket: onlyBucket, prefix: onlyPrefix })
      )
      const answer = outputFormat === "nagios" ? nagios(read, { warning, critical }) : told(read, outputFormat)
      yield* withLedger(
        stateDir,
        Effect.map(answer, ({ code, line }) => {
          stdout.writeLine({ text: line, severity: "info" })
          return code
        })
      )
    })
  )
}

type Read = Effect.Effect<Status.Status, StateUnusable, LedgerStatus>

const told = (read: Read, format: keyof typeof renderings) =>
  Effect.map(read, (status) => ({ code: 0, line: renderings[format](status) }))

const renderings = {
  text: (status: Status.Status) => Status.render(status).join("\n"),
  json: (status: Status.Status) => JSON.stringify(status)
}

/** A plugin has its own codes, also for what it cannot find out. */
const nagios = (read: Read, thresholds: Nagios.Thresholds) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.match(read, {
      onFailure: (error) => Nagios.unknown(error.message),
      onSuccess: (status) => Nagios.check(status, thresholds, now)
    })
  )

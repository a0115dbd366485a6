/** `ibsr-export status`: what the ledger says. */
import { Command } from "@effect/cli"
import { Effect, Either, Record } from "effect"
import { UsageError } from "../domain/Errors.ts"
import * as Status from "../domain/Status.ts"
import { LedgerStatus } from "../services/LedgerStatus.ts"
import { Streams } from "../services/Streams.ts"
import * as Options from "./Options.ts"

const options = Record.map(Options.status, (flag) => flag.option) as {
  readonly [K in keyof typeof Options.status]: (typeof Options.status)[K]["option"]
}

/** `withLedger` provides what is in a state directory. */
export const make = <E, R>(
  withLedger: <A, E2>(stateDir: string, use: Effect.Effect<A, E2, LedgerStatus>) => Effect.Effect<A, E | E2, R>
) =>
  Command.make("status", options, (parsed) =>
    Effect.flatMap(
      Either.mapLeft(Either.all(parsed), (problems) => new UsageError({ problems })),
      ({ outputFormat, stateDir }) =>
        Effect.gen(function* () {
          const { stdout } = yield* Streams
          const status = yield* withLedger(
            stateDir,
            Effect.flatMap(LedgerStatus, ({ read }) => read)
          )
          stdout.tell({ text: renderings[outputFormat](status), severity: "info" })
        })
    )
  )

const renderings = {
  text: (status: Status.Status) => Status.render(status).join("\n"),
  json: (status: Status.Status) => JSON.stringify(status)
}

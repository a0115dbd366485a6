/** Uploads the files of a run, a batch at a time, and stops uploading when the run is to stop. */
import { Effect, Option } from "effect"
import { endsRun } from "../../domain/FailureClass.ts"
import * as Outcome from "../../domain/Outcome.ts"
import type { SourceFile } from "../../domain/SourceFile.ts"
import type { OpenLedger } from "../Ledger.ts"
import { type FileOutcome, Reporter } from "../Reporter.ts"
import { Stop } from "../Stop.ts"
import { Uploads } from "../Uploads.ts"
import { defectAsFailure } from "../Uploads/UploadOutcome.ts"
import { Deadline } from "./Deadline.ts"

export const make = Effect.gen(function* () {
  const uploads = yield* Uploads
  const reporter = yield* Reporter
  const stop = yield* Stop
  const deadline = yield* Deadline

  /** Asks for credentials when the first batch needs them: most runs have little to send, and some nothing. */
  const readyOnce = (ledger: OpenLedger) =>
    Effect.cached(
      Effect.raceFirst(uploads.ready(ledger.checksum), stop.requested).pipe(
        Effect.catchAll((error) =>
          error._tag === "Interrupted" ? Effect.void : stop.request({ _tag: "Failure", error })
        )
      )
    )

  /** Counts outcomes, and stops the run after a failure that every other file would meet, too. */
  const report = (outcomes: ReadonlyArray<FileOutcome>) =>
    Effect.zipRight(
      reporter.addOutcomes(outcomes),
      Effect.suspend(() => {
        for (const { outcome } of outcomes)
          if (outcome._tag === "Failed" && endsRun(outcome.error, reporter.tally))
            return stop.request({ _tag: "Failure", error: outcome.error })
        return Effect.void
      })
    )

  const reportAll = (files: Iterable<FileOutcome["file"]>, outcomeOf: (file: FileOutcome["file"]) => Outcome.Outcome) =>
    report(Array.from(files, (file) => ({ file, outcome: outcomeOf(file) })))

  /** Counts the files as not tried, and marks them as pending for the next run. */
  const skip = (ledger: OpenLedger, files: ReadonlyArray<SourceFile>) =>
    Effect.zipRight(
      Effect.ignore(Effect.forEach(files, (file) => ledger.markPending(file.relativePath), { discard: true })),
      reportAll(files, () => Outcome.Outcome.NotTried())
    )

  const upload = (ledger: OpenLedger, files: ReadonlyArray<SourceFile>) => {
    const unreported = new Set<FileOutcome["file"]>(files)
    const uploaded = uploads.uploadAll(ledger, files, (outcomes) => {
      for (const { file } of outcomes) unreported.delete(file)
      return report(outcomes)
    })
    const interrupted = Effect.suspend(() => reportAll(unreported, () => Outcome.Outcome.Interrupted()))
    const work = Effect.catchAll(defectAsFailure(uploaded), (error) =>
      reportAll(unreported, (file) => Outcome.fromError(file, error))
    )
    return deadline.withinGrace(work, interrupted, () => unreported.size)
  }

  return (ledger: OpenLedger) =>
    Effect.map(
      readyOnce(ledger),
      (ready) => (files: ReadonlyArray<SourceFile>) =>
        Effect.flatMap(Effect.zipRight(ready, stop.reason), (reason) =>
          Option.isSome(reason) ? skip(ledger, files) : upload(ledger, files)
        )
    )
})

/** Uploads the files of a run in batches, and starts no batch once a stop is requested. */
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

  /** Resolves credentials when the first batch needs them, because some runs have nothing to send. */
  const readyOnce = (ledger: OpenLedger) =>
    Effect.cached(
      Effect.raceFirst(uploads.ready(ledger), stop.requested).pipe(
        Effect.catchAll((error) =>
          error._tag === "Interrupted" ? Effect.void : stop.request({ _tag: "Failure", error })
        )
      )
    )

  let isLedgerBroken = false

  /**
   * Reports only the first failure of the ledger as a failure. Other files that fail because of it are only counted.
   */
  const onceBroken = (all: FileOutcome): FileOutcome => {
    const { file, outcome } = all
    if (outcome._tag !== "Failed" || outcome.error._tag !== "StateUnusable") return all
    if (isLedgerBroken) return { file, outcome: Outcome.afterLedgerFailure(outcome) }
    isLedgerBroken = true
    return all
  }

  /** Counts outcomes. Requests a stop after a failure that every other file would hit as well. */
  const report = (all: ReadonlyArray<FileOutcome>) =>
    Effect.suspend(() => {
      const outcomes = all.map(onceBroken)
      const failed = outcomes.flatMap(({ outcome }) => (outcome._tag === "Failed" ? [outcome.error] : []))
      return Effect.flatMap(reporter.addOutcomes(outcomes), () => {
        const last = failed.find((error) => endsRun(error, reporter.tally))
        return last === undefined ? Effect.void : stop.request({ _tag: "Failure", error: last })
      })
    })

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

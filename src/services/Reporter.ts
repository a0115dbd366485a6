import { Context, Effect, FiberRef, Layer, LogLevel } from "effect"
import type { ExportError } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Settings } from "../domain/Settings.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import * as Tally from "../domain/Tally.ts"
import type { OpenUpload, Report } from "../report/Report.ts"
import * as ReportText from "../report/ReportText.ts"
import * as Summary from "../report/Summary.ts"
import { json } from "../report/Text.ts"
import { Stdio } from "./Stdio.ts"

/** Counts the outcomes of the files, and prints the run's report. */
export class Reporter extends Context.Tag("ibsr-export/Reporter")<
  Reporter,
  {
    /** Counts files, and logs the first failure of each class as a warning; with `--verbose`, it logs every file. */
    readonly addOutcomes: (all: ReadonlyArray<FileOutcome>) => Effect.Effect<void>
    /** Adds a multipart upload that could not be aborted. */
    readonly abortFailed: (upload: OpenUpload) => Effect.Effect<void>
    /**
     * Counts a completed upload that this run resumed. `sparedBytes`: the bytes that earlier runs had stored and that
     * were not sent again.
     */
    readonly addResumed: (sparedBytes: number) => void
    /** Adds a multipart upload that is left for the next run to resume. */
    readonly addKept: (upload: Tally.KeptUpload) => void
    /** Adds a file that was deleted before it was stored. `hint`: what the operator can do. */
    readonly addLost: (relativePath: string, hint: string) => void
    /** Adds a file that was deleted after every line that a run saw in it was stored. */
    readonly addEndNotSeen: (relativePath: string) => void
    /** Adds a file that will be deleted before the next run; `rotatedAt` is in milliseconds since 1970. */
    readonly addAtRisk: (relativePath: string, rotatedAt: number) => void
    /** The counts so far. Mutable: they change during the run. */
    readonly tally: Tally.Tally
    readonly openUploads: ReadonlyArray<OpenUpload>
    /** Prints the report, at the end of the run. */
    readonly publish: (report: Report) => Effect.Effect<void>
  }
>() {
  static readonly layer = ({ outputFormat, quiet }: Pick<Settings, "outputFormat" | "quiet">) =>
    Layer.effect(
      Reporter,
      Effect.map(Stdio, (streams) => {
        const tally = Tally.empty()
        const openUploads: Array<OpenUpload> = []
        const loggedClasses = new Set<string>()

        /**
         * Whether it is the first failure of its class. Only that one is logged as a warning, so that a dead store does
         * not fill the log.
         */
        const isFirst = (outcome: Outcome) => {
          if (outcome._tag !== "Failed" || loggedClasses.has(outcome.error._tag)) return false
          loggedClasses.add(outcome.error._tag)
          return true
        }
        return {
          addOutcomes: (all) => {
            for (const { outcome } of all) Tally.add(tally, outcome)
            // filtered before the logger, because a million calls to it take longer than counting a million files
            return Effect.flatMap(FiberRef.get(FiberRef.currentMinimumLogLevel), (minimum) => {
              const isVerbose = LogLevel.lessThanEqual(minimum, LogLevel.Debug)
              const logged = isVerbose ? all : all.filter(({ outcome }) => isFirst(outcome))
              return Effect.forEach(
                logged,
                ({ file, outcome }) => log(file.relativePath, outcome, !isVerbose || isFirst(outcome)),
                { discard: true }
              )
            })
          },
          addResumed: (sparedBytes) => Tally.addResumed(tally, sparedBytes),
          addKept: (upload) => Tally.addKept(tally, upload),
          addLost: (file, hint) => Tally.addLost(tally, file, hint),
          addEndNotSeen: (file) => Tally.addEndNotSeen(tally, file),
          addAtRisk: (file, rotatedAt) => Tally.addAtRisk(tally, { file, rotatedAt }),
          abortFailed: (upload) => Effect.sync(() => openUploads.push(upload)),
          tally,
          openUploads,
          publish: (report) =>
            Effect.zipRight(
              logCounts(tally),
              Effect.sync(() => {
                if (!quiet || !ReportText.isUneventful(report)) renderings[outputFormat](report, streams)
              })
            )
        }
      })
    )
}

/** The failure class with its exit code in brackets, as in the report. */
const classOf = (tag: ExportError["_tag"]) => {
  const { code, name } = ExitCode.ofError[tag]
  return { class: `${name}[${code}]` }
}

/** Logs how many files failed, because only the first failure of each class was logged. */
const logCounts = ({ failedClasses }: Tally.Tally) =>
  Effect.forEach(
    failedClasses,
    ([tag, { files }]) =>
      files > 1 ? Effect.annotateLogs(Effect.logWarning("failed"), { ...classOf(tag), files }) : Effect.void,
    { discard: true }
  )

/** The outcome of one file. */
export interface FileOutcome {
  readonly file: Pick<SourceFile, "relativePath">
  readonly outcome: Outcome
}

type Streams = Context.Tag.Service<Stdio>

/** Prints the report in each output format. The summary comes last; with JSON, it goes to stderr. */
const renderings = {
  text: (report: Report, { isOneStream, stderr, stdout }: Streams) => {
    for (const line of ReportText.body(report)) stdout.writeLine(line)
    stdout.writeLine(Summary.counts(report, stdout))
    const ending = Summary.ending(report)
    if (ending === undefined) return
    stdout.writeLine(ending)
    // also on stderr, because a log or a mail may contain only stderr
    if (!isOneStream) stderr.writeLine(ending)
  },
  json: (report: Report, { stderr, stdout }: Streams) => {
    stdout.writeLine({ text: json(report), severity: "info" })
    stderr.writeLine(Summary.counts(report, stderr))
    const ending = Summary.ending(report)
    if (ending !== undefined) stderr.writeLine(ending)
  }
}

const log = (file: string, outcome: Outcome, isWarning: boolean): Effect.Effect<void> => {
  switch (outcome._tag) {
    case "Failed":
      return Effect.annotateLogs(isWarning ? Effect.logWarning("failed") : Effect.logDebug("failed"), {
        ...classOf(outcome.error._tag),
        file,
        error: outcome.error.message
      })
    // not logged again, because the report lists it
    case "Planned":
      return Effect.void
    case "Skipped":
      return Effect.annotateLogs(Effect.logDebug("skipped"), { file, why: outcome.why })
    default:
      return Effect.annotateLogs(Effect.logDebug(outcome._tag.toLowerCase()), { file })
  }
}

import { Context, Effect, FiberRef, Layer, LogLevel } from "effect"
import type { Outcome } from "../domain/Outcome.ts"
import type { OpenUpload, Report } from "../report/Report.ts"
import * as ReportText from "../report/ReportText.ts"
import * as Summary from "../report/Summary.ts"
import type { Settings } from "../domain/Settings.ts"
import type { SourceFile } from "../domain/SourceFile.ts"
import * as Tally from "../domain/Tally.ts"
import { Stdio } from "./Stdio.ts"

/** Adds up what becomes of the files, and tells it. */
export class Reporter extends Context.Tag("ibsr-export/Reporter")<
  Reporter,
  {
    /** Counts files, and logs them: failures as warnings, the others for `--verbose`. */
    readonly outcomes: (all: ReadonlyArray<FileOutcome>) => Effect.Effect<void>
    /** Remembers a multipart upload that could not be aborted. */
    readonly abortFailed: (upload: OpenUpload) => Effect.Effect<void>
    /** An upload that an earlier run had begun was completed, without these bytes being sent again. */
    readonly addResumed: (sparedBytes: number) => void
    /** An upload in parts is left for the next run. */
    readonly addKept: (upload: Tally.KeptUpload) => void
    /** A file that was rotated away without having been stored. */
    readonly addLost: (relativePath: string) => void
    /** One that will be before the next run; `rotatedAt` in milliseconds since 1970. */
    readonly addAtRisk: (relativePath: string, rotatedAt: number) => void
    /** The sums so far; they go on changing. */
    readonly tally: Tally.Tally
    readonly openUploads: ReadonlyArray<OpenUpload>
    /** Prints the report: it is the last thing of a run. */
    readonly publish: (report: Report) => Effect.Effect<void>
  }
>() {
  static readonly layer = ({ outputFormat, quiet }: Pick<Settings, "outputFormat" | "quiet">) =>
    Layer.effect(
      Reporter,
      Effect.map(Stdio, (streams) => {
        const tally = Tally.empty()
        const openUploads: Array<OpenUpload> = []
        return {
          outcomes: (all) => {
            for (const { outcome } of all) Tally.add(tally, outcome)
            // asking the log for each of a million files takes longer than counting them
            return Effect.flatMap(FiberRef.get(FiberRef.currentMinimumLogLevel), (least) => {
              const telling = LogLevel.lessThanEqual(least, LogLevel.Debug)
                ? all
                : all.filter(({ outcome }) => outcome._tag === "Failed")
              return Effect.forEach(telling, ({ file, outcome }) => log(file.relativePath, outcome), {
                discard: true
              })
            })
          },
          addResumed: (sparedBytes) => Tally.addResumed(tally, sparedBytes),
          addKept: (upload) => Tally.addKept(tally, upload),
          addLost: (file) => Tally.addLost(tally, file),
          addAtRisk: (file, rotatedAt) => Tally.addAtRisk(tally, { file, rotatedAt }),
          abortFailed: (upload) => Effect.sync(() => openUploads.push(upload)),
          tally,
          openUploads,
          publish: (report) =>
            Effect.sync(() => {
              if (!quiet || !ReportText.isUneventful(report)) renderings[outputFormat](report, streams)
            })
        }
      })
    )
}

/** What became of one file. */
export interface FileOutcome {
  readonly file: Pick<SourceFile, "relativePath">
  readonly outcome: Outcome
}

/** One value, two renderings. The result goes to stdout, the rest to stderr; the summary is the last line of all. */
const renderings = {
  text: (report: Report, { stdout }: Heard) => {
    for (const told of ReportText.body(report)) stdout.writeLine(told)
    stdout.writeLine(Summary.line(report, stdout.isJournal))
  },
  json: (report: Report, { stderr, stdout }: Heard) => {
    stdout.writeLine({ text: JSON.stringify(report), severity: "info" })
    stderr.writeLine(Summary.line(report, stderr.isJournal))
  }
}

type Heard = Context.Tag.Service<Stdio>

const log = (file: string, outcome: Outcome): Effect.Effect<void> => {
  switch (outcome._tag) {
    case "Failed":
      return Effect.annotateLogs(Effect.logWarning("failed"), { file, error: outcome.error.message })
    // the report tells it
    case "Planned":
      return Effect.void
    case "Skipped":
      return Effect.annotateLogs(Effect.logDebug("skipped"), { file, why: outcome.why })
    default:
      return Effect.annotateLogs(Effect.logDebug(outcome._tag.toLowerCase()), { file })
  }
}

/** The log goes to stderr, because stdout carries the result. */
import { Effect, Inspectable, Layer, Logger, LogLevel, Struct } from "effect"
import type { Reporting } from "../domain/Settings.ts"
import type { Severity } from "../report/Journal.ts"
import { type OutputStream, Stdio } from "../services/Stdio.ts"

/** journald records the time of each line, and shows no colours. */
const journalLogfmt = Logger.map(Logger.logfmtLogger, (line) => line.replace(/^timestamp=\S+ /, ""))

const inJournal = {
  auto: journalLogfmt,
  pretty: journalLogfmt,
  logfmt: journalLogfmt,
  json: Logger.map(Logger.structuredLogger, (entry) => Inspectable.stringifyCircular(Struct.omit(entry, "timestamp")))
}

const elsewhere = { logfmt: Logger.logfmtLogger, json: Logger.jsonLogger }

const severities: Readonly<Record<LogLevel.LogLevel["_tag"], Severity>> = {
  All: "debug",
  Trace: "debug",
  Debug: "debug",
  Info: "info",
  Warning: "warning",
  Error: "error",
  Fatal: "error",
  None: "error"
}

const to = (stderr: OutputStream, logger: Logger.Logger<unknown, string>) =>
  Logger.make((entry) => stderr.writeLine({ text: logger.log(entry), severity: severities[entry.logLevel._tag] }))

const loggerFor = (format: Reporting["logFormat"], stderr: OutputStream, isTerminal: boolean) => {
  if (stderr.isJournal) return to(stderr, inJournal[format])
  const chosen = format === "auto" ? (isTerminal ? "pretty" : "logfmt") : format
  return chosen === "pretty" ? Logger.prettyLogger({ stderr: true, colors: "auto" }) : to(stderr, elsewhere[chosen])
}

export const layer = (
  { logFormat, quiet, verbose }: Pick<Reporting, "logFormat" | "quiet" | "verbose">,
  isTerminal: boolean
) =>
  Layer.merge(
    Logger.replaceEffect(
      Logger.defaultLogger,
      Effect.map(Stdio, ({ stderr }) => loggerFor(logFormat, stderr, isTerminal))
    ),
    Logger.minimumLogLevel(verbose ? LogLevel.Debug : quiet ? LogLevel.Error : LogLevel.Info)
  )

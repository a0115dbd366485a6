/** The log: on stderr, because stdout carries the result. */
import { Effect, Inspectable, Layer, Logger, LogLevel, Struct } from "effect"
import type { Severity } from "../report/Journal.ts"
import { type OutputStream, Stdio } from "../services/Stdio.ts"

export interface LogSettings {
  readonly format: "auto" | "pretty" | "logfmt" | "json"
  /** The least level that is told. */
  readonly level: "Debug" | "Info" | "Error"
}

/** The journal has the time of each line already; its colours are its own. */
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

const loggerFor = (format: LogSettings["format"], stderr: OutputStream, isTerminal: boolean) => {
  if (stderr.isJournal) return to(stderr, inJournal[format])
  const chosen = format === "auto" ? (isTerminal ? "pretty" : "logfmt") : format
  return chosen === "pretty" ? Logger.prettyLogger({ stderr: true, colors: "auto" }) : to(stderr, elsewhere[chosen])
}

export const layer = ({ format, level }: LogSettings, isTerminal: boolean) =>
  Layer.merge(
    Logger.replaceEffect(
      Logger.defaultLogger,
      Effect.map(Stdio, ({ stderr }) => loggerFor(format, stderr, isTerminal))
    ),
    Logger.minimumLogLevel(LogLevel.fromLiteral(level))
  )

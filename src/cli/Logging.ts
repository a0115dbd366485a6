/** The log goes to stderr, because stdout carries the result. */
import { Effect, Layer, Logger, LogLevel, Record, Struct } from "effect"
import type { Reporting } from "../domain/Settings.ts"
import type { Severity } from "../report/Journal.ts"
import * as Logfmt from "../report/Logfmt.ts"
import { escapeControls, json } from "../report/Text.ts"
import { type OutputStream, Stdio } from "../services/Stdio.ts"

const entryOf = (options: Logger.Logger.Options<unknown>) => Logger.structuredLogger.log(options)

type Entry = ReturnType<typeof entryOf>

/**
 * The fields that are logged: all but the time and Effect's fiber numbers, which mean nothing to a reader of the log.
 */
const fieldsOf = ({ annotations, cause, logLevel, message }: Entry): Parameters<typeof Logfmt.line>[0] => ({
  level: logLevel,
  message: String(message),
  ...Record.map(annotations, String),
  ...(cause === undefined ? {} : { cause })
})

const formats = {
  logfmt: (entry: Entry) => Logfmt.line({ timestamp: entry.timestamp, ...fieldsOf(entry) }),
  json: (entry: Entry) => json(Struct.omit(entry, "fiberId", "spans"))
}

/** journald records the time of each line, and shows no colours. */
const inJournal = {
  logfmt: (entry: Entry) => Logfmt.line(fieldsOf(entry)),
  json: (entry: Entry) => json(Struct.omit(entry, "fiberId", "spans", "timestamp"))
}

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

const colors: Readonly<Record<Severity, number>> = { error: 31, warning: 33, notice: 32, info: 32, debug: 90 }

/** For example `15:17:02 WARN failed file=a.jsonl`. */
const pretty = (severity: Severity, hasColors: boolean) => (entry: Entry) => {
  const { level, message, ...rest } = fieldsOf(entry)
  const time = new Date(entry.timestamp).toTimeString().slice(0, "hh:mm:ss".length)
  const shown = hasColors ? `\u001B[${colors[severity]}m${level}\u001B[0m` : String(level)
  return [time, shown, escapeControls(String(message)), Logfmt.line(rest)].join(" ").trimEnd()
}

/** The formatter for entries on this stream. */
const formatOf = (
  format: Reporting["logFormat"],
  { hasColors, isJournal, isTerminal }: OutputStream,
  severity: Severity
) => {
  if (isJournal) return format === "json" ? inJournal.json : inJournal.logfmt
  const chosen = format === "auto" ? (isTerminal ? "pretty" : "logfmt") : format
  return chosen === "pretty" ? pretty(severity, hasColors) : formats[chosen]
}

const loggerFor = (format: Reporting["logFormat"], stderr: OutputStream) =>
  Logger.make<unknown, void>((options) => {
    const severity = severities[options.logLevel._tag]
    stderr.writeLine({ text: formatOf(format, stderr, severity)(entryOf(options)), severity })
  })

export const layer = ({ logFormat, quiet, verbose }: Pick<Reporting, "logFormat" | "quiet" | "verbose">) =>
  Layer.merge(
    Logger.replaceEffect(
      Logger.defaultLogger,
      Effect.map(Stdio, ({ stderr }) => loggerFor(logFormat, stderr))
    ),
    Logger.minimumLogLevel(verbose ? LogLevel.Debug : quiet ? LogLevel.Error : LogLevel.Info)
  )

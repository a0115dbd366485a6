/** The log: on stderr, because stdout carries the result. */
import { Layer, Logger, LogLevel } from "effect"

export interface LogSettings {
  readonly format: "auto" | "pretty" | "logfmt" | "json"
  /** The least level that is told. */
  readonly level: "Debug" | "Info" | "Error"
}

const loggers = {
  pretty: Logger.prettyLogger({ stderr: true, colors: "auto" }),
  logfmt: Logger.withConsoleError(Logger.logfmtLogger),
  json: Logger.withConsoleError(Logger.jsonLogger)
}

export const layer = ({ format, level }: LogSettings, isTerminal: boolean) =>
  Layer.merge(
    Logger.replace(Logger.defaultLogger, loggers[format === "auto" ? (isTerminal ? "pretty" : "logfmt") : format]),
    Logger.minimumLogLevel(LogLevel.fromLiteral(level))
  )

/** The result of `check`: one value, printed as text or as JSON. */
import type { ExportError } from "../domain/Errors.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Ending from "./Ending.ts"
import { escapeControls, plural } from "./Text.ts"

export type State = "ok" | "warn" | "FAIL" | "skip"

/** The steps, in the order in which an upload would take them. */
export const steps = [
  "configuration",
  "input",
  "selection",
  "ledger",
  "name",
  "connection",
  "TLS",
  "credentials",
  "region",
  "put",
  "clock",
  "checksum",
  "If-None-Match",
  "abort",
  "privilege",
  "schedule"
] as const

export type Step = (typeof steps)[number]

/** The result of one step. */
export interface Result {
  readonly step: Step
  readonly state: State
  /** The result in one line. */
  readonly detail: string
  /** What the user should do about a warning or a failure. */
  readonly hint: string | null
  /** The exit code of a failure, and its name. */
  readonly exit: Pick<ExitCode.ExitCode, "code" | "name"> | null
}

export const ok = (step: Step, detail: string): Result => ({ step, state: "ok", detail, hint: null, exit: null })
export const skip = (step: Step, why: string): Result => ({ step, state: "skip", detail: why, hint: null, exit: null })
export const warn = (step: Step, detail: string, hint: string): Result => ({
  step,
  state: "warn",
  detail,
  hint,
  exit: null
})
export const failed = (step: Step, error: ExportError): Result => {
  const { cause, hint } = Ending.ofError(error)
  const { code, name } = ExitCode.ofError[error._tag]
  return { step, state: "FAIL", detail: cause, hint, exit: { code, name } }
}

export interface Check {
  /** A new field does not change it. A change of meaning increments it. */
  readonly schemaVersion: 1
  readonly target: string
  readonly steps: ReadonlyArray<Result>
  /** The exit code of the first step that failed. */
  readonly result: Pick<ExitCode.ExitCode, "code" | "name">
}

export const make = (target: string, results: ReadonlyArray<Result>): Check => ({
  schemaVersion: 1,
  target,
  steps: results,
  result: results.find(({ exit }) => exit !== null)?.exit ?? { code: 0, name: "ok" }
})

const nameWidth = Math.max(...steps.map((step) => step.length))

/** Returns a line for each step, and a line with the result. */
export const text = (check: Check): string => {
  const lines = check.steps.map(
    ({ detail, hint, state, step }) =>
      `${state.padEnd(4)}  ${step.padEnd(nameWidth)}  ${escapeControls(hint === null ? detail : `${detail}; ${hint}`)}`
  )
  return [...lines, lastLine(check)].join("\n")
}

const lastLine = ({ result, steps: results, target }: Check): string => {
  const first = results.find(({ exit }) => exit !== null)
  if (first !== undefined) return Ending.line(result, { cause: first.detail, hint: first.hint ?? "" })
  const warnings = results.filter(({ state }) => state === "warn").length
  const seen = warnings === 0 ? "no warnings" : plural(warnings, "warning")
  return Ending.line(result, {
    cause: `an upload to ${target} will work`,
    hint: `${seen}, ${plural(results.length, "step")}`
  })
}

/**
 * What a ledger says, as a Nagios plugin says it: one line with performance data, and a code.
 *
 * Source: "Return Codes", "Plugin Output" and "Performance data" in the Monitoring Plugins Development Guidelines.
 */
import { Duration } from "effect"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Location from "../domain/Location.ts"
import * as DurationText from "../domain/DurationText.ts"
import type { Status, Target } from "./Status.ts"
import { escapeControls } from "./Text.ts"

/** By rising weight: a target that is wholly bad hides one of which little is known. */
const states = {
  ok: { code: 0, word: "OK" },
  warning: { code: 1, word: "WARNING" },
  unknown: { code: 3, word: "UNKNOWN" },
  critical: { code: 2, word: "CRITICAL" }
} as const
type State = keyof typeof states
const byWeight = Object.keys(states) as ReadonlyArray<State>

/** How long ago the last success may be. */
export interface Thresholds {
  readonly warning: Duration.Duration
  readonly critical: Duration.Duration
}

export interface Answer {
  readonly code: 0 | 1 | 2 | 3
  readonly line: string
}

/** Undefined for a code that another version has written. */
const rowOf = (code: number) => ExitCode.table.find((row) => row.code === code)

/**
 * What was tried once, in vain, and not for as long as is critical, was a mistake that was mended: it would stay bad for
 * ever. The target of the last run of all is no such one.
 */
export const inUse = (targets: ReadonlyArray<Target>, { critical }: Thresholds, now: number): ReadonlyArray<Target> => {
  const last = Math.max(...targets.map(ranAt))
  return targets.filter((target) => {
    const at = ranAt(target)
    return at === last || target.lastSuccess !== null || now - at <= Duration.toMillis(critical)
  })
}

const ranAt = ({ lastRun }: Target) => (lastRun === null ? 0 : Date.parse(lastRun.startedAt))

/** Milliseconds since the last run that ended with 0 did so. */
const ageOf = ({ lastSuccess }: Target, now: number): number | undefined =>
  lastSuccess?.endedAt == null ? undefined : Math.max(0, now - Date.parse(lastSuccess.endedAt))

/**
 * | last success       | last run                          | state    |
 * | ------------------ | --------------------------------- | -------- |
 * | never, or critical | any                               | critical |
 * | any other          | failed so that no retry can help  | critical |
 * | any other          | failed otherwise                  | warning  |
 * | warning            | any other                         | warning  |
 * | recent             | good, stopped, or not ended       | ok       |
 */
export const stateOf = (target: Target, { critical, warning }: Thresholds, now: number): State => {
  const age = ageOf(target, now)
  if (age === undefined || age > Duration.toMillis(critical)) return "critical"
  const code = target.lastRun?.exitCode ?? 0
  const known = rowOf(code)
  const failed = code !== 0 && known?.name !== "interrupted"
  if (failed && known?.retrySoon === false) return "critical"
  return failed || age > Duration.toMillis(warning) ? "warning" : "ok"
}

const run = ({ lastRun }: Target) => {
  if (lastRun === null) return "no run"
  if (lastRun.exitCode === null) return "last run not ended"
  return `last run exit ${lastRun.exitCode} (${rowOf(lastRun.exitCode)?.name ?? "of another version"})`
}

const sentence = (target: Target, now: number) => {
  const age = ageOf(target, now)
  const success =
    age === undefined ? "never succeeded" : `last success ${DurationText.format(Duration.millis(age))} ago`
  // what is behind a bar is taken for performance data
  return `${escapeControls(Location.url(target))}: ${success}, ${run(target)}, ${target.waiting} waiting, ${target.lost} lost`.replaceAll(
    "|",
    "¦"
  )
}

/** Labels are told apart by the target where there are several. */
const performance = (target: Target, thresholds: Thresholds, now: number, several: boolean) => {
  const label = (name: string) =>
    several ? `'${escapeControls(Location.url(target)).replaceAll(/['=|]/g, "_")} ${name}'` : name
  const [warning, critical] = [Duration.toSeconds(thresholds.warning), Duration.toSeconds(thresholds.critical)]
  const age = ageOf(target, now)
  return [
    // U: a value that could not be determined
    `${label("age")}=${age === undefined ? "U" : `${Math.round(age / 1000)}s`};${warning};${critical};0`,
    `${label("waiting")}=${target.waiting};;;0`,
    `${label("lost")}=${target.lost};;;0`,
    `${label("stored")}=${target.stored};;;0`,
    `${label("stored_bytes")}=${target.storedBytes}B;;;0`
  ]
}

const answer = (state: State, text: string): Answer => ({
  code: states[state].code,
  line: `IBSR-EXPORT ${states[state].word} - ${text}`
})

/** `now` in milliseconds since 1970. The worst of the targets decides, and stands first. */
export const check = ({ ledger, targets }: Status, thresholds: Thresholds, now: number): Answer => {
  const judged = inUse(targets, thresholds, now)
    .map((target) => ({ target, state: stateOf(target, thresholds, now) }))
    .toSorted((one, other) => byWeight.indexOf(other.state) - byWeight.indexOf(one.state))
  const [worst] = judged
  if (worst === undefined) return answer("unknown", `no run has used ${escapeControls(ledger)} yet`)
  return answer(
    worst.state,
    `${judged.map(({ target }) => sentence(target, now)).join("; ")} | ${judged
      .flatMap(({ target }) => performance(target, thresholds, now, judged.length > 1))
      .join(" ")}`
  )
}

/** There is nothing to judge. */
export const unknown = (why: string): Answer => answer("unknown", escapeControls(why).replaceAll("|", "¦"))

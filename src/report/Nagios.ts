/**
 * A ledger's status as the output of a Nagios plugin: one line with performance data, and a return code.
 *
 * Source: "Return Codes", "Plugin Output" and "Performance data" in the Monitoring Plugins Development Guidelines.
 */
import { Duration } from "effect"
import * as DurationText from "../domain/DurationText.ts"
import * as ExitCode from "../domain/ExitCode.ts"
import * as Location from "../domain/Location.ts"
import { isFuture, type Status, type Target } from "./Status.ts"
import { escapeControls } from "./Text.ts"

/** States by increasing severity: `critical` outweighs `unknown`. */
const states = {
  ok: { code: 0, word: "OK" },
  warning: { code: 1, word: "WARNING" },
  unknown: { code: 3, word: "UNKNOWN" },
  critical: { code: 2, word: "CRITICAL" }
} as const
type State = keyof typeof states
const bySeverity = Object.keys(states) as ReadonlyArray<State>

/** Ages of the last success above which the state is a warning or critical. */
export interface Thresholds {
  readonly warning: Duration.Duration
  readonly critical: Duration.Duration
}

export interface Result {
  readonly code: 0 | 1 | 2 | 3
  readonly line: string
}

/** Undefined for a code that only another version of the program uses. */
const rowOf = (code: number) => ExitCode.table.find((row) => row.code === code)

/**
 * The targets to report. A target that never succeeded, and that no run has tried within the critical age, is left out:
 * it was a mistake that has been corrected, and it would keep the state critical forever. The target of the most recent
 * run is always reported.
 */
export const inUse = (targets: ReadonlyArray<Target>, { critical }: Thresholds, now: number): ReadonlyArray<Target> =>
  targets.filter(({ lastRun, lastSuccess, mostRecent }) => {
    const age = timeSince(lastRun?.startedAt, now) ?? Infinity
    return mostRecent || lastSuccess !== null || age <= Duration.toMillis(critical)
  })

/** Milliseconds since the last successful run ended. */
const ageOf = ({ lastSuccess }: Target, now: number) => timeSince(lastSuccess?.endedAt, now)

/** Milliseconds since a time. Undefined if the time is in the future, because a clock was wrong. */
const timeSince = (time: string | null | undefined, now: number): number | undefined =>
  time == null || isFuture(Date.parse(time), now) ? undefined : Math.max(0, now - Date.parse(time))

/**
 * | last success          | last run                       | state    |
 * | --------------------- | ------------------------------ | -------- |
 * | never, or too old     | any                            | critical |
 * | in the future         | any                            | critical |
 * | any other             | failed, and no retry can help  | critical |
 * | any other             | failed, and a retry can help   | warning  |
 * | older than `warning`  | any other                      | warning  |
 * | recent                | successful, stopped, not ended | ok       |
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

const runText = ({ lastRun }: Target) => {
  if (lastRun === null) return "no run"
  if (lastRun.exitCode === null) return "last run not ended"
  return `last run exit ${lastRun.exitCode} (${rowOf(lastRun.exitCode)?.name ?? "of another version"})`
}

/** Names the target if there are several. */
const nameOf = (target: Target, all: ReadonlyArray<Target>) =>
  escapeControls(Location.url(target) + Location.regionSuffix(target, all))

const successText = (target: Target, now: number) => {
  const age = ageOf(target, now)
  if (age !== undefined) return `last success ${DurationText.format(Duration.millis(age))} ago`
  const endedAt = target.lastSuccess?.endedAt
  return endedAt == null ? "never succeeded" : `last success in the future (${endedAt}): the host's clock was ahead`
}

const targetText = (target: Target, now: number, all: ReadonlyArray<Target>) => {
  // Nagios would read text after a bar as performance data
  const text = `${successText(target, now)}, ${runText(target)}, ${target.waiting} waiting, ${target.lost} lost`
  return `${nameOf(target, all)}: ${text}`.replaceAll("|", "¦")
}

/** If there are several targets, each label contains its target. */
const performance = (target: Target, thresholds: Thresholds, now: number, all: ReadonlyArray<Target>) => {
  const label = (name: string) => (all.length > 1 ? `'${nameOf(target, all).replaceAll(/['=|]/g, "_")} ${name}'` : name)
  const [warning, critical] = [Duration.toSeconds(thresholds.warning), Duration.toSeconds(thresholds.critical)]
  const age = ageOf(target, now)
  return [
    // in performance data, U means that the value is unknown
    `${label("age")}=${age === undefined ? "U" : `${Math.round(age / 1000)}s`};${warning};${critical};0`,
    `${label("waiting")}=${target.waiting};;;0`,
    `${label("lost")}=${target.lost};;;0`,
    `${label("stored")}=${target.stored};;;0`,
    `${label("stored_bytes")}=${target.storedBytes}B;;;0`
  ]
}

const pluginOutput = (state: State, text: string): Result => ({
  code: states[state].code,
  line: `IBSR-EXPORT ${states[state].word} - ${text}`
})

/** The worst target decides the code and comes first. `now` is in milliseconds since 1970. */
export const check = ({ ledger, targets }: Status, thresholds: Thresholds, now: number): Result => {
  const checked = inUse(targets, thresholds, now)
    .map((target) => ({ target, state: stateOf(target, thresholds, now) }))
    .toSorted((a, b) => bySeverity.indexOf(b.state) - bySeverity.indexOf(a.state))
  const [worst] = checked
  const all = checked.map(({ target }) => target)
  if (worst === undefined) return pluginOutput("unknown", `no run has used ${escapeControls(ledger)} yet`)
  return pluginOutput(
    worst.state,
    `${all.map((target) => targetText(target, now, all)).join("; ")} | ${all
      .flatMap((target) => performance(target, thresholds, now, all))
      .join(" ")}`
  )
}

/** The ledger cannot be read. */
export const unknown = (why: string): Result => pluginOutput("unknown", escapeControls(why).replaceAll("|", "¦"))

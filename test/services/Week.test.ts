/**
 * Simulates hourly runs beside a collector that writes, restarts and rotates, on a clock of the test: the services and the
 * ledger are the real ones, the store is in memory and fails for hours. `IBSR_TEST_HOURS` sets the length of each simulation.
 */
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import { join } from "node:path"
import { existsSync } from "node:fs"
import { NetworkFailure } from "../../src/domain/Errors.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import type { Report } from "../../src/report/Report.ts"
import { Stop } from "../../src/services/Stop.ts"
import * as MemoryStore from "../../scripts/simulate/MemoryStore.ts"
import { Collector, type FileVersion } from "../../scripts/simulate/Collector.ts"
import { exportTo } from "../fixtures/Export.ts"
import { seeded } from "../../scripts/simulate/Random.ts"
import { settingsWith } from "../fixtures/Settings.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"

const hourMillis = 3_600_000
const tickMillis = 144_000
const length = Number(process.env["IBSR_TEST_HOURS"] ?? 66)
const seed = Number(process.env["IBSR_TEST_SEED"] ?? 20_261_127)

interface Scenario {
  /** Hours for which the collector keeps a snapshot. */
  readonly keptHours: number
  readonly settings?: Partial<Settings>
}

/** A run, and what the collector did between it and the next one. */
interface Run {
  readonly at: number
  readonly report: Report
  /** The collector's directory during the run. */
  readonly directory: string
  /** What the bucket held when the run ended, by key: the length of the longest version. */
  readonly stored: ReadonlyMap<string, number>
}

const unreachable = new NetworkFailure({ operation: "PutObject", detail: "unreachable", retryable: false })

const simulate = ({ keptHours, settings: changed }: Scenario) =>
  Effect.gen(function* () {
    const random = seeded(seed)
    const input = emptyDirectory()
    let isDown = false
    const store = MemoryStore.make({ before: () => (isDown ? Effect.fail(unreachable) : Effect.void) })
    const start = Date.UTC(2026, 10, 22)
    const collector = new Collector(input, random, start, {
      maxAge: keptHours * hourMillis,
      truncates: false,
      setsTimes: true
    })
    const settings = settingsWith({
      input,
      stateDir: emptyDirectory(),
      maxRetries: 0,
      grace: Duration.zero,
      ...changed
    })
    const runs: Array<Run> = []
    let down = 0
    for (let hour = 1; hour <= length; hour++) {
      const runAt = start + hour * hourMillis + 7 * 60_000
      let restartsAt = random.chance(0.03) ? runAt - random.below(50) * 60_000 : Infinity
      while (collector.now < runAt) {
        if (collector.now >= restartsAt) {
          collector.restart()
          restartsAt = Infinity
        }
        collector.tick()
      }
      // the store is down for 2 to 12 hours now and then, and once for 40
      if (down === 0 && random.chance(0.04)) down = 2 + random.below(11)
      if (hour === 20) down = 40
      isDown = down > 0 && down-- > 0
      yield* TestClock.setTime(collector.now)
      const run = exportTo(settings, store.layer).pipe(Effect.provide(Stop.layer))
      // a run that is cut off leaves no report
      if (random.chance(0.1)) {
        const fiber = yield* Effect.fork(run)
        for (let turn = random.below(20); turn > 0; turn--) yield* Effect.promise(() => new Promise(setImmediate))
        yield* Fiber.interrupt(fiber)
        continue
      }
      const report = yield* run
      const stored = new Map([...store.versions].map(([key, versions]) => [key, versions.at(-1)!.length]))
      runs.push({ at: collector.now, report, directory: collector.directory, stored })
    }
    return { collector, input, runs, store }
  })

describe.each([
  { keptHours: 24 },
  { keptHours: 1, settings: { retention: Duration.hours(1) } },
  { keptHours: 168, settings: { retention: Duration.hours(168) } },
  { keptHours: 3 }
] satisfies ReadonlyArray<Scenario>)(
  "hourly runs beside a collector that keeps snapshots for $keptHours h",
  (scenario) => {
    it.effect(
      `store every file or report it as lost, without a false alarm (${length} h, seed ${seed})`,
      () =>
        Effect.gen(function* () {
          const { collector, input, runs, store } = yield* simulate(scenario)
          const content = (name: string) => store.versions.get(`p/${name}`)?.at(-1)?.toString() ?? ""
          const reports = runs.map(({ report }) => report)
          const lost = new Set(reports.flatMap(({ lostFiles }) => lostFiles))
          const endNotSeen = new Set(reports.flatMap(({ endNotSeenFiles }) => endNotSeenFiles))
          const last = runs.at(-1)!

          const wasSeen = ({ createdAt, deletedAt = Infinity }: FileVersion) =>
            runs.some(({ at }) => createdAt < at && at < deletedAt)
          for (const { exists, name, text } of collector.versions.filter(wasSeen)) {
            const isStored = content(name) === text
            const isSettled = exists || lost.has(name) || endNotSeen.has(name) || isStored
            expect(isSettled, `${name} is neither stored nor reported`).toBe(true)
            expect(text.startsWith(content(name)), `${name} is stored as it was written`).toBe(true)
            if (lost.has(name)) expect(isStored, `${name} is reported as lost, but is stored`).toBe(false)
            if (endNotSeen.has(name))
              expect(isStored, `${name}: its end was not seen, but lines are missing`).toBe(true)
            if (exists && last.report.totals.failed === 0 && last.report.complete && !name.endsWith("status.jsonl"))
              expect(text.startsWith(content(name)) && content(name).length > 0, `${name} was never stored`).toBe(true)
          }
          for (const name of lost) expect(existsSync(join(input, name)), `${name} is lost, but exists`).toBe(false)

          for (const [at, { at: now, directory, report, stored }] of runs.entries()) {
            const next = runs[at + 1]
            // a restart or a cut-off run in between decides otherwise than anybody can foresee
            if (next === undefined || next.directory !== directory || next.at - now > hourMillis + 2 * tickMillis)
              continue
            const deleted = collector.versions.filter(
              ({ deletedAt, name, text }) =>
                deletedAt !== undefined &&
                deletedAt > now &&
                deletedAt <= now + hourMillis &&
                stored.get(`p/${name}`) !== text.length
            )
            const names = deleted.map(({ name }) => name).toSorted()
            const atRisk = report.filesAtRisk.map(({ file }) => file).toSorted()
            const isLearning = scenario.settings?.retention === undefined && scenario.keptHours !== 24
            if (isLearning && report.filesAtRisk.length === 0) continue
            expect(atRisk, `at risk at ${new Date(now).toISOString()}`).toEqual(names)
          }
          console.log(
            `kept ${scenario.keptHours} h: ${runs.length} runs, ${collector.versions.length} files, ${lost.size} lost, ` +
              `${endNotSeen.size} ends not seen, ${reports.reduce((sum, { filesAtRisk }) => sum + filesAtRisk.length, 0)} at risk`
          )
        }),
      600_000
    )
  }
)

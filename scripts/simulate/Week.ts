/** Simulates hourly runs beside a collector for a week, and checks the promises of the program after each. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Settings } from "../../src/domain/Settings.ts"
import type { Report } from "../../src/report/Report.ts"
import { Collector } from "./Collector.ts"
import { Process } from "./Host.ts"
import { HostClock } from "./HostClock.ts"
import * as Invariants from "./Invariants.ts"
import { Mishaps } from "./Mishaps.ts"
import { randomFor, type Scenario, settingsOf } from "./Scenario.ts"
import * as Store from "./Store.ts"
import { type Fate, Truth } from "./Truth.ts"
import { Violation } from "./Violation.ts"
import { Weather } from "./Weather.ts"

const minute = 60_000
const hour = 60 * minute
const start = Date.UTC(2026, 10, 22)

/**
 * The minutes of an hour at which the collector writes. The real collector writes every minute, but these writes are
 * enough to count as running.
 */
const writes = [2, 25, 55, 59]

/** The totals of a week. */
export interface Figures {
  runs: number
  failed: number
  killed: number
  requests: number
  objects: number
  lost: number
}

/** Throws a `Violation`. `root`: a directory for temporary files, preferably in memory. */
export const simulate = async (scenario: Scenario, root: string): Promise<Figures> => {
  const home = mkdtempSync(join(root, "ibsr-export-week-"))
  try {
    const week = new Week(scenario, home)
    await week.pass()
    return week.figures
  } finally {
    rmSync(home, { recursive: true })
  }
}

/** A run with which the next run is compared. */
interface Past {
  readonly report: Report
  readonly at: number
  readonly wall: number
  readonly directory: string
  /** The files that existed, and how much of each was stored. */
  readonly stored: ReadonlyMap<Fate, number>
}

class Week {
  readonly figures: Figures = { runs: 0, failed: 0, killed: 0, requests: 0, objects: 0, lost: 0 }
  readonly #scenario: Scenario
  readonly #settings: Settings
  readonly #stateDir: string
  readonly #collector: Collector
  readonly #clock: HostClock
  readonly #truth: Truth
  readonly #weather: Weather
  readonly #mishaps: Mishaps
  readonly #store: Store.Store
  #isCollecting = true
  #writes = 0
  #past: Past | undefined

  constructor(scenario: Scenario, home: string) {
    const input = join(home, "input")
    mkdirSync(input)
    this.#scenario = scenario
    this.#stateDir = join(home, "state")
    this.#settings = settingsOf(scenario, input, this.#stateDir)
    this.#collector = new Collector(input, randomFor(scenario.seed, "collector"), start, {
      maxAge: scenario.keptHours * hour,
      truncates: scenario.faults.has("truncation"),
      setsTimes: true
    })
    this.#clock = new HostClock(start, (elapsed) => this.#collect(elapsed))
    this.#truth = new Truth(this.#collector, this.#settings)
    this.#weather = new Weather(scenario)
    this.#mishaps = new Mishaps(this.#weather, this.#clock)
    this.#store = Store.make(this.#settings.noOverwrite, this.#clock, this.#weather, this.#truth)
  }

  async pass(): Promise<void> {
    const { hours, minute: startsAt } = this.#scenario
    let at = 1
    try {
      for (; at <= hours; at++) {
        this.#weather.nextHour()
        if (this.#weather.strikes("restarts", 0.03)) this.#collector.restart()
        if (this.#weather.strikes("clock", 0.01)) this.#mishaps.jump()
        if (this.#weather.strikes("refusals", 0.01)) this.#store.open.clear()
        this.#clock.advanceTo(at * hour + startsAt * minute)
        if (!this.#weather.strikes("pauses", 0.05)) await this.#run(at)
      }
      // in the last two runs, the store and the disk work, and no file changes
      this.#weather.end()
      this.#mishaps.end()
      this.#isCollecting = false
      for (; at <= hours + 2; at++) {
        this.#clock.advanceTo(at * hour + startsAt * minute)
        await this.#run(at)
      }
      this.#withLedger((ledger) => Invariants.markFates(ledger, this.#truth))
      Invariants.atEnd(this.#truth, this.#settings)
      if (this.#settings.manifest && this.#settings.onReplace !== "overwrite")
        Invariants.manifestsMatch(this.#truth, this.#store.versions)
      Invariants.putOnly(this.#store.requests)
    } catch (cause) {
      if (cause instanceof Violation) cause.hour = at
      throw cause
    }
    this.figures.requests = this.#store.requests.length
    this.figures.objects = this.#store.versions.size
  }

  /** Lets the collector write everything that is due. */
  #collect(elapsed: number): void {
    for (;;) {
      const dueAt = Math.floor(this.#writes / writes.length) * hour + writes[this.#writes % writes.length]! * minute
      if (dueAt > elapsed) return
      this.#writes++
      this.#collector.now = this.#clock.wall - elapsed + dueAt
      if (this.#isCollecting) this.#collector.tick(20 * minute)
    }
  }

  #withLedger(use: (ledger: DatabaseSync) => void): void {
    const ledger = new DatabaseSync(join(this.#stateDir, "ledger.db"), { readOnly: true })
    try {
      use(ledger)
    } finally {
      ledger.close()
    }
  }

  async #run(at: number): Promise<void> {
    const [clock, settings, store, truth] = [this.#clock, this.#settings, this.#store, this.#truth]
    truth.update()
    const offset = clock.wall - clock.elapsed
    const lines = truth.present((fate) => Invariants.required(fate, settings, clock.wall))
    this.#checkPrediction(at)
    const process = new Process(this.#stateDir)
    this.#mishaps.plan(process, at)
    const exchange = store.meets(process)
    const report = await process.run(settings, store.layer, clock, this.#scenario.seed + at)
    this.#mishaps.ended(process)
    truth.update()
    this.figures.runs++
    if (truth.violation !== undefined) throw truth.violation
    if (report === undefined) {
      this.figures.killed++
      return
    }
    if (report.result.exitCode !== 0) this.figures.failed++
    this.figures.lost += report.totals.lost
    // after a jump of the clock, different files may be final
    const present = clock.wall - clock.elapsed === offset ? lines : new Map([...lines].map(([fate]) => [fate, 0]))
    const isDiskFull = process.steps.ledgerFailure !== undefined
    Invariants.afterRun({ report, exchange, present, isDiskFull }, truth)
    if (isDiskFull || report.ledger === null) return
    if (report.complete)
      for (const [fate, bytes] of present) if (fate.version.exists) fate.seen = Math.max(fate.seen, bytes)
    this.#withLedger((ledger) => Invariants.ledgerMatches(ledger, (key) => store.versions.get(key)?.at(-1)))
    await Invariants.statusMatches(this.#stateDir, report)
    // a run cannot know what was stored without an answer
    const stored = truth.present((fate) => Math.min(fate.stored, fate.acknowledged))
    this.#past = { report, at, wall: clock.wall, directory: this.#collector.directory, stored }
  }

  /** Compares the last run's prediction with what happened, unless something other than time has changed since. */
  #checkPrediction(at: number): void {
    const past = this.#past
    this.#past = undefined
    const { faults, keptHours, minute: startsAt } = this.#scenario
    // the collector deletes files two minutes after the hour; a pause changes when the next run is expected
    const isPredictable = !faults.has("clock") && !faults.has("pauses") && startsAt > 2
    if (past === undefined || !isPredictable || past.at !== at - 1 || !this.#isCollecting) return
    if (past.directory !== this.#collector.directory || past.report.run.durationSeconds > 60) return
    if (past.report.result.signal !== null || !past.report.complete) return
    const deleted = [...past.stored].filter(
      ([{ version }, stored]) => (version.deletedAt ?? 0) > past.wall && stored < version.text.length
    )
    const mayBeLearning = this.#settings.retention === undefined && keptHours !== 24
    Invariants.predictionHolds(
      past.report,
      deleted.flatMap(([{ version }]) => (version.emptied === true ? [] : [version.name])),
      mayBeLearning
    )
  }
}

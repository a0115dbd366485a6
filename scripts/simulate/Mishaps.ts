/** The mishaps of the host: kills, signals, a full disk, jumps of the clock. */
import type { Process } from "./Host.ts"
import type { HostClock } from "./HostClock.ts"
import type { Fault } from "./Scenario.ts"
import { sqliteError } from "./Steps.ts"
import type { Weather } from "./Weather.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** SQLITE_FULL. */
const diskFull = () => sqliteError(13, "database or disk is full")

export class Mishaps {
  readonly #weather: Weather
  readonly #clock: HostClock
  /** The hour until which the disk is full. */
  #fullUntil = 0
  /** The number of steps of the last run. A mishap in the next run is planned for a step up to this number. */
  #steps = 20

  constructor(weather: Weather, clock: HostClock) {
    this.#weather = weather
    this.#clock = clock
  }

  /** Sets the clock forward or back, by up to a minute, an hour, a day or 400 days. */
  jump = (): void => {
    const random = this.#weather.random("clock")
    const most = [minute, hour, day, 400 * day][random.below(4)]!
    this.#clock.jump(Math.round((random.next() - 0.5) * 2 * most))
  }

  /** Plans the mishaps of a run in this hour of the week. */
  plan(process: Process, at: number): void {
    const weather = this.#weather
    const { steps } = process
    const sometimes = (fault: Fault, probability: number, action: () => void) => {
      if (weather.strikes(fault, probability)) steps.plan(weather.random(fault).below(this.#steps + 2), action)
    }
    sometimes("kills", 0.06, () => process.kill())
    sometimes("signals", 0.04, () =>
      process.interrupt((["SIGTERM", "SIGINT", "SIGHUP"] as const)[weather.random("signals").below(3)]!)
    )
    sometimes("clock", 0.01, this.jump)
    if (at < this.#fullUntil) steps.ledgerFailure = diskFull()
    else
      sometimes("disk", 0.03, () => {
        this.#fullUntil = at + 1 + weather.random("disk").below(4)
        steps.ledgerFailure ??= diskFull()
      })
  }

  /** From now on, the disk is not full. */
  end(): void {
    this.#fullUntil = 0
  }

  ended({ steps }: Process): void {
    this.#steps = steps.count
  }
}

/**
 * The host of the simulation: the collector's directory, the ledger, and a process at a time. A killed process leaves the
 * ledger's files as they were at that moment.
 */
import { Effect, Fiber, type Layer, Random as EffectRandom } from "effect"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as App from "../../src/cli/App.ts"
import type { StopSignal } from "../../src/domain/ExitCode.ts"
import type { Settings } from "../../src/domain/Settings.ts"
import type { Report } from "../../src/report/Report.ts"
import { Export } from "../../src/services/Export.ts"
import type { ObjectStore } from "../../src/services/ObjectStore.ts"
import { makeOutputStream, Stdio } from "../../src/services/Stdio.ts"
import { Stop } from "../../src/services/Stop.ts"
import type { HostClock } from "./HostClock.ts"
import { counting, Steps } from "./Steps.ts"
import * as Threads from "./Threads.ts"
import { check } from "./Violation.ts"

const silent = makeOutputStream({ isJournal: false, isTerminal: false, hasColors: false }, () => {})

/** Milliseconds after which a run hangs: much longer than any of its limits, even with slow requests. */
const longestRun = 12 * 3_600_000

/** A run as the host sees it. */
export class Process {
  readonly steps = new Steps()
  readonly #stop = Stop.make()
  readonly #stateDir: string
  /** The files of the ledger when the process was killed. */
  #remains: ReadonlyMap<string, Buffer> | undefined
  /** The signal that arrived before the end. */
  signal: StopSignal | undefined

  constructor(stateDir: string) {
    this.#stateDir = stateDir
  }

  get isKilled(): boolean {
    return this.#remains !== undefined
  }

  /** From now on, the simulation discards what the process does. */
  kill(): void {
    this.#remains ??= new Map(
      readdirSync(this.#stateDir)
        .filter((name) => !name.endsWith("-shm"))
        .map((name) => [name, readFileSync(join(this.#stateDir, name))])
    )
    this.steps.ledgerFailure = new Error("killed")
  }

  interrupt(signal: StopSignal): void {
    this.signal = signal
    Effect.runSync(this.#stop.request({ _tag: "Signal", signal }))
  }

  /** Returns the report; undefined if the process was killed. */
  async run(
    settings: Settings,
    store: Layer.Layer<ObjectStore>,
    clock: HostClock,
    seed: number
  ): Promise<Report | undefined> {
    const startedAt = clock.elapsed
    const program = Effect.flatMap(Export, (job) => job.run).pipe(
      Effect.provide(App.layer(settings, { env: {}, runId: "run", terminal: undefined }, store)),
      Effect.provideService(Stdio, { stdout: silent, stderr: silent, isOneStream: false }),
      Effect.provideService(Stop, this.#stop),
      Effect.withClock(clock),
      Effect.withRandom(EffectRandom.make(seed))
    )
    const report = await counting(this.steps, async () => {
      const fiber = Effect.runFork(program)
      const progress = { isDone: false }
      fiber.addObserver(() => (progress.isDone = true))
      for (;;) {
        await Threads.settle(() => progress.isDone)
        if (progress.isDone) break
        check(clock.passSleep(), () => "the run waits for something that never happens")
        check(clock.elapsed - startedAt < longestRun, () => "the run does not end")
      }
      return Effect.runPromise(Fiber.join(fiber))
    })
    clock.forget()
    if (this.#remains === undefined) return report
    rmSync(this.#stateDir, { recursive: true })
    mkdirSync(this.#stateDir)
    for (const [name, content] of this.#remains) writeFileSync(join(this.#stateDir, name), content)
    return undefined
  }
}

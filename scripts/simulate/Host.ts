/**
 * The simulated host has the collector's directory, the ledger, and one process at a time. If a process is killed, the
 * ledger's files stay as they were at that moment.
 */
import { Effect, Fiber, type Layer, Random as EffectRandom } from "effect"
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
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

/**
 * A run that takes this many milliseconds hangs. This is much longer than all of its limits together, even with slow
 * requests.
 */
const longestRun = 12 * 3_600_000

/** The ledger's files by name: their content, and the time of their last change in seconds since 1970. */
type Remains = ReadonlyMap<string, { readonly content: Buffer; readonly modified: number }>

/** A run as the host sees it. */
export class Process {
  readonly steps = new Steps()
  readonly #stop = Stop.make()
  readonly #stateDir: string
  /** The files of the ledger when the process was killed. */
  #remains: Remains | undefined
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
        .map((name) => {
          const path = join(this.#stateDir, name)
          return [name, { content: readFileSync(path), modified: statSync(path).mtimeMs / 1000 }]
        })
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
    this.#restore(this.#remains)
    return undefined
  }

  /** Writes into the existing files, because the next run regards a ledger with another inode or time as a copy. */
  #restore(remains: Remains): void {
    for (const name of readdirSync(this.#stateDir)) if (!remains.has(name)) rmSync(join(this.#stateDir, name))
    for (const [name, { content, modified }] of remains) {
      const path = join(this.#stateDir, name)
      writeFileSync(path, content)
      utimesSync(path, modified, modified)
    }
  }
}

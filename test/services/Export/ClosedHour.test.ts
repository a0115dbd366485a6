import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import { rmSync } from "node:fs"
import { join } from "node:path"
import type { Settings } from "../../../src/domain/Settings.ts"
import type { Report } from "../../../src/report/Report.ts"
import { Stop } from "../../../src/services/Stop.ts"
import * as MemoryStore from "../../../scripts/simulate/MemoryStore.ts"
import { exportTo } from "../../fixtures/Export.ts"
import { settingsWith } from "../../fixtures/Settings.ts"
import { emptyDirectory, tree } from "../../fixtures/Tree.ts"

const closed = "ibsr-20261122-120000Z/snapshot_2026112214.jsonl"
const input = () =>
  tree({
    "ibsr-20261122-120000Z/snapshot_2026112213.jsonl": "1\n",
    [closed]: "2\n",
    "ibsr-20261122-120000Z/snapshot_2026112215.jsonl": "3\n"
  })

/** Waits in real time for the file system, which does not follow the test clock. */
const pause = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))

/** Advances the clock by a second after each pause, until the run ends. Returns its report, and the seconds that passed. */
const untilEnd = (run: Fiber.Fiber<Report>) =>
  Effect.gen(function* () {
    for (let seconds = 0; ; seconds++) {
      for (let turn = 0; turn < 30; turn++) yield* pause
      const exit = yield* Fiber.poll(run)
      if (exit._tag === "Some") return { seconds, report: yield* Fiber.join(run) }
      yield* TestClock.adjust("10 seconds")
    }
  })

const start = (settings: Partial<Settings>, store: MemoryStore.MemoryStore) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.UTC(2026, 10, 22, 15, 0, 30))
    return yield* Effect.fork(
      exportTo(settingsWith({ input: input(), stateDir: emptyDirectory(), ...settings }), store.layer)
    )
  })

describe("a run that starts just after the end of an hour", () => {
  it.effect("uploads that hour's snapshot once, as final, at the end of the run", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const { report, seconds } = yield* untilEnd(yield* start({}, store))
      expect(report.totals).toMatchObject({ uploaded: 3, failed: 0 })
      expect(store.requests.at(-1)).toBe(`PutObject p/${closed}`)
      expect(store.states.get(`p/${closed}`)).toBe("final")
      expect(seconds * 10).toBe(90)
    }).pipe(Effect.provide(Stop.layer))
  })

  it.effect("does not wait with --dry-run, or if --final-after exceeds five minutes", () => {
    const store = MemoryStore.make()
    return Effect.gen(function* () {
      const planned = yield* untilEnd(yield* start({ dryRun: true }, store))
      expect(planned).toMatchObject({ seconds: 0, report: { totals: { selected: 3 } } })
      const long = yield* untilEnd(yield* start({ finalAfter: Duration.minutes(6) }, store))
      expect(long).toMatchObject({ seconds: 0, report: { totals: { uploaded: 3 } } })
    }).pipe(Effect.provide(Stop.layer))
  })

  it.effect(
    "leaves that hour's snapshot to the next run if a stop is requested during the wait, and marks the file as pending",
    () => {
      const store = MemoryStore.make()
      const stateDir = emptyDirectory()
      const directory = input()
      return Effect.gen(function* () {
        const stop = yield* Stop
        const run = yield* start({ input: directory, stateDir }, store)
        for (let turn = 0; turn < 60; turn++) yield* pause
        yield* stop.request({ _tag: "Signal", signal: "SIGTERM" })
        const { report } = yield* untilEnd(run)
        expect(report.totals).toMatchObject({ uploaded: 2, notTried: 1 })
        expect(report.result.exitCode).toBe(143)
        rmSync(join(directory, closed))
        yield* TestClock.adjust("1 hour")
        const next = yield* Effect.fork(
          Effect.provide(exportTo(settingsWith({ input: directory, stateDir }), store.layer), Stop.layer)
        )
        expect((yield* untilEnd(next)).report.lostFiles).toEqual([closed])
      }).pipe(Effect.provide(Stop.layer))
    }
  )
})

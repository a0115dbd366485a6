import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import { appendFileSync, rmSync } from "node:fs"
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

/** Advances the clock in steps, until the run ends. Returns its report, and the seconds that passed. */
const untilEnd = (run: Fiber.Fiber<Report>, step = 10) =>
  Effect.gen(function* () {
    for (let seconds = 0; ; seconds += step) {
      for (let turn = 0; turn < 30; turn++) {
        yield* pause
        if ((yield* Fiber.poll(run))._tag === "Some") break
      }
      const exit = yield* Fiber.poll(run)
      if (exit._tag === "Some") return { seconds, report: yield* Fiber.join(run) }
      yield* TestClock.adjust(Duration.seconds(step))
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
      expect(seconds).toBe(90)
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

  const bytesOf = (store: MemoryStore.MemoryStore) =>
    [...store.versions.values()].flat().reduce((sum, { length }) => sum + length, 0)

  /** Sends a day of snapshots with a run at minute 0 of each hour. Returns the bytes sent for each byte written. */
  const day = (settings: Partial<Settings>) =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const directory = tree({ "ibsr-20261122-120000Z/status.jsonl": "" })
      const stateDir = emptyDirectory()
      const midnight = Date.UTC(2026, 10, 23)
      const line = `${"x".repeat(99)}\n`
      const append = (at: number, lines: number) => {
        const hour = new Date(at).toISOString().replaceAll(/\D/g, "").slice(0, 10)
        appendFileSync(join(directory, `ibsr-20261122-120000Z/snapshot_${hour}.jsonl`), line.repeat(lines))
      }
      let written = 0
      for (let hour = 0; hour <= 24; hour++) {
        const now = midnight + hour * 3_600_000
        // cron starts the run just after the first line of the new hour
        append(now, 1)
        written++
        yield* TestClock.setTime(now + 1000)
        const run = yield* Effect.fork(
          exportTo(settingsWith({ input: directory, stateDir, include: ["snapshot_*"], ...settings }), store.layer)
        )
        const { report } = yield* untilEnd(run, 120)
        expect(report.totals).toMatchObject({ failed: 0, lost: 0 })
        append(now, 59)
        written += 59
      }
      // the last hour has just begun
      return bytesOf(store) / ((written - 60) * line.length)
    }).pipe(Effect.provide(Stop.layer))

  it.effect("sends each byte about once, where cron starts all runs at minute 0", () =>
    Effect.gen(function* () {
      const ratio = yield* day({})
      expect(ratio).toBeGreaterThanOrEqual(1)
      expect(ratio).toBeLessThan(1.03)
      // the same day without the wait
      expect(yield* day({ finalAfter: Duration.minutes(6) })).toBeGreaterThan(1.9)
    })
  )
})

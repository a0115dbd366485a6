/** The built program, killed over and over while a collector writes and rotates. */
import { readdirSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { Collector, type FileVersion } from "../fixtures/Collector.ts"
import { type Random, seeded } from "../fixtures/Random.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"
import { report, s3, start } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const prefix = "ibsr/host/snapshots/"
const kills = Number(process.env["IBSR_TEST_KILLS"] ?? (process.env["CI"] === undefined ? 200 : 40))
const seed = Number(process.env["IBSR_TEST_SEED"] ?? 20_261_124)

/** Milliseconds; by then a run is over. */
const longestRun = 450

/** Has the program take its time from the collector; its signatures, too, so the store takes it as well. */
const clock = `data:text/javascript,${encodeURIComponent(
  "const real = Date.now, from = real(); Date.now = () => Number(process.env.TEST_NOW) + real() - from"
)}`

type Store = Awaited<ReturnType<typeof startStore>>

/** Kills after a while; or when a request has arrived; or when it is done, and the program cannot know it yet. */
const killer = (store: Store, random: Random, kill: () => void) => {
  if (random.chance(0.4)) {
    const timer = setTimeout(kill, random.next() * longestRun)
    return () => clearTimeout(timer)
  }
  let left = random.below(6)
  const whenDone = random.chance(0.6)
  store.fault = (request) => {
    if (left-- === 0) {
      const look = () => void (request.status === undefined ? setImmediate(look) : kill())
      if (whenDone) look()
      else kill()
    }
    return undefined
  }
  return () => {
    store.fault = undefined
  }
}

describe("a program that is killed at any moment", () => {
  it(`loses nothing, tears nothing and overwrites nothing with less (${kills} kills, seed ${seed})`, async () => {
    const random = seeded(seed)
    const input = emptyDirectory()
    const stateDir = emptyDirectory()
    // in the past, so that what has been changed by the system's time has been changed just now: status.jsonl is live
    const collector = new Collector(input, seeded(seed + 1), Date.UTC(2020, 0, 1))
    /** When the run began, by the collector's time; while it lasts, its own time passes as slowly as everybody's. */
    let began = collector.now
    const store = await startStore({ clock: () => began })
    /** How much of a life a run that was not killed has seen. */
    const seen = new Map<FileVersion, number>()

    const run = async (isKilled: boolean) => {
      const atStart = collector.versions.filter(({ exists }) => exists).map((life) => [life, life.text.length] as const)
      began = collector.now
      const { child, finished } = start(s3(input, store.endpoint, "--state-dir", stateDir, "--output=json"), {
        preload: clock,
        env: { TEST_NOW: String(began) }
      })
      const disarm = isKilled ? killer(store, random, () => child.kill("SIGKILL")) : () => {}
      const result = await finished
      disarm()
      if (result.code !== null) {
        // what was rotated away between two kills may be lost, and is told
        expect([0, 41], result.stdout + result.stderr).toContain(result.code)
        expect(report(result).ledger).toMatchObject({ setAside: null })
        for (const [life, length] of atStart) if (life.exists) seen.set(life, length)
      }
      return result
    }

    const writing = setInterval(() => collector.tick(), 4)
    let killed = 0
    for (let runs = 0; killed < kills; runs++) {
      const result = await run(runs % 5 !== 4)
      if (result.code === null) killed++
    }
    clearInterval(writing)
    collector.finish()
    collector.now += 2 * 3_600_000
    const last = await run(false)
    const again = await run(false)
    expect(report(again).totals.uploaded, "a run without news").toBe(0)
    expect(report(last).totals.failed).toBe(0)

    const stored = (life: FileVersion) =>
      store.keys().filter((key) => life.text.startsWith(String(store.object(key)?.body)) && store.object(key)!.size > 0)
    for (const key of store.keys()) {
      const name = key.slice(prefix.length).replace(/\.g\d+(?=\.jsonl$)/, "")
      const lives = collector.versions.filter((life) => life.name === name)
      let before = ""
      for (const [at, { body }] of store.versions(key).entries()) {
        const text = String(body)
        expect(text === "" || text.endsWith("\n"), `${key}, version ${at} ends in a torn line`).toBe(true)
        expect(text.startsWith(before), `${key}, version ${at} was overwritten by less`).toBe(true)
        expect(
          lives.some((life) => life.text.startsWith(text)),
          `${key}, version ${at} is no life's beginning`
        ).toBe(true)
        before = text
      }
    }
    for (const [life, length] of seen) {
      // of a line that was being written when the run began, the rest came later
      const whole = life.text.slice(0, length).lastIndexOf("\n") + 1
      const longest = Math.max(0, ...stored(life).map((key) => store.object(key)!.size))
      expect(longest, `${life.name}: ${whole} bytes were there when a run began`).toBeGreaterThanOrEqual(whole)
    }
    const present = collector.versions.filter(({ exists }) => exists)
    expect(present.length).toBeGreaterThan(20)
    for (const life of present) {
      const [key, ...others] = stored(life).filter((key) => store.object(key)!.size === life.text.length)
      expect(others, life.name).toEqual([])
      const state = life.name === "status.jsonl" ? "live" : "final"
      expect(store.object(key!)?.metadata, life.name).toEqual({ "ibsr-state": state })
    }
    expect(readdirSync(stateDir).toSorted()).toEqual(["ledger.db", "ledger.lock"])
    console.log(
      `${killed} kills, ${seen.size} of ${collector.versions.length} files seen by whole runs, ${store.requests.length} requests, ` +
        `${store.keys().filter((key) => /\.g\d+\./.test(key)).length} generation keys`
    )
  }, 600_000)
})

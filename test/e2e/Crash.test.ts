/** Kills the built program over and over while a collector writes and rotates files. */
import { createHash } from "node:crypto"
import { readdirSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { Collector, type FileVersion } from "../../scripts/simulate/Collector.ts"
import { type Random, seeded } from "../../scripts/simulate/Random.ts"
import type { Manifest } from "../../src/report/Manifest.ts"
import { emptyDirectory } from "../fixtures/Tree.ts"
import { metadata, report, s3, start } from "./BuiltProgram.ts"
import { startStore } from "./Store.ts"

const prefix = "ibsr/host/snapshots/"
const kills = Number(process.env["IBSR_TEST_KILLS"] ?? (process.env["CI"] === undefined ? 200 : 40))
const seed = Number(process.env["IBSR_TEST_SEED"] ?? 20_261_124)

/** Every run ends within this many milliseconds. */
const longestRunMillis = 450

/** Makes the program use the collector's time, also in its signatures, so the store uses that time as well. */
const clock = `data:text/javascript,${encodeURIComponent(
  "const real = Date.now, from = real(); Date.now = () => Number(process.env.TEST_NOW) + real() - from"
)}`

type Store = Awaited<ReturnType<typeof startStore>>

/** Kills the program after a delay, when a request arrives, or just before the program receives a response. */
const armKill = (store: Store, random: Random, kill: () => void) => {
  if (random.chance(0.4)) {
    const timer = setTimeout(kill, random.next() * longestRunMillis)
    return () => clearTimeout(timer)
  }
  let left = random.below(6)
  const afterAnswer = random.chance(0.6)
  store.fault = (request) => {
    if (left-- === 0) {
      const killOnceAnswered = () => void (request.status === undefined ? setImmediate(killOnceAnswered) : kill())
      if (afterAnswer) killOnceAnswered()
      else kill()
    }
    return undefined
  }
  return () => {
    store.fault = undefined
  }
}

const isManifest = (key: string) => key.endsWith("/upload-manifest.json")

/** No manifest in the bucket may claim what the bucket does not hold. Returns how many bytes they claim, by key. */
const checkManifests = (store: Store) => {
  const claimed = new Map<string, number>()
  for (const key of store.keys().filter(isManifest)) {
    const manifest = JSON.parse(String(store.object(key)!.body)) as Manifest
    for (const entry of manifest.files) {
      const object = store.object(entry.key)
      const held = Buffer.from(object?.body ?? "").subarray(0, entry.bytes)
      expect(held.length, `${entry.key} is shorter than ${key} says`).toBe(entry.bytes)
      expect(createHash("sha256").update(held).digest("hex"), `${entry.key} differs from ${key}`).toBe(entry.sha256)
      expect(String(held).split("\n").length - 1, `lines of ${entry.key}`).toBe(entry.lines)
      if (entry.state === "final") expect(object!.metadata, entry.key).toEqual(metadata("final"))
      claimed.set(entry.key, entry.bytes)
    }
  }
  return claimed
}

describe("a program that is killed at any moment", () => {
  it(`loses no file, stores no torn line, shortens no object, and writes no manifest that claims too much (${kills} kills, seed ${seed})`, async () => {
    const random = seeded(seed)
    const input = emptyDirectory()
    const stateDir = emptyDirectory()
    // in the past, so that mtimes, which the system's clock sets, count as recent: status.jsonl is then live
    const collector = new Collector(input, seeded(seed + 1), Date.UTC(2020, 0, 1))
    /** The collector's time when the run started. During the run, the program's clock advances at the real rate. */
    let startedAt = collector.now
    const store = await startStore({ clock: () => startedAt })
    /** How much text each file version had when a run started that was not killed. */
    const seen = new Map<FileVersion, number>()

    const run = async (isKilled: boolean) => {
      const atStart = collector.versions
        .filter(({ exists }) => exists)
        .map((version) => [version, version.text.length] as const)
      startedAt = collector.now
      const { child, finished } = start(
        s3(input, store.endpoint, "--state-dir", stateDir, "--manifest", "--output=json"),
        {
          preload: clock,
          env: { TEST_NOW: String(startedAt) }
        }
      )
      const disarm = isKilled ? armKill(store, random, () => child.kill("SIGKILL")) : () => {}
      const result = await finished
      disarm()
      checkManifests(store)
      if (result.code !== null) {
        // a file that was rotated away between two kills may be lost, which the run reports
        expect([0, 41], result.stdout + result.stderr).toContain(result.code)
        expect(report(result).ledger).toMatchObject({ setAside: null })
        for (const [version, length] of atStart) if (version.exists) seen.set(version, length)
      }
      return result
    }

    const writing = setInterval(() => collector.tick(), 4)
    let killed = 0
    for (let runs = 0; killed < kills; runs++) {
      const result = await run(runs % 5 !== 4)
      if (result.code === null) killed++
      if (runs % 7 === 6) {
        collector.finish()
        collector.restart()
      }
    }
    clearInterval(writing)
    collector.finish()
    collector.now += 2 * 3_600_000
    const last = await run(false)
    const again = await run(false)
    expect(report(again).totals.uploaded, "uploads when nothing has changed").toBe(0)
    expect(report(last).totals.failed).toBe(0)

    const keysOf = ({ text }: FileVersion) =>
      store.keys().filter((key) => text.startsWith(String(store.object(key)?.body)) && store.object(key)!.size > 0)
    const claimed = checkManifests(store)
    for (const key of store.keys().filter((name) => !isManifest(name))) {
      const name = key.slice(prefix.length).replace(/\.g\d+(?=\.jsonl$)/, "")
      const versions = collector.versions.filter((version) => version.name === name)
      let previous = ""
      for (const [at, { body }] of store.versions(key).entries()) {
        const text = String(body)
        expect(text === "" || text.endsWith("\n"), `${key}, version ${at} ends in a torn line`).toBe(true)
        expect(text.startsWith(previous), `${key}, version ${at} does not begin with the version before it`).toBe(true)
        expect(
          versions.some((version) => version.text.startsWith(text)),
          `${key}, version ${at} is not the beginning of any version of its file`
        ).toBe(true)
        previous = text
      }
    }
    for (const [version, length] of seen) {
      // the last line may have been incomplete when the run started
      const whole = version.text.slice(0, length).lastIndexOf("\n") + 1
      const longest = Math.max(0, ...keysOf(version).map((key) => store.object(key)!.size))
      expect(longest, `${version.name}: ${whole} bytes existed when a run started`).toBeGreaterThanOrEqual(whole)
    }
    const present = collector.versions.filter(({ exists }) => exists)
    expect(present.length).toBeGreaterThan(20)
    for (const version of present) {
      const keys = keysOf(version).filter((key) => store.object(key)!.size === version.text.length)
      expect(keys, version.name).toHaveLength(1)
      expect(claimed.get(keys[0]!), `what the manifest says of ${version.name}`).toBe(version.text.length)
      const state = version.name.endsWith("status.jsonl") ? "live" : "final"
      expect(store.object(keys[0]!)?.metadata, version.name).toEqual(metadata(state))
    }
    expect(readdirSync(stateDir).toSorted()).toEqual(["ledger.db", "ledger.lock"])
    console.log(
      `${killed} kills, ${seen.size} of ${collector.versions.length} file versions seen by complete runs, ${store.requests.length} requests, ` +
        `${store.keys().filter((key) => /\.g\d+\./.test(key)).length} generation keys`
    )
  }, 600_000)
})
